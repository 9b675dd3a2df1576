"""What a build is told of its event, or of who asked by hand: HOOKWRIGHT_WEBHOOK_* and HOOKWRIGHT_SOURCE_*. Pure.

The names are AWS CodeBuild's with another prefix ("Environment variables in build environments"), and so are the values
but for HOOKWRIGHT_SOURCE_VERSION: at AWS it is a commit, a branch, a tag or `pr/N`, here the commit wherever the event
names it. A branch, and the head of a pull request, can be moved between the event and the build by whoever may push.

Values are data for a container's environment. What the event does not say is no variable; an empty one would look like
a value. The commit's message and files are not among them: they are text of strangers, and in the clone anyway.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hookwright.kinds.source import BuildSource
from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import BRANCHES, TAGS, Provider, Repository, ScmEvent

MAX_LENGTH = 1_000
_KEPT_URLS = 512
_COMMIT = re.compile(r"[0-9A-Fa-f]{40}([0-9A-Fa-f]{24})?")
# Who has no host but this one. A GitLab may be anybody's own: to guess would have a build take a stranger's code.
_HOSTS = {Provider.GITHUB: "https://github.com", Provider.BITBUCKET_CLOUD: "https://bitbucket.org"}
# Nothing is named by a text with control characters or halves of characters, which are no UTF-8.
_UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A user and a password in an address are not needed to name the repository, and are nobody's business.
_URL = re.compile(r"(?P<scheme>https?://)(?:[^/?#\\\s]*@)?(?P<rest>[^@/?#\\\s]+/[^?#\\\s]+)")


def describe_event(event: ScmEvent, provider: Provider) -> dict[str, str]:
    """Give the variables of the build that `event`, which happened at `provider`, starts.

    What names something is left out if it is longer than 1,000 characters or holds control characters: half a name
    names something else. What is for people (a release's name, a workflow's) is cut and cleaned.
    """
    variables = {
        "HOOKWRIGHT_WEBHOOK_TRIGGER": _find_trigger(event),
        "HOOKWRIGHT_WEBHOOK_EVENT": str(event.event),
        "HOOKWRIGHT_WEBHOOK_HEAD_REF": event.head_ref,
        "HOOKWRIGHT_WEBHOOK_BASE_REF": event.base_ref,
        "HOOKWRIGHT_WEBHOOK_ACTOR_ACCOUNT_ID": event.actor,
        "HOOKWRIGHT_WEBHOOK_PREV_COMMIT": event.before,
        "HOOKWRIGHT_WEBHOOK_MERGE_COMMIT": event.merge_commit,
        "HOOKWRIGHT_WEBHOOK_TAG_NAME": event.tag,
        "HOOKWRIGHT_WEBHOOK_RELEASE_NAME": _clean(event.release),
        "HOOKWRIGHT_WEBHOOK_WORKFLOW_NAME": _clean(event.workflow),
        "HOOKWRIGHT_SOURCE_VERSION": _find_version(event),
        "HOOKWRIGHT_SOURCE_REF": _find_ref(event, provider),
        "HOOKWRIGHT_SOURCE_REPO_URL": _find_url(event.repository),
        "HOOKWRIGHT_SOURCE_HEAD_REPO_URL": _find_url(event.head_repository),
        "HOOKWRIGHT_SOURCE_REPOSITORY": event.repository.full_name,
        "HOOKWRIGHT_SOURCE_ORGANIZATION": event.organisation,
    }
    # Most texts are printable, which is seen at once; those with another space than U+0020 are not.
    return {
        name: value
        for name, value in variables.items()
        if value and len(value) <= MAX_LENGTH and (value.isprintable() or not _UNCLEAN.search(value))
    }


def describe_request(ref: str, source: BuildSource) -> dict[str, str]:
    """Give the variables of a build that was asked for by hand: no event, so nothing of WEBHOOK.

    `ref` is a branch, a ref in full, or a commit with all its digits. Where to clone from is told only if the provider
    has one host.
    """
    is_commit = _COMMIT.fullmatch(ref) is not None
    full = ref.lower() if is_commit else ref if ref.startswith("refs/") else BRANCHES + ref
    host = _HOSTS.get(source.provider) if source.provider is not None else None
    variables = {
        "HOOKWRIGHT_SOURCE_VERSION": full,
        "HOOKWRIGHT_SOURCE_REF": None if is_commit else full,
        "HOOKWRIGHT_SOURCE_REPO_URL": f"{host}/{source.repository}.git" if host and source.repository else None,
        "HOOKWRIGHT_SOURCE_REPOSITORY": source.repository,
    }
    return {name: value for name, value in variables.items() if value}


def _find_trigger(event: ScmEvent) -> str | None:
    """Give what started the build, in AWS's form: pr/N, branch/NAME or tag/NAME."""
    if event.pull_request is not None:
        return f"pr/{event.pull_request}"
    for prefix, word in ((BRANCHES, "branch/"), (TAGS, "tag/")):
        if event.head_ref is not None and event.head_ref.startswith(prefix):
            return word + event.head_ref.removeprefix(prefix)
    return None


def _find_version(event: ScmEvent) -> str | None:
    """Give what is to be built: the commit, or the ref where the payload does not name the commit (releases)."""
    return None if event.deleted else event.sha or event.head_ref


def _find_ref(event: ScmEvent, provider: Provider) -> str | None:
    """Give the ref from which the version can be reached, in HEAD_REPO_URL if it is a branch of a fork.

    Most providers keep the head of each pull request, also of one from a fork, in the repository that it is for.
    """
    if event.deleted:
        return None
    form = DIALECTS[provider].pull_request_ref
    if event.pull_request is not None and form is not None:
        return form.format(number=event.pull_request)
    # The branch of a fork that is gone, or hidden, has its name from there: here it would be another branch.
    if event.fork and _find_url(event.head_repository) is None:
        return None
    return event.head_ref


def _find_url(repository: Repository | None) -> str | None:
    """Give where to clone from: HTTPS or HTTP, never what git would run as a command or read from a disk."""
    url = repository.clone_url if repository is not None else None
    return _read_url(url) if url is not None and len(url) <= MAX_LENGTH else None


# Most events are of one of the same few repositories.
@lru_cache(maxsize=_KEPT_URLS)
def _read_url(url: str) -> str | None:
    found = _URL.fullmatch(url) if not _UNCLEAN.search(url) else None
    return found["scheme"] + found["rest"] if found is not None else None


def _clean(text: str | None) -> str | None:
    return _UNCLEAN.sub("\N{REPLACEMENT CHARACTER}", text[:MAX_LENGTH]) if text is not None else None
