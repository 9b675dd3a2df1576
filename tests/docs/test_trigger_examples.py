"""examples/buildtriggers: each takes deliveries of its Git host, starts what it says, and the Job clones that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from test_clone_examples import each_provider, needs_git

from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.commands.deliver import prepare, send
from hookwright.commands.delivering.prepared import Changes, Wish
from hookwright.commands.files import read_manifests
from hookwright.scm import Provider
from support.clones import EXAMPLES, FILES, PULL_REQUEST_REFS, Place, find_clone
from support.githost import git, make_commit, serve
from support.running import Running, run_hookwright

CREATED, UPDATED = "pull_request_created", "pull_request_updated"
REOPENING = sorted(set(Provider) - {Provider.BITBUCKET_CLOUD, Provider.BITBUCKET_DATA_CENTER})


@asynccontextmanager
async def run_example(folder: Path, provider: Provider) -> AsyncIterator[tuple[Running, str]]:
    """Run Hookwright with an example that is ready; give its name too."""
    async with run_hookwright(folder) as running:
        (manifest,) = read_manifests([EXAMPLES / f"{FILES[provider]}.yaml"])
        running.apply({**manifest, "metadata": {"namespace": "default", **manifest["metadata"]}})
        name = manifest["metadata"]["name"]
        await running.until(lambda: get_ready(running, name) == ("True", "Startable"), f"{name} is Ready")
        yield running, name


def get_ready(running: Running, name: str) -> tuple[str, str]:
    found = running.cluster.get("buildtriggers.hookwright.dev", "default", name) or {}
    conditions = found.get("status", {}).get("conditions", [])
    return next(((each["status"], each["reason"]) for each in conditions if each["type"] == "Ready"), ("", ""))


async def deliver(running: Running, name: str, event: str, **changes) -> tuple[str, str]:
    """Deliver what `hookwright deliver` makes; give outcome and reason."""
    access = await load_access(running.kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        wish = Wish(event=event, changes=Changes(**changes))
        status, answer = await send(await prepare(cluster, "default", f"bt/{name}", wish))
    assert status in {200, 202}
    return answer["outcome"], answer["reason"]


@each_provider
async def test_example_starts_what_it_says(tmp_path, provider):
    """Pushes to main, tags, and pull requests for main start builds, and nothing else does; forks are not built."""
    async with run_example(tmp_path, provider) as (running, name):
        assert (await deliver(running, name, "push"))[0] == "started"
        assert (await deliver(running, name, "push", tag="v1.0"))[0] == "started"
        for event in [CREATED, UPDATED, *(["pull_request_reopened"] if provider in REOPENING else [])]:
            assert (await deliver(running, name, event))[0] == "started"
        for event, changes in [
            ("push", {"branch": "topic"}),
            (CREATED, {"base": "topic"}),
            ("pull_request_closed", {}),
            ("pull_request_merged", {}),
        ]:
            assert (await deliver(running, name, event, **changes))[0] == "ignored"
        assert await deliver(running, name, CREATED, fork=True) == ("ignored", "ForkNotBuilt")


@needs_git
@each_provider
async def test_from_delivery_to_clone(tmp_path, provider):
    """The Job that a signed delivery of a pull request starts clones the commit that the delivery names."""
    (tmp_path / "root").mkdir()
    with serve(tmp_path / "root") as host:
        place = Place(folder=tmp_path, host=host)
        async with run_example(tmp_path, provider) as (running, name):
            scratch = place.repository("https://scratch.example/scratch.git")
            commit = make_commit(scratch, "what is wanted", make_commit(scratch, "first"))
            outcome, _ = await deliver(running, name, CREATED, sha=commit, pull_request=7, branch="$(id)")
            assert outcome == "started"
            (job,) = await running.until(running.jobs)
        told = {each["name"]: each.get("value") for each in find_clone(job["spec"])["env"]}
        base = place.repository(told["HOOKWRIGHT_SOURCE_REPO_URL"])
        ref = PULL_REQUEST_REFS.get(provider, "refs/heads/$(id)").format(7)
        git(base, "fetch", "--quiet", str(scratch), f"{commit}:{ref}")
        done = place.run_job(job)
        assert (done.returncode, place.head()) == (0, commit), done.stderr
