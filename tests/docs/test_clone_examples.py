"""examples/buildtriggers: each Job's script clones exactly what its event names, and runs nothing of what it says.

The script is taken out of the example and run by sh, with the variables that a true payload gives it, against bare
repositories on loopback that have the refs of that provider.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from click.testing import CliRunner

from hookwright.builds.environment import describe_event, describe_request
from hookwright.commands import hookwright
from hookwright.scm import EventType, Provider
from support.clones import (
    EXAMPLES,
    FILES,
    PULL_REQUEST_REFS,
    Place,
    clone,
    find_clone,
    host_event,
    read_event,
    read_example,
)
from support.deliveries import DELIVERIES
from support.githost import ADA, GitHost, git, make_commit, serve

PAGE = (EXAMPLES.parents[1] / "operator" / "docs" / "environment.md").read_text(encoding="utf-8")
# Each is a branch that git takes, and each would leave a file if a shell or git took it for more than a name.
NAMES = [
    "$(touch${IFS}PWNED)",
    "`touch${IFS}PWNED`",
    ";touch${IFS}PWNED;",
    "a'||touch${IFS}PWNED||'",
    'a"&&touch${IFS}PWNED&&"',
    "--upload-pack=touch${IFS}PWNED",
    "-x",
    "+x",
    "$(HOOKWRIGHT_BUILD_ID)$$",
    "ünï/🚀",
    "x" * 240,
]
each_provider = pytest.mark.parametrize("provider", Provider)
needs_git = pytest.mark.usefixtures("git_is_there")


@pytest.fixture(scope="module")
def host(tmp_path_factory) -> Iterator[GitHost]:
    with serve(tmp_path_factory.mktemp("host")) as running:
        yield running


@pytest.fixture
def place(tmp_path, host) -> Iterator[Place]:
    place = Place(folder=tmp_path, host=host)
    yield place
    place.assert_nothing_ran()
    for repository in host.root.iterdir():
        shutil.rmtree(repository)


def list_cases():
    for provider in Provider:
        for what in ("push", "new_branch", "tag", "opened", "updated", "merged", "from_fork", "release", "job"):
            if (provider, what) in DELIVERIES:
                yield pytest.param(provider, what, id=f"{FILES[provider]}-{what}")


@needs_git
@pytest.mark.parametrize(("provider", "what"), list(list_cases()))
def test_clone_is_the_commit_of_the_event(place, provider, what):
    """Whatever happened, HEAD is the event's commit; a push that another overtook is built as it was."""
    event, commit = host_event(place, provider, read_event(provider, what))
    assert not clone(place, provider, event, commit).stderr


@needs_git
@each_provider
def test_commit_that_no_branch_holds(place, provider):
    """A push that was replaced by force is built as long as the Git host has its commit."""
    event, commit = host_event(place, provider, read_event(provider, "push"))
    base = place.repository(event.repository.clone_url)
    git(base, "update-ref", event.head_ref, make_commit(base, "forced"))
    clone(place, provider, event, commit)


@needs_git
@each_provider
@pytest.mark.parametrize("what", ["opened", "from_fork"])
def test_pull_request_that_moved_on(place, provider, what):
    """A pull request that has newer commits by now is built as it was; Bitbucket Cloud's short id is looked for."""
    event, commit = host_event(place, provider, read_event(provider, what))
    home = place.repository((event.head_repository or event.repository).clone_url)
    newer = make_commit(home, "newer", make_commit(home, "new", commit))
    git(home, "update-ref", event.head_ref, newer)
    if provider in PULL_REQUEST_REFS:
        base = place.repository(event.repository.clone_url)
        git(base, "fetch", "--quiet", str(home), f"{newer}:{PULL_REQUEST_REFS[provider].format(event.pull_request)}")
    clone(place, provider, event, commit)


@needs_git
def test_merged_branch_that_is_gone(place):
    """Of a merged pull request whose branch was deleted, a short id is found in the branch that has it now."""
    provider = Provider.BITBUCKET_CLOUD
    event, commit = host_event(place, provider, read_event(provider, "merged"))
    base = place.repository(event.repository.clone_url)
    git(base, "update-ref", "refs/heads/main", make_commit(base, "merge", commit))
    git(base, "update-ref", "-d", event.head_ref)
    clone(place, provider, event, commit)


def squash(place, event):
    """Have the pull request squashed, and its branch deleted; give what it has become, in full."""
    base = place.repository(event.repository.clone_url)
    main = git(base, "rev-parse", "refs/heads/main")
    merged = make_commit(base, "squashed", main)
    git(base, "update-ref", "refs/heads/main", make_commit(base, "newer", merged))
    git(base, "update-ref", "-d", event.head_ref)
    return merged


