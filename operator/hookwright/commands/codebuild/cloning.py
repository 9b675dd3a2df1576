"""Cloning exactly what an event names, before the build: the container that the examples of BuildTriggers have.

A test holds the two alike. What the event says is only ever read from variables, always within quotes.
"""

from __future__ import annotations

import re
from typing import Any

VOLUME = "workspace"
FOLDER = "/workspace"
SOURCE = f"{FOLDER}/source"
IMAGE = "alpine/git:v2.49.1"
LARGEST = "4Gi"
SCRIPT = r"""url=${HOOKWRIGHT_SOURCE_REPO_URL:?is missing: events set it, and starts by hand}
version=${HOOKWRIGHT_SOURCE_VERSION:?is missing: events set it, and starts by hand}
ref=${HOOKWRIGHT_SOURCE_REF:-$version}

# Credentials go to the repository's own host alone, and never without TLS.
if [ -n "${GIT_PASSWORD:-}" ]; then
  host=${url#https://}
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="credential.https://${host%%/*}.helper"
  say='printf "username=%s\npassword=%s\n" "${GIT_USERNAME:-git}" "$GIT_PASSWORD"'
  export GIT_CONFIG_VALUE_0="!$say; :"
fi

# A fork's branch is in the fork. A pull request's ref is here, wherever it is from.
case $ref in refs/heads/*) url=${HOOKWRIGHT_SOURCE_HEAD_REPO_URL:-$url} ;; esac

# A version is a commit, or else a ref in full.
case $version in *[!0-9a-f]*) want=FETCH_HEAD ref=$version ;; *) want=$version ;; esac
# A commit's id in full tells of which format the repository is; else the ref's does.
id=$want
[ "${#id}" -ge 40 ] || id=`git ls-remote -- "$url" "$ref" 2>/dev/null | head -n 1 | cut -f 1`
if [ "${#id}" -eq 64 ]; then format=sha256; else format=sha1; fi
git init --quiet --object-format="$format" source
cd source

# One commit, without those before it. For all of them: depth=$all
all=2147483647
depth=1
get() {
  git fetch --quiet --no-tags --depth="$1" -- "$url" "$2" &&
    git checkout --quiet --detach "$want^{commit}"
}
get_commit() { [ "${#want}" -ge 40 ] && get "$depth" "$want"; }
get_branches() { [ "$want" != FETCH_HEAD ] && get "$all" '+refs/heads/*:refs/remotes/origin/*'; }
# Squashed, and its branch deleted: of an id that is cut short what it has become is all there is.
get_merged() {
  case ${HOOKWRIGHT_WEBHOOK_MERGE_COMMIT:-none} in *[!0-9a-f]*) return 1 ;; esac
  [ "${#want}" -lt 40 ] || return 1
  git checkout --quiet --detach "$HOOKWRIGHT_WEBHOOK_MERGE_COMMIT^{commit}" &&
    printf '%s is gone: this is %s, which it has become\n' "$version" "$HOOKWRIGHT_WEBHOOK_MERGE_COMMIT" >&2
}

# First what is cheap: the commit alone, wherever its branch is by now.
# All else is for ids that are cut short.
get_commit || get "$depth" "$ref" || get "$all" "$ref" || get_branches || get_merged || {
  printf '%s has no %s, or keeps it to itself\n' "$url" "$version" >&2
  exit 1
}
git rev-parse HEAD
"""
_ENVIRONMENT = {
    "HOME": FOLDER,
    "GIT_ALLOW_PROTOCOL": "https:http",
    "GIT_TERMINAL_PROMPT": "0",
    # Less than 1,000 bytes a second for a minute: give up.
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
    "GIT_HTTP_LOW_SPEED_TIME": "60",
}
_ADDRESS = "HOOKWRIGHT_SOURCE_REPO_URL"
_DOLLARS = re.compile(r"\$\$+|\$(?=\()")
# A Secret of these keys is not needed for public repositories.
_CREDENTIALS = {"GIT_USERNAME": "username", "GIT_PASSWORD": "password"}


def make_clone(secret: str, url: str | None = None) -> dict[str, Any]:  # Any: a JSON object
    """Make the container that clones into `SOURCE`, with the credentials in a Secret, if it is there.

    `url` is where the repository is, for builds that are started by hand; events say it themselves.
    """
    known = {_ADDRESS: escape_dollars(url)} if url is not None else {}
    references = {
        name: {"secretKeyRef": {"name": secret, "key": key, "optional": True}} for name, key in _CREDENTIALS.items()
    }
    return {
        "name": "clone",
        "image": IMAGE,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "workingDir": FOLDER,
        "volumeMounts": [make_mount()],
        "env": [
            *({"name": name, "value": value} for name, value in {**_ENVIRONMENT, **known}.items()),
            *({"name": name, "valueFrom": reference} for name, reference in references.items()),
        ],
        "command": ["sh", "-euc"],
        "args": [SCRIPT],
    }


def escape_dollars(text: str) -> str:
    """Have Kubernetes leave a text of `args` or a variable as it is: `$(NAME)` and `$$` mean something to it.

    Source: Kubernetes, Container v1 core, `args`: `$$` stands for one `$`.
    """
    return _DOLLARS.sub(lambda found: found[0] * 2, text)


def make_volume() -> dict[str, Any]:  # Any: a JSON object
    """Make the volume that what was cloned is in."""
    return {"name": VOLUME, "emptyDir": {"sizeLimit": LARGEST}}


def make_mount() -> dict[str, str]:
    """Make what brings it into a container."""
    return {"name": VOLUME, "mountPath": FOLDER}
