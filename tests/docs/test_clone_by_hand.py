"""examples/buildtriggers: the same scripts clone what somebody asks for by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from test_clone_examples import each_provider, host, needs_git

from hookwright.builds.environment import describe_request
from hookwright.scm import Provider
from support.clones import Place, read_example
from support.githost import GitHost, git, make_commit

__all__ = ["host"]  # a fixture

URLS = {
    Provider.GITHUB: "https://github.com/octo/hello.git",
    Provider.BITBUCKET_CLOUD: "https://bitbucket.org/octo/hello.git",
}
ELSEWHERE = "https://git.example/octo/hello.git"


@pytest.fixture
def by_hand(tmp_path, host: GitHost) -> Iterator[Place]:
    place = Place(folder=tmp_path, host=host)
    yield place
    place.assert_nothing_ran()


@needs_git
@each_provider
@pytest.mark.parametrize("ref", ["topic", "refs/heads/topic", "refs/tags/v1", "commit", "COMMIT"])
def test_build_by_hand_clones_what_was_asked_for(by_hand, provider, ref):
    """A branch, a tag or a commit is cloned; where the address is not known, the container's own variable says it."""
    source = read_example(provider).spec.source.model_copy(update={"repository": "octo/hello"})
    base = by_hand.repository(URLS.get(provider, ELSEWHERE))
    commit = make_commit(base, "what is wanted", make_commit(base, "first"))
    for name in ("refs/heads/topic", "refs/tags/v1"):
        git(base, "update-ref", name, commit)
    asked = {"commit": commit, "COMMIT": commit.upper()}.get(ref, ref)
    variables = describe_request(asked, source)
    assert variables.get("HOOKWRIGHT_SOURCE_REPO_URL") == URLS.get(provider)
    done = by_hand.run(provider, {"HOOKWRIGHT_SOURCE_REPO_URL": ELSEWHERE} | variables)
    assert done.returncode == 0, done.stderr
    assert by_hand.head() == commit
    assert by_hand.read() == "what is wanted"