@needs_git
def test_squashed_branch_that_is_gone(place):
    """Of a pull request that was squashed and whose branch is gone, what it has become is cloned, and that is said."""
    provider = Provider.BITBUCKET_CLOUD
    event, _ = host_event(place, provider, read_event(provider, "merged"))
    merged = squash(place, event)
    event = dataclasses.replace(event, merge_commit=merged[:12])
    done = place.run(provider, describe_event(event, provider))
    assert (done.returncode, place.head()) == (0, merged)
    assert f"{event.sha} is gone: this is {merged[:12]}, which it has become" in done.stderr


@needs_git
@pytest.mark.parametrize("bad", [None, "f" * 12, "main", "--orphan", "$(touch PWNED)", "FETCH_HEAD"])
def test_squashed_branch_that_is_gone_without_a_trace(place, bad):
    """Where what it has become is not said, or no commit that is there, the build fails."""
    provider = Provider.BITBUCKET_CLOUD
    event, _ = host_event(place, provider, read_event(provider, "merged"))
    squash(place, event)
    event = dataclasses.replace(event, merge_commit=None)
    told = {} if bad is None else {"HOOKWRIGHT_WEBHOOK_MERGE_COMMIT": bad}
    done = place.run(provider, describe_event(event, provider) | told)
    assert done.returncode == 1
    assert f"has no {event.sha}" in done.stderr
    assert not (place.folder / "workspace" / "source" / "what").exists()


@needs_git
@pytest.mark.parametrize("provider", [one for one in Provider if one is not Provider.BITBUCKET_CLOUD])
def test_commit_in_full_is_never_replaced(place, provider):
    """Where the commit is named in full, and can be had at the Git host, what it has become is not built for it."""
    event, _ = host_event(place, provider, read_event(provider, "merged"))
    merged = squash(place, event)
    event = dataclasses.replace(event, sha="f" * 40, pull_request=None, merge_commit=merged)
    done = place.run(provider, describe_event(event, provider))
    assert done.returncode == 1
    assert not (place.folder / "workspace" / "source" / "what").exists()


@needs_git
def test_name_that_looks_like_a_short_id(place):
    """A branch or tag that is called as the short id of another commit is not taken for it."""
    provider = Provider.BITBUCKET_CLOUD
    event, commit = host_event(place, provider, read_event(provider, "opened"))
    base = place.repository(event.repository.clone_url)
    other = make_commit(base, "something else", commit)
    for ref in (f"refs/heads/{event.sha}", f"refs/tags/{event.sha}", event.head_ref):
        git(base, "update-ref", ref, other)
    clone(place, provider, event, commit)


@needs_git
@pytest.mark.parametrize("provider", [Provider.GITLAB, Provider.BITBUCKET_CLOUD])  # by a number, and by the branch
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_names(place, provider, name):
    """Branches, tags and pull requests whose names are commands or options are cloned as any other; nothing runs."""
    what, ref = {0: ("new_branch", "heads"), 1: ("tag", "tags"), 2: ("opened", "heads")}[NAMES.index(name) % 3]
    event, commit = host_event(place, provider, read_event(provider, what, head_ref=f"refs/{ref}/{name}"))
    clone(place, provider, event, commit)
    # And where the ref must be asked for by its name.
    shutil.rmtree(place.folder / "workspace")
    unknown = dataclasses.replace(event, sha=None, pull_request=None, event=EventType.RELEASED)
    clone(place, provider, unknown, commit)


HOSTILE = [
    "$(touch PWNED)",
    "`touch PWNED`",
    ";touch PWNED;",
    "--upload-pack=touch PWNED",
    "a\ntouch PWNED\n",
    "*",
    "-",
]
HOSTILE_URLS = ["ext::sh -c touch% PWNED", "file:///", ".", "fd::17", "https://$(touch PWNED)/x", "http://[", "x:y"]


