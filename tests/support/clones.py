"""Running an example's clone script as its Job would, against a Git host on loopback."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hookwright.builds.environment import describe_event
from hookwright.builds.targets import render
from hookwright.commands.files import read_manifests
from hookwright.kinds import BuildTrigger, read
from hookwright.scm import Provider, ScmEvent
from support.deliveries import DELIVERIES
from support.githost import GitHost, git, make_commit, make_repository
from support.objects import make_wanted

EXAMPLES = Path(__file__).parents[2] / "examples" / "buildtriggers"
FILES = {
    Provider.GITHUB: "github",
    Provider.GITHUB_ENTERPRISE: "github-enterprise",
    Provider.GITLAB: "gitlab",
    Provider.BITBUCKET_CLOUD: "bitbucket-cloud",
    Provider.BITBUCKET_DATA_CENTER: "bitbucket-data-center",
    Provider.GITEA: "gitea",
}
# Where a repository keeps the heads of its pull requests, by what each provider documents.
PULL_REQUEST_REFS = {
    Provider.GITHUB: "refs/pull/{}/head",
    Provider.GITHUB_ENTERPRISE: "refs/pull/{}/head",
    Provider.GITLAB: "refs/merge-requests/{}/head",
    Provider.BITBUCKET_DATA_CENTER: "refs/pull-requests/{}/from",
    Provider.GITEA: "refs/pull/{}/head",
}


def read_example(provider: Provider) -> BuildTrigger:
    (manifest,) = read_manifests([EXAMPLES / f"{FILES[provider]}.yaml"])
    manifest["metadata"] |= {"namespace": "default", "uid": "7c2d8e1b"}
    return read(BuildTrigger, manifest, strict=True)


def find_clone(spec):
    (clone,) = spec["template"]["spec"]["initContainers"]
    return clone


def expand(value: str, before: Mapping[str, str]) -> str:
    """Put variables in the place of their names, as the kubelet does: `$$` is one `$`."""
    return re.sub(
        r"\$\$|\$\(([^)]*)\)", lambda found: "$" if found[0] == "$$" else before.get(found[1], found[0]), value
    )


def read_event(provider, what, **changes) -> ScmEvent:
    event = DELIVERIES[provider, what].read_one()
    assert isinstance(event, ScmEvent)
    return dataclasses.replace(event, **changes)


@dataclasses.dataclass
class Place:
    """Where a script runs, and the Git host that it reaches instead of the provider's."""

    folder: Path
    host: GitHost

    def repository(self, url, **options) -> Path:
        """Give the bare repository that is served at `url`."""
        netloc, path = urlsplit(url)[1:3]
        folder = self.host.root if netloc.startswith("localhost") else self.host.root / netloc.replace(":", "-")
        path = folder / path.lstrip("/")
        return path if path.exists() else make_repository(path, **options)

    def reroute(self, *urls) -> str:
        """Give the git configuration that leads from these addresses to the Git host."""
        known = [url for url in urls if re.match(r"https?://(?!localhost)[^\[$]", url)]
        hosts = {urlsplit(url)[:2] for url in known}
        return "".join(
            f'[url "{self.host.url}/{netloc.replace(":", "-")}/"]\n\tinsteadOf = "{scheme}://{netloc}/"\n'
            for scheme, netloc in hosts
        )

    def run(self, provider, variables: Mapping[str, str], **more) -> subprocess.CompletedProcess[str]:
        """Run the example's script in the Job that it makes of `variables`; `more` are variables of its Secret."""
        return self.run_job(render(make_wanted(parameters=variables), read_example(provider)), **more)

    def run_job(self, job, *, config="", edit=str, **more) -> subprocess.CompletedProcess[str]:
        """Run the script of a Job; `config` is more git configuration; `edit` changes the script."""
        clone = find_clone(job["spec"])
        own: dict[str, str] = {}
        for each in clone["env"]:
            if "value" in each:
                own[each["name"]] = expand(each["value"], own)
        workspace = self.folder / "workspace"
        workspace.mkdir()
        urls = [value for name, value in own.items() if name.endswith("_URL")]
        (workspace / ".gitconfig").write_text(self.reroute(*urls) + config)
        environment = {name: value.replace("/workspace", str(workspace)) for name, value in own.items()} | more
        (script,) = clone["args"]
        return subprocess.run(
            [*clone["command"], edit(script)],
            cwd=clone["workingDir"].replace("/workspace", str(workspace)),
            env={"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def head(self) -> str:
        return git(self.folder / "workspace" / "source" / ".git", "rev-parse", "HEAD")

    def read(self) -> str:
        return (self.folder / "workspace" / "source" / "what").read_text()

    def assert_nothing_ran(self) -> None:
        assert not list(self.folder.rglob("PWNED"))


def host_event(place: Place, provider: Provider, event: ScmEvent, **options) -> tuple[ScmEvent, str]:
    """Make the repositories of an event as the provider has them; give the event with its true commit, and that."""
    assert event.repository.clone_url is not None
    base = place.repository(event.repository.clone_url, **options)
    first = make_commit(base, "first")
    git(base, "update-ref", "refs/heads/main", make_commit(base, "the newest of main", first))
    home = base
    if event.fork:
        assert event.head_repository is not None
        home = place.repository(event.head_repository.clone_url, **options)
        git(home, "fetch", "--quiet", str(base), "main")
    commit = make_commit(home, "what is wanted", first)
    # Where the event does not say which branch it is of, it is of some.
    ref = event.head_ref or "refs/heads/some"
    if event.fork or ref != "refs/heads/main":
        git(home, "update-ref", ref, commit)
    else:
        git(home, "update-ref", ref, make_commit(home, "the next one", commit))
    if event.pull_request is not None and provider in PULL_REQUEST_REFS:
        ref = PULL_REQUEST_REFS[provider].format(event.pull_request)
        git(base, "fetch", "--quiet", str(home), f"{commit}:{ref}")
    sha = None if event.sha is None else commit[: len(event.sha)] if len(event.sha) < 40 else commit
    return dataclasses.replace(event, sha=sha), commit


def clone(place, provider, event, commit, **more):
    done = place.run(provider, describe_event(event, provider), **more)
    assert done.returncode == 0, done.stderr
    assert place.head() == commit == done.stdout.strip()
    assert place.read() == "what is wanted"
    return done
