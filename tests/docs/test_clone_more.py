"""operator/docs/environment.md: what more the examples' script can do, with the lines that the page has for it."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable

import pytest
import yaml
from test_clone_examples import PAGE, host, needs_git, place

from hookwright.builds.environment import describe_event
from hookwright.builds.targets import render
from hookwright.kinds import BuildTrigger, read
from hookwright.scm import Provider
from support.clones import clone, find_clone, host_event, read_event, read_example
from support.githost import git, make_commit
from support.objects import make_wanted

__all__ = ["host", "place"]  # fixtures


def at_end(words: str, *, depth="1") -> Callable[[str], str]:
    """Give what puts the page's lines with a git command at the end of a script."""
    (lines,) = [block for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) if words in block]
    return lambda script: script.replace("depth=1\n", f"depth={depth}\n") + lines


@needs_git
@pytest.mark.parametrize(("depth", "commits"), [("1", "1"), ("$all", "2")])
@pytest.mark.parametrize("provider", [Provider.GITHUB, Provider.BITBUCKET_CLOUD])
def test_clone_is_shallow(place, provider, depth, commits):
    """One commit is fetched, not its history; with `depth=$all` all of it is."""
    assert "`depth=$all`" in PAGE
    event, commit = host_event(place, provider, read_event(provider, "opened"))
    clone(place, provider, event, commit, edit=lambda script: script.replace("depth=1\n", f"depth={depth}\n"))
    assert git(place.folder / "workspace" / "source" / ".git", "rev-list", "--count", "HEAD") == commits


@needs_git
@pytest.mark.parametrize("what", ["push", "updated", "new_branch"])
def test_changed_files(place, what):
    """The files that are not as they were before are listed, by names that hold anything; of a new branch none are."""
    provider = Provider.GITHUB
    event, commit = host_event(place, provider, read_event(provider, what))
    base = place.repository(event.repository.clone_url)
    blob = git(base, "hash-object", "-w", "--stdin", stdin="x")
    tree = git(base, "mktree", "-z", stdin=f"100644 blob {blob}\t$(touch PWNED)\n\0")
    before = git(base, "commit-tree", tree, "-m", "before")
    event = dataclasses.replace(event, before=before if event.before else None)
    clone(place, provider, event, commit, edit=at_end("git diff"))
    changed = place.folder / "workspace" / "changed"
    if what == "new_branch":
        assert not changed.exists()
    else:
        assert set(changed.read_text().split("\0")) == {"$(touch PWNED)\n", "what", ""}


@needs_git
def test_tags(place):
    """With the tags and all commits, git can describe what is built."""
    provider = Provider.GITLAB
    event, commit = host_event(place, provider, read_event(provider, "push"))
    base = place.repository(event.repository.clone_url)
    git(base, "tag", "-a", "-m", "one", "v1.0", f"{commit}~1")
    clone(place, provider, event, commit, edit=at_end("refs/tags/*", depth="$all"))
    assert git(place.folder / "workspace" / "source" / ".git", "describe").startswith("v1.0-1-g")


@needs_git
@pytest.mark.parametrize("what", ["opened", "from_fork", "push"])
@pytest.mark.parametrize("provider", [Provider.GITHUB, Provider.BITBUCKET_CLOUD])
def test_merge(place, provider, what):
    """A pull request, also one from a fork, is merged with the branch that it is for; what conflicts fails."""
    event, commit = host_event(place, provider, read_event(provider, what))
    base = place.repository(event.repository.clone_url)
    blob = git(base, "hash-object", "-w", "--stdin", stdin="new")
    first = git(base, "rev-parse", "refs/heads/main~1")
    old = git(base, "ls-tree", first)
    tree = git(base, "mktree", stdin=f"{old}\n100644 blob {blob}\tnew\n")
    main = git(base, "commit-tree", tree, "-p", first, "-m", "main")
    if what != "push":
        git(base, "update-ref", "refs/heads/main", main)
    done = place.run(provider, describe_event(event, provider), edit=at_end("merge --quiet", depth="$all"))
    assert (done.returncode, place.read()) == (0, "what is wanted"), done.stderr
    source = place.folder / "workspace" / "source"
    if what == "push":
        assert place.head() == commit
    else:
        assert git(source / ".git", "rev-parse", "HEAD^1", "HEAD^2").split() == [commit, main]
    assert (source / "new").exists() is (what != "push")


@needs_git
def test_submodules(place):
    """With the lines on the page submodules are there too, by an address of their own or beside the repository's."""
    provider = Provider.GITLAB
    event, _ = host_event(place, provider, read_event(provider, "push"))
    base = place.repository(event.repository.clone_url)
    part = place.repository(event.repository.clone_url.replace("hello", "part"))
    inside = make_commit(part, "a part")
    git(part, "update-ref", "refs/heads/main", inside)
    modules = "".join(
        f'[submodule "{name}"]\n\tpath = {name}\n\turl = {url}\n'
        for name, url in {"near": "../part.git", "far": event.repository.clone_url.replace("hello", "part")}.items()
    )
    blob = git(base, "hash-object", "-w", "--stdin", stdin=modules)
    entries = f"100644 blob {blob}\t.gitmodules\n160000 commit {inside}\tfar\n160000 commit {inside}\tnear\n"
    commit = git(base, "commit-tree", git(base, "mktree", "--missing", stdin=entries), "-m", "modules")
    git(base, "update-ref", "refs/heads/main", commit)
    event = dataclasses.replace(event, sha=commit)
    done = place.run(provider, describe_event(event, provider), edit=at_end("git submodule"))
    assert (done.returncode, done.stderr, place.head()) == (0, "", commit)
    for name in ("near", "far"):
        assert (place.folder / "workspace" / "source" / name / "what").read_text() == "a part"


@needs_git
def test_build_that_a_webhook_starts(place):
    """With the page's variables the commit that a Webhook hands over is cloned; an event goes before them."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    provider = Provider.GITHUB
    event, commit = host_event(place, provider, read_event(provider, "push"))
    manifest = read_example(provider).to_raw()
    find_clone(manifest["spec"]["build"]["jobTemplate"]["spec"])["env"].extend(yaml.safe_load(block))
    trigger = read(BuildTrigger, manifest)
    for parameters in ({"COMMIT": commit}, describe_event(event, provider) | {"COMMIT": "f" * 40}):
        done = place.run_job(render(make_wanted(parameters=parameters), trigger))
        assert (done.returncode, done.stderr, place.head()) == (0, "", commit)
        shutil.rmtree(place.folder / "workspace")