@needs_git
@pytest.mark.parametrize(
    ("variable", "bad"),
    [
        *((variable, bad) for variable in ("VERSION", "REF") for bad in HOSTILE),
        *((variable, bad) for variable in ("REPO_URL", "HEAD_REPO_URL") for bad in HOSTILE + HOSTILE_URLS),
    ],
)
def test_no_value_is_run(place, variable, bad):
    """Whatever stands in a variable, past all checks, is at worst a repository or a ref that is not there."""
    provider = Provider.GITHUB
    event, commit = host_event(place, provider, read_event(provider, "push"))
    variables = describe_event(event, provider) | {f"HOOKWRIGHT_SOURCE_{variable}": bad}
    done = place.run(provider, variables)
    if variable == "REF":
        assert (done.returncode, place.head()) == (0, commit)
    else:
        assert done.returncode != 0
        assert not (place.folder / "workspace" / "source" / "what").exists()


@needs_git
def test_nothing_is_built_in_place_of_what_is_gone(place):
    """A tag, or a commit, that is not there fails the build with a message; no branch is built instead."""
    provider = Provider.GITHUB
    release, _ = host_event(place, provider, read_event(provider, "release"))
    base = place.repository(release.repository.clone_url)
    git(base, "update-ref", "-d", release.head_ref)
    for event in (release, dataclasses.replace(release, sha="f" * 40)):
        done = place.run(provider, describe_event(event, provider))
        assert done.returncode == 1
        assert "has no" in done.stderr
        assert not (place.folder / "workspace" / "source" / "what").exists()
        shutil.rmtree(place.folder / "workspace")


@needs_git
def test_build_without_an_event(place):
    """A build that no event of a Git host started says so, and which variable is missing."""
    done = place.run(Provider.GITHUB, {})
    assert done.returncode != 0
    assert "HOOKWRIGHT_SOURCE_REPO_URL: is missing" in done.stderr


@needs_git
@each_provider
def test_address_for_starts_by_hand(place, provider):
    """The examples for Git hosts of one's own say where the repository is; all clone the branch that they name."""
    spec = read_example(provider).spec
    own = {each["name"]: each.get("value") for each in find_clone(spec.build.job_template.spec)["env"]}
    told = describe_request(spec.source.branch, spec.source)
    base = place.repository(told.get("HOOKWRIGHT_SOURCE_REPO_URL") or own["HOOKWRIGHT_SOURCE_REPO_URL"])
    commit = make_commit(base, "what is wanted", make_commit(base, "first"))
    git(base, "update-ref", "refs/heads/main", commit)
    done = place.run(provider, told)
    assert (done.returncode, done.stderr, place.head()) == (0, "", commit)


@needs_git
def test_old_protocol(place):
    """A server that hands out only what refs hold is asked for the ref's history."""
    provider = Provider.BITBUCKET_DATA_CENTER
    event, commit = host_event(place, provider, read_event(provider, "push"))
    clone(place, provider, event, commit, config="[protocol]\n\tversion = 0\n")


@needs_git
@pytest.mark.parametrize(("provider", "what"), [(Provider.GITLAB, "opened"), (Provider.GITEA, "release")])
def test_repository_of_sha256(place, provider, what):
    """Repositories of the new object format are cloned as well, also where the event names no commit."""
    event, commit = host_event(place, provider, read_event(provider, what), format="sha256")
    assert len(commit) == 64
    assert (event.sha is None) == (what == "release")
    clone(place, provider, event, commit)


@needs_git
@pytest.mark.parametrize("asked", ["branch", "commit"])
def test_start_by_hand_of_a_repository_of_sha256(place, asked):
    """What is started by hand is cloned whatever the repository's object format is, by a branch and by a commit."""
    spec = read_example(Provider.GITHUB).spec
    base = place.repository(describe_request("main", spec.source)["HOOKWRIGHT_SOURCE_REPO_URL"], format="sha256")
    commit = make_commit(base, "what is wanted", make_commit(base, "first"))
    git(base, "update-ref", "refs/heads/main", commit)
    done = place.run(Provider.GITHUB, describe_request(commit if asked == "commit" else "main", spec.source))
    assert (done.returncode, done.stderr, place.head()) == (0, "", commit)


@needs_git
def test_short_id_in_a_repository_of_sha256(place):
    """Where an id is cut short, the ref tells of which object format the repository is."""
    provider = Provider.BITBUCKET_CLOUD
    event, commit = host_event(place, provider, read_event(provider, "opened"), format="sha256")
    assert len(event.sha) == 12
    clone(place, provider, event, commit)


# ── private repositories ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for localhost, and its key."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return path


def at(url, event):
    """Move an event's repository to another address."""
    return dataclasses.replace(event, repository=dataclasses.replace(event.repository, clone_url=url))


@needs_git
def test_private_repository(tmp_path, certificate):
    """With the Secret a private repository is cloned, and the Secret leaves no trace; without it nobody is asked."""
    root, provider = tmp_path / "root", Provider.GITHUB
    with serve(root, password="pa ss'$\"word", certificate=certificate) as host:
        place = Place(folder=tmp_path, host=host)
        event = at(f"{host.url}/octo/hello.git", read_event(provider, "push"))
        event, commit = host_event(place, provider, event)
        trust = {"GIT_SSL_CAINFO": str(certificate)}
        secret = {"GIT_USERNAME": ADA, "GIT_PASSWORD": host.password}
        done = place.run(provider, describe_event(event, provider), **trust)
        assert done.returncode == 1
        assert not host.seen
        shutil.rmtree(tmp_path / "workspace")
        clone(place, provider, event, commit, **trust, **secret)
        assert host.seen == {f"{ADA}:{host.password}"}
        written = b"".join(path.read_bytes() for path in (tmp_path / "workspace").rglob("*") if path.is_file())
        assert host.password.encode() not in written


@needs_git
@pytest.mark.parametrize("elsewhere", ["fork", "redirect", "http"])
def test_credentials_are_for_the_repository_alone(tmp_path, certificate, elsewhere):
    """Another host gets none, be it a fork's or that of a redirect; nor does one without TLS."""
    provider = Provider.BITBUCKET_CLOUD
    tls = None if elsewhere == "http" else certificate
    variables = {"GIT_SSL_CAINFO": str(certificate), "GIT_USERNAME": ADA, "GIT_PASSWORD": "secret"}
    (tmp_path / "root").mkdir()
    with (
        serve(tmp_path / "root", certificate=certificate) as host,
        serve(tmp_path / "root", password="secret", certificate=tls) as other,
    ):
        home, away = f"{host.url}/octo/hello.git", f"{other.url}/octo/hello.git"
        event = at(away if elsewhere == "http" else home, read_event(provider, "push"))
        if elsewhere == "fork":
            fork = dataclasses.replace(event.repository, clone_url=away)
            event = dataclasses.replace(event, fork=True, head_repository=fork)
        host.redirect = other.url
        done = Place(folder=tmp_path, host=host).run(provider, describe_event(event, provider), **variables)
        assert done.returncode == 1
        assert other.refused
        assert not host.seen | other.seen


# ── what the examples are ─────────────────────────────────────────────────────────────────────────────────────────────


def test_each_provider_has_an_example():
    """There is one example for each provider, and it is about that provider."""
    assert sorted(path.stem for path in EXAMPLES.iterdir()) == sorted(FILES.values())
    for provider in Provider:
        assert read_example(provider).spec.source.provider is provider


def test_script_is_the_same_everywhere():
    """One script does for all providers; Kubernetes finds nothing in it to replace."""
    scripts = {find_clone(read_example(p).spec.build.job_template.spec)["args"][0] for p in Provider}
    (script,) = scripts
    assert "$(" not in script
    assert "$$" not in script


@each_provider
def test_secret_is_the_one_on_the_page(provider):
    """The Secret that the example's first lines make is the one that its script reads, with the page's username."""
    text = (EXAMPLES / f"{FILES[provider]}.yaml").read_text(encoding="utf-8")
    (row,) = [
        row for row in PAGE.splitlines() if re.match(rf"\| ([^|]+, )?{provider}( |,)[^|]*\| `[^`]+` \| an? ", row)
    ]
    name, username = re.search(r"secret generic (\S+) .*\n.*=username=(\S+) ", text).groups()
    assert username == row.split("`")[1]
    env = find_clone(read_example(provider).spec.build.job_template.spec)["env"]
    references = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in env if "valueFrom" in each}
    assert references == {
        "GIT_USERNAME": {"name": name, "key": "username", "optional": True},
        "GIT_PASSWORD": {"name": name, "key": "password", "optional": True},
    }


@each_provider
def test_lint_finds_nothing(provider):
    """`hookwright lint` has nothing to say against it."""
    done = CliRunner().invoke(hookwright, ["lint", "-o", "json", "-f", str(EXAMPLES / f"{FILES[provider]}.yaml")])
    assert (done.exit_code, json.loads(done.stdout)["findings"]) == (0, [])


@each_provider
def test_job_is_allowed_in_restricted_namespaces(provider):
    """The Job keeps the Pod Security Standard `restricted`, and gives what is built neither token nor password."""
    pod = read_example(provider).spec.build.job_template.spec["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["initContainers"] + pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
    assert all(set(volume) <= {"name", "emptyDir"} for volume in pod["volumes"])
    assert "env" not in pod["containers"][0]
