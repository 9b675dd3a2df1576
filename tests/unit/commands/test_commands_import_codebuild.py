"""`hookwright import codebuild`: projects become BuildTriggers, and nothing that is lost is lost in silence."""

from __future__ import annotations

import copy
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from command_line import run, write
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.builds.trigger_filters import find_filter_source, list_filter_groups
from hookwright.commands.codebuild import convert, read_listing
from hookwright.commands.codebuild.buildspecs import LONGEST, convert_buildspec
from hookwright.commands.codebuild.cloning import SCRIPT, escape_dollars, make_clone, make_volume
from hookwright.commands.import_ import MOST_BYTES
from hookwright.devcluster import DevCluster
from hookwright.errors import UsageError
from hookwright.filters.groups import Start, compile_filters, decide
from hookwright.kinds import KINDS, BuildTrigger, crd, read
from hookwright.scm import EventType, Ref, Repository, ScmEvent

SECRET = "a-secret-that-nobody-may-see"
PUSH = {"type": "EVENT", "pattern": "PUSH"}
MAIN = {"type": "HEAD_REF", "pattern": "^refs/heads/main$"}
BUILDSPEC = "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n      - make test\n"


def merge(base, changes):
    """Give a JSON object with changes at any depth; None takes a member away."""
    merged = dict(base)
    for name, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = merge(merged[name], value) if both else value
    return {name: value for name, value in merged.items() if value is not None}


def project(**changes):
    """Give a project as batch-get-projects shows it, of which everything can be carried over."""
    return merge(
        {
            "name": "hello",
            "arn": "arn:aws:codebuild:eu-central-1:111122223333:project/hello",
            "source": {
                "type": "GITHUB",
                "location": "https://github.com/octo/hello.git",
                "gitCloneDepth": 1,
                "gitSubmodulesConfig": {"fetchSubmodules": False},
                "buildspec": BUILDSPEC,
                "reportBuildStatus": False,
                "insecureSsl": False,
            },
            "artifacts": {"type": "NO_ARTIFACTS"},
            "cache": {"type": "NO_CACHE"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "golang:1.25",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [],
                "privilegedMode": False,
                "imagePullCredentialsType": "SERVICE_ROLE",
            },
            "serviceRole": "arn:aws:iam::111122223333:role/service-role/hello",
            "timeoutInMinutes": 60,
            "queuedTimeoutInMinutes": 480,
            "encryptionKey": "arn:aws:kms:eu-central-1:111122223333:alias/aws/s3",
            "tags": [],
            "created": "2026-05-01T12:00:00.123000+00:00",
            "lastModified": 1777636800.123,
            "webhook": {
                "url": "https://api.github.com/repos/octo/hello/hooks/1",
                "payloadUrl": f"https://codebuild.eu-central-1.amazonaws.com/webhooks?t={SECRET}",
                "secret": SECRET,
                "filterGroups": [[{**PUSH, "excludeMatchedPattern": False}, MAIN]],
                "buildType": "BUILD",
                "lastModifiedSecret": "2026-05-01T12:00:00.123000+00:00",
            },
            "badge": {"badgeEnabled": False},
            "logsConfig": {"cloudWatchLogs": {"status": "ENABLED"}, "s3Logs": {"status": "DISABLED"}},
            "projectVisibility": "PRIVATE",
        },
        changes,
    )


def listed(*projects, not_found=()):
    """Give what batch-get-projects prints."""
    return {"projects": list(projects), "projectsNotFound": list(not_found)}


@dataclass(kw_only=True)
class Result:
    """What an import left: its exit code, its BuildTriggers, and its lines on standard error."""

    code: int
    triggers: list
    lost: list
    notes: list
    out: str
    err: str

    @property
    def trigger(self):
        (one,) = self.triggers
        return one

    @property
    def pod(self):
        return self.trigger["spec"]["build"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.fixture
def imports(capsys, tmp_path):
    """Run `hookwright import codebuild` on a document."""

    def do(document, *options):
        ran = run(capsys, "import", "codebuild", write(tmp_path / "projects.json", document), *options)
        lines = ran.err.splitlines()
        return Result(
            code=ran.code,
            triggers=[one for one in yaml.safe_load_all(ran.out) if one],
            lost=[line for line in lines if ": not carried over: " in line],
            notes=[line for line in lines if ": note: " in line],
            out=ran.out,
            err=ran.err,
        )

    return do


# ── what is carried over ──────────────────────────────────────────────────────────────────────────────────────────────


def test_whole_project_is_carried_over(imports):
    """A project that has a counterpart in everything becomes a BuildTrigger, exit code 0, and notes say what to do."""
    found = imports(listed(project()))
    assert (found.code, found.lost) == (0, [])
    read(BuildTrigger, found.trigger, strict=True)
    assert found.trigger == {
        "apiVersion": "hookwright.dev/v1alpha1",
        "kind": "BuildTrigger",
        "metadata": {"name": "hello"},
        "spec": {
            "projectName": "hello",
            "source": {"provider": "GitHub", "repository": "octo/hello"},
            "filterGroups": [[PUSH, MAIN]],
            "skipCI": False,
            "build": {
                "jobTemplate": {
                    "spec": {
                        "backoffLimit": 0,
                        "activeDeadlineSeconds": 3600,
                        "template": {
                            "spec": {
                                "restartPolicy": "Never",
                                "automountServiceAccountToken": False,
                                "volumes": [make_volume()],
                                "initContainers": [make_clone("hello-git")],
                                "containers": [
                                    {
                                        "name": "build",
                                        "image": "golang:1.25",
                                        "command": ["/bin/sh", "-ec"],
                                        "args": ["# build\nmake\nmake test"],
                                        "workingDir": "/workspace/source",
                                        "volumeMounts": [{"name": "workspace", "mountPath": "/workspace"}],
                                    }
                                ],
                            }
                        },
                    }
                }
            },
        },
    }
    said = " ".join(found.notes)
    for word in ("status.payloadUrl", "delete-webhook --project-name hello", "serviceRole", "2 CPUs"):
        assert word in said


FORMS = {
    "batch-get-projects": listed(project()),
    "without projectsNotFound": {"projects": [project()]},
    "a list": [project()],
    "one project": project(),
    "create-project's output": {"project": project()},
    "with null for what is absent": listed(project() | {"vpcConfig": None, "description": None}),
}


@pytest.mark.parametrize("document", FORMS.values(), ids=list(FORMS))
def test_all_forms_say_the_same(imports, document):
    """Whichever of the CLI's forms a project has, the same comes of it."""
    found, expected = imports(document), imports(FORMS["batch-get-projects"])
    assert (found.code, found.out) == (0, expected.out)


def test_several_files_are_one_import(capsys, tmp_path):
    """Files are read one after the other; names stay apart across them."""
    files = [write(tmp_path / f"{n}.json", listed(project(name=n))) for n in ("A_b", "a-b")]
    ran = run(capsys, "import", "codebuild", *files)
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(ran.out)]
    assert (ran.code, len(set(names)), names[1]) == (0, 2, "a-b")


def test_standard_input_is_a_file(monkeypatch, capsys):
    """`-` reads what the AWS CLI pipes; twice is a mistake."""
    piped = io.BytesIO(json.dumps(listed(project())).encode())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=piped))
    assert run(capsys, "import", "codebuild", "-").code == 0
    assert run(capsys, "import", "codebuild", "-", "-").code == 2


SOURCES = {
    "GitHub": ("GITHUB", "https://github.com/octo/hello", {"provider": "GitHub", "repository": "octo/hello"}),
    "a password": (
        "GITHUB",
        f"https://x:{SECRET}@github.com/octo/hello.git",
        {"provider": "GitHub", "repository": "octo/hello"},
    ),
    "SSH": ("GITHUB", "git@github.com:octo/hello.git", {"provider": "GitHub", "repository": "octo/hello"}),
    "GitHub Enterprise": (
        "GITHUB_ENTERPRISE",
        "https://git.acme.example:8443/octo/hello.git",
        {"provider": "GitHubEnterprise", "repository": "octo/hello"},
    ),
    "GitLab": ("GITLAB", "https://gitlab.com/a/b/c.git", {"provider": "GitLab", "repository": "a/b/c"}),
    "GitLab of one's own": (
        "GITLAB_SELF_MANAGED",
        "https://gitlab.acme.example/a/b.git/",
        {"provider": "GitLab", "repository": "a/b"},
    ),
    "Bitbucket": (
        "BITBUCKET",
        "https://octo@bitbucket.org/octo/hello.git",
        {"provider": "BitbucketCloud", "repository": "octo/hello"},
    ),
}


@pytest.mark.parametrize(("kind", "location", "source"), SOURCES.values(), ids=SOURCES)
def test_source_is_provider_and_repository(imports, kind, location, source):
    """Type and address of the source become provider and repository, and what is before the @ is nobody's business."""
    found = imports(project(source={"type": kind, "location": location}))
    assert (found.code, found.trigger["spec"]["source"]) == (0, source)
    assert SECRET not in found.out + found.err


@pytest.mark.parametrize(
    "location", ["https://github.com/octo", "https://github.com/a/b/c", "not an address", f"https://{SECRET}", None, ""]
)
def test_address_that_is_none_is_said_and_not_repeated(imports, location):
    """Without a repository there is no provider, so no filter groups; both are said."""
    found = imports(project(source={"location": location}))
    assert (found.code, "source" in found.trigger["spec"], "filterGroups" in found.trigger["spec"]) == (1, False, False)
    assert len(found.lost) == 2
    assert "with its 1 filter groups" in found.err
    assert SECRET not in found.out + found.err


SCOPES = {
    "an organization": ("GITHUB", {"name": "octo", "scope": "GITHUB_ORGANIZATION"}, {"organization": "octo"}),
    "by default": ("GITHUB", {"name": "octo"}, {"organization": "octo"}),
    "on a host": ("GITHUB_ENTERPRISE", {"name": "octo", "domain": "git.acme.example"}, {"organization": "octo"}),
    "a group": ("GITLAB", {"name": "octo/team", "scope": "GITLAB_GROUP"}, {"group": "octo/team"}),
}


@pytest.mark.parametrize(("kind", "scope", "source"), SCOPES.values(), ids=SCOPES)
def test_scope_is_organization_or_group(imports, kind, scope, source):
    """A webhook of an organisation or a group is one here too, with its REPOSITORY_NAME."""
    groups = [[PUSH, {"type": "REPOSITORY_NAME", "pattern": "^hello$"}]]
    where = {"type": kind, "location": "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"}
    found = imports(project(source=where, webhook={"scopeConfiguration": scope, "filterGroups": groups}))
    assert (found.code, found.lost) == (0, [])
    assert found.trigger["spec"]["source"].items() >= source.items()
    assert found.trigger["spec"]["filterGroups"] == groups


def test_global_webhook_has_no_counterpart(imports):
    """A webhook of all of GitHub is left out, with its filter groups, and that is said."""
    where = {"location": "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"}
    found = imports(project(source=where, webhook={"scopeConfiguration": {"name": "x", "scope": "GITHUB_GLOBAL"}}))
    assert (found.code, len(found.lost), "source" in found.trigger["spec"]) == (1, 2, False)
    assert imports(project(source=where)).code == 1


VERSIONS = {"main": "main", "refs/heads/feature/x": "feature/x", "release-1.2": "release-1.2"}
NO_BRANCHES = ["refs/tags/v1", "pr/25", "0123abc", "a" * 40, "refs/heads/main^{" + "a" * 40 + "}", "a b"]


def test_source_version_is_the_branch(imports):
    """A branch is carried over; a commit, a tag or a pull request is none, which is said."""
    for version, branch in VERSIONS.items():
        found = imports(project(sourceVersion=version))
        assert (found.code, found.trigger["spec"]["source"]["branch"]) == (0, branch)
    for version in NO_BRANCHES:
        found = imports(project(sourceVersion=version))
        assert (found.code, len(found.lost), "branch" in found.trigger["spec"]["source"]) == (1, 1, False)


def test_project_without_a_webhook_starts_by_nothing(imports):
    """Where nothing pushed starts builds at AWS, nothing does here: no provider, which is a note."""
    found = imports(project(webhook=None, sourceVersion="main"))
    assert (found.code, found.trigger["spec"]["source"]) == (0, {"repository": "octo/hello", "branch": "main"})
    assert any("it has no webhook" in note for note in found.notes)
    assert {"filterGroups", "skipCI"} & set(found.trigger["spec"]) == set()


@pytest.mark.parametrize("kind", ["CODECOMMIT", "S3", "CODEPIPELINE", "NO_SOURCE"])
def test_source_that_sends_nothing_waits_for_webhooks(imports, kind):
    """Sources that are no Git host's make a BuildTrigger that Webhooks can start; what is lost is said."""
    found = imports(project(webhook=None, source={"type": kind, "location": "bucket/key"}))
    assert "source" not in found.trigger["spec"]
    assert (found.code, len(found.lost)) == ((0, 0) if kind in {"CODEPIPELINE", "NO_SOURCE"} else (1, 1))
    read(BuildTrigger, found.trigger, strict=True)


def test_branch_filter_is_carried_over(imports):
    """A branchFilter stays one, and filterGroups are recommended; beside groups an empty one is none."""
    found = imports(project(webhook={"branchFilter": "^main$", "filterGroups": None}))
    assert (found.code, found.trigger["spec"]["branchFilter"]) == (0, "^main$")
    assert "filterGroups" not in found.trigger["spec"]
    assert any("AWS recommends filterGroups" in note for note in found.notes)
    assert "branchFilter" not in imports(project(webhook={"branchFilter": ""})).trigger["spec"]
    alone = imports(project(webhook={"branchFilter": "", "filterGroups": None}))
    assert alone.trigger["spec"]["branchFilter"] == ""
    assert any("HEAD_REF ^refs/heads/" in note for note in alone.notes)


def test_description_retries_and_time_are_carried_over(imports):
    """The description is Kubernetes' own annotation, retries the Job's backoffLimit, the timeout its deadline."""
    found = imports(project(description="Says hello", autoRetryLimit=2, timeoutInMinutes=5))
    assert found.trigger["metadata"]["annotations"] == {"kubernetes.io/description": "Says hello"}
    job = found.trigger["spec"]["build"]["jobTemplate"]["spec"]
    assert (found.code, job["backoffLimit"], job["activeDeadlineSeconds"]) == (0, 2, 300)


def test_tags_are_carried_over_but_for_awss_own(imports):
    """Tags stay, empty values too; those with aws: are left out and said."""
    tags = [{"key": "team", "value": "shop"}, {"key": "empty", "value": ""}, {"key": "aws:x", "value": "y"}]
    found = imports(project(tags=tags))
    assert (found.code, found.trigger["spec"]["tags"], len(found.lost)) == (1, tags[:2], 1)


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_are_converted_and_said(imports):
    """spec.projectName keeps AWS's name, metadata.name is a valid one, and that is said."""
    found = imports(project(name="My_Project"))
    assert (found.trigger["metadata"]["name"], found.trigger["spec"]["projectName"]) == ("my-project", "My_Project")
    assert any("metadata.name is my-project" in note for note in found.notes)


def test_names_that_would_be_one_stay_apart(imports):
    """Projects of different names never share an object, nor a Secret."""
    secret = [{"name": "KEY", "value": "/k", "type": "PARAMETER_STORE"}]
    found = imports(
        listed(*(project(name=n, environment={"environmentVariables": secret}) for n in ("a_b", "a-b", "A-B")))
    )
    assert len({one["metadata"]["name"] for one in found.triggers}) == 3
    assert len({line.partition("into Secret ")[2] for line in found.lost}) == 3


def test_project_that_is_there_twice_counts_once(imports):
    """Of projects of one name the first is kept; that another one differs is a loss, that it is the same is a note."""
    found = imports(listed(project(), project(timeoutInMinutes=5)))
    assert (found.code, len(found.triggers), len(found.lost)) == (1, 1, 1)
    found = imports(listed(project(), project()))
    assert (found.code, len(found.triggers), found.lost) == (0, 1, [])


def test_namespace_is_that_of_all_objects(imports):
    """--namespace stands on every object; one that is none is refused."""
    assert imports(project(), "-n", "team-a").trigger["metadata"] == {"name": "hello", "namespace": "team-a"}
    assert imports(project(), "-n", "Team").code == 2


# ── the environment ───────────────────────────────────────────────────────────────────────────────────────────────────


def variables(*given):
    return project(environment={"environmentVariables": list(given)})


def test_plain_variables_become_parameters(imports):
    """A plain variable is a parameter with its value as it stands, of whatever it consists."""
    given = [{"name": "STAGE", "value": "a $HOME $(X) $$ \n é", "type": "PLAINTEXT"}, {"name": "B", "value": ""}]
    found = imports(variables(*given))
    assert (found.code, "env" in found.pod["containers"][0]) == (0, False)
    assert found.trigger["spec"]["parameters"] == [{"name": one["name"], "value": one["value"]} for one in given]


def test_variables_that_are_no_parameters_stay_variables(imports):
    """Beyond the limits of parameters a variable stands in the container, guarded against Kubernetes' own $(NAME)."""
    many = [{"name": f"V{n}", "value": str(n)} for n in range(50)]
    found = imports(
        variables(*many, {"name": "LAST", "value": "$(V1) $$ $V1"}, {"name": "my/var", "value": "x" * 5000})
    )
    assert (found.code, len(found.trigger["spec"]["parameters"])) == (0, 50)
    assert found.pod["containers"][0]["env"] == [
        {"name": "LAST", "value": "$$(V1) $$$$ $V1"},
        {"name": "my/var", "value": "x" * 5000},
    ]


def test_secrets_come_from_a_secret_that_is_to_be_made(imports):
    """What AWS keeps in a store, and what is named like a secret, is a key of one Secret; no value is repeated."""
    found = imports(
        variables(
            {"name": "A", "value": "/shop/a", "type": "PARAMETER_STORE"},
            {"name": "B", "value": "prod/db:password", "type": "SECRETS_MANAGER"},
            {"name": "API_TOKEN", "value": SECRET, "type": "PLAINTEXT"},
        )
    )
    env = found.pod["containers"][0]["env"]
    references = [one["valueFrom"]["secretKeyRef"] for one in env]
    assert references == [{"name": "hello-environment", "key": key} for key in ("A", "B", "API_TOKEN")]
    assert (found.code, len(found.lost)) == (1, 3)
    assert "Parameter Store (/shop/a)" in found.lost[0]
    assert "Secrets Manager (prod/db:password)" in found.lost[1]
    assert SECRET not in found.out + found.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, SECRET)
            for name in ("API_KEY", "DB_PASS", "my-private-key", "NPM_AUTH", "APIKEY", "PGPASSWORD", "pwd")
        ),
        ("DATABASE_URL", f"postgres://shop:{SECRET}@db/shop"),
        ("PEM", f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}"),
        ("A", f"ghp_{'a' * 36}{SECRET}"),
    ],
)
def test_what_looks_like_a_secret_is_not_repeated(imports, name, value):
    """A plain variable that is most likely a secret, by its name or by its form, is a key of the Secret."""
    found = imports(variables({"name": name, "value": value, "type": "PLAINTEXT"}))
    assert (found.code, len(found.lost)) == (1, 1)
    assert "looks like a secret" in found.lost[0]
    assert SECRET not in found.out + found.err


@pytest.mark.parametrize("name", ["KEYSTORE", "AUTHOR", "MONKEY", "KEY_ID", "PASSTHROUGH", "AUTH_URL", "_"])
def test_what_only_sounds_like_a_secret_is_carried_over(imports, name):
    """A plain variable with a harmless name and value is a parameter."""
    given = {"name": name, "value": "https://example.com:8443/a@b"}
    assert imports(variables(given)).trigger["spec"]["parameters"] == [given]


def test_keys_of_the_secret_stay_apart(imports):
    """Variables whose names become one key have two; what is of a type that nobody knows is not repeated."""
    odd = [{"name": name, "value": SECRET, "type": "VAULT"} for name in ("a/b", "a:b", "A_B")]
    found = imports(variables(*odd))
    keys = [one["valueFrom"]["secretKeyRef"]["key"] for one in found.pod["containers"][0]["env"]]
    assert (found.code, keys) == (1, ["a-b", "a-b-", "A_B"])
    assert len([line for line in found.lost if "of the type VAULT" in line]) == 3
    assert SECRET not in found.out + found.err


@pytest.mark.parametrize("name", ["HOOKWRIGHT_X", "a=b", "é", "a b", ""])
def test_variables_of_other_names_are_left_out_and_said(imports, name):
    """A name that Kubernetes does not take, or that is Hookwright's own, is no variable."""
    found = imports(variables({"name": name, "value": SECRET}))
    assert (found.code, len(found.lost)) == (1, 1)
    assert SECRET not in found.out + found.err


def test_place_to_run_is_carried_over(imports):
    """ARM, privileged mode and a registry's credential have counterparts; what needs a hand is said."""
    found = imports(project(environment={"type": "ARM_CONTAINER", "privilegedMode": True}))
    assert found.pod["nodeSelector"] == {"kubernetes.io/arch": "arm64"}
    assert (found.code, found.pod["containers"][0]["securityContext"]) == (0, {"privileged": True})
    credential = {"credential": "arn:aws:secretsmanager:x", "credentialProvider": "SECRETS_MANAGER"}
    found = imports(project(environment={"registryCredential": credential}))
    assert (found.code, found.pod["imagePullSecrets"]) == (1, [{"name": "hello-registry"}])


def test_source_is_cloned_as_in_the_examples():
    """What an event names is cloned just so as in the example of each Git host, which clone in tests of their own."""
    files = sorted((Path(__file__).parents[3] / "examples" / "buildtriggers").glob("*.yaml"))
    assert files
    for file in files:
        example = yaml.safe_load(file.read_text(encoding="utf-8"))
        pod = example["spec"]["build"]["jobTemplate"]["spec"]["template"]["spec"]
        assert pod["volumes"] == [make_volume()]
        (clone,) = pod["initContainers"]
        urls = {one["name"]: one.get("value") for one in clone["env"]}
        assert clone == make_clone(f"git-{file.stem}", urls.get("HOOKWRIGHT_SOURCE_REPO_URL"))
    assert escape_dollars(SCRIPT) == SCRIPT


CLONED = {
    "GITHUB": ("https://github.com/octo/hello", None),
    "GITHUB_ENTERPRISE": (f"https://x:{SECRET}@git.acme.example:1/a/b.git", "https://git.acme.example:1/a/b.git"),
    "GITLAB": ("HTTPS://gitlab.com/a/b/c.git", "https://gitlab.com/a/b/c.git"),
    "GITLAB_SELF_MANAGED": ("git@gitlab.acme.example:a/b.git", None),
}


@pytest.mark.parametrize("kind", CLONED)
def test_address_of_the_clone_is_known_where_no_provider_tells(imports, kind):
    """A Git host of which there are several has its address in the clone, for starts by hand, without a password."""
    location, url = CLONED[kind]
    found = imports(project(source={"type": kind, "location": location}))
    urls = {one["name"]: one.get("value") for one in found.pod["initContainers"][0]["env"]}
    assert (found.code, urls.get("HOOKWRIGHT_SOURCE_REPO_URL")) == (0, url)
    assert SECRET not in found.out + found.err


def test_credentials_of_the_clone_are_said(imports):
    """How AWS gets into a private repository is a note, with the Secret for it; without an event nothing is cloned."""
    auth = {"auth": {"type": "CODECONNECTIONS", "resource": "arn:aws:codeconnections:x"}}
    assert any("CODECONNECTIONS" in note and "Secret hello-git" in note for note in imports(project(source=auth)).notes)
    found = imports(project(webhook=None, source=auth))
    assert "initContainers" not in found.pod
    assert any("is not cloned" in note for note in found.notes)


# ── buildspecs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_inline_buildspec_is_the_script(imports):
    """Phases follow each other in one shell that stops at the first failure; variables are carried over too."""
    text = yaml.safe_dump(
        {
            "version": 0.2,
            "env": {
                "shell": "bash",
                "variables": {"STAGE": "test", "N": 1, "V": "1.10", "ON": "yes"},
                "parameter-store": {"KEY": "/k"},
            },
            "phases": {
                "install": {"commands": "cd src"},
                "pre_build": {"commands": ["if true; then\n  npm ci\nfi\n"]},
                "build": {"commands": ["echo $(date) $$ $HOME ${X}", 1]},
            },
        }
    )
    given = [{"name": "STAGE", "value": "live"}]
    found = imports(project(source={"buildspec": text}, environment={"environmentVariables": given}))
    container = found.pod["containers"][0]
    assert container["command"] == ["/bin/bash", "-ec"]
    assert container["args"] == [
        "# install\ncd src\n# pre_build\nif true; then\n  npm ci\nfi\n# build\necho $$(date) $$$$ $HOME ${X}\n1"
    ]
    parameters = {one["name"]: one["value"] for one in found.trigger["spec"]["parameters"]}
    assert parameters == {"STAGE": "live", "N": "1", "V": "1.10", "ON": "yes"}
    assert [one["name"] for one in container["env"]] == ["KEY"]
    assert (found.code, len(found.lost)) == (1, 1)
    # Whoever reads the YAML reads the script.
    assert "- |-\n" in found.out


LEFT_OUT = {
    "artifacts": ({"artifacts": {"files": ["**"]}}, "buildspec artifacts"),
    "cache": ({"cache": {"paths": ["x"]}}, "buildspec cache"),
    "a variable": ({"env": {"variables": {"A": ["x"]}}}, "buildspec env.variables.A"),
    "a list for a shell": ({"env": {"shell": ["bash"]}}, "buildspec env.shell"),
    "a helper": ({"env": {"git-credential-helper": "yes"}}, "buildspec env.git-credential-helper"),
    "a shell": ({"env": {"shell": "powershell.exe"}}, "buildspec env.shell"),
    "versions": ({"phases": {"install": {"runtime-versions": {"go": 1.2}}}}, "phases.install.runtime-versions"),
    "finally": ({"phases": {"build": {"commands": ["a"], "finally": ["b"]}}}, "buildspec phases.build.finally"),
    "a phase": ({"phases": {"deploy": {"commands": ["a"]}}}, "buildspec phases.deploy"),
    "a mapping": ({"phases": {"build": {"commands": [{"echo": "x"}, "a"]}}}, "buildspec phases.build.commands"),
    "AWS's variables": ({"phases": {"build": {"commands": ["echo $CODEBUILD_BUILD_ID"]}}}, "CODEBUILD_BUILD_ID"),
    "post_build": ({"phases": {"build": {"commands": ["a"]}, "post_build": {"commands": ["b"]}}}, "phases.post_build"),
}


@pytest.mark.parametrize(("changes", "named"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_buildspec_has_beyond_commands_is_said(changes, named):
    """Each part of a buildspec that has no counterpart is named."""
    found = convert_buildspec(yaml.safe_dump({"version": 0.2, **changes}))
    assert all(one.lost for one in found.remarks)
    assert [named in one.text for one in found.remarks if "no command in it" not in one.text] == [True]


def test_buildspec_that_would_not_fit_into_memory_is_read():
    """Aliases within aliases, which no memory holds written out, are left out like any other list."""
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 40))
    text = (
        f"version: 0.2\nl0: &l0 [x]\n{layers}\nenv:\n  shell: *l39\n  variables:\n    A: *l39\nphases:\n  build: *l39\n"
    )
    found = convert_buildspec(text)
    assert found.script is None
    assert len(found.remarks) == 43


@pytest.mark.parametrize(
    "text",
    [
        None,
        "ci/buildspec.yml",
        "arn:aws:s3:::bucket/buildspec.yml",
        "version: [",
        "version: 0.2\n- a",
        "version: 0.2\nx: &a [*a]\n",
        "version: 2026-13-45\n",
        "version: 0.2\n" + "[" * 5000,
        "version: 0.2\n" + "#" * LONGEST,
        "version: 0.2\nphases: [a]\n",
        "version: 0.2\nphases:\n  build:\n    commands:\n      a: b\n",
    ],
)
def test_build_without_commands_fails_and_says_so(imports, text):
    """A buildspec that is not read leaves a container that fails, so that nobody takes it for a build."""
    found = imports(project(source={"buildspec": text}))
    assert found.pod["containers"][0]["args"][0].endswith("exit 1")
    assert any("each build fails" in note for note in found.notes)
    assert any(": not carried over: buildspec: " in line for line in found.lost)


# ── what is not carried over ──────────────────────────────────────────────────────────────────────────────────────────

LOST = {
    "submodules": ({"source": {"gitSubmodulesConfig": {"fetchSubmodules": True}}}, "source.gitSubmodulesConfig"),
    "TLS": ({"source": {"insecureSsl": True}}, "source.insecureSsl"),
    "status": ({"source": {"reportBuildStatus": True}}, "source.reportBuildStatus"),
    "its words": ({"source": {"buildStatusConfig": {"context": "ci"}}}, "source.buildStatusConfig"),
    "other sources": ({"secondarySources": [{"type": "GITHUB"}]}, "secondarySources"),
    "artifacts": ({"artifacts": {"type": "S3", "location": "b"}}, "artifacts"),
    "other artifacts": ({"secondaryArtifacts": [{"type": "S3"}]}, "secondaryArtifacts"),
    "a cache": ({"cache": {"type": "LOCAL"}}, "cache"),
    "a badge": ({"badge": {"badgeEnabled": True, "badgeRequestUrl": f"https://x?{SECRET}"}}, "badge"),
    "the public": ({"projectVisibility": "PUBLIC_READ"}, "projectVisibility"),
    "logs in S3": ({"logsConfig": {"s3Logs": {"status": "ENABLED"}}}, "logsConfig.s3Logs"),
    "a log group": ({"logsConfig": {"cloudWatchLogs": {"groupName": "x"}}}, "logsConfig.cloudWatchLogs"),
    "a limit": ({"concurrentBuildLimit": 3}, "concurrentBuildLimit"),
    "a queue": ({"queuedTimeoutInMinutes": 5}, "queuedTimeoutInMinutes"),
    "batches": ({"buildBatchConfig": {"serviceRole": "x"}}, "buildBatchConfig"),
    "a batch": ({"webhook": {"buildType": "BUILD_BATCH"}}, "webhook.buildType"),
    "approval": (
        {"webhook": {"pullRequestBuildPolicy": {"requiresCommentApproval": "ALL_PULL_REQUESTS"}}},
        "webhook.pullRequestBuildPolicy",
    ),
    "a certificate": ({"environment": {"certificate": "b/c.pem"}}, "environment.certificate"),
    "a fleet": ({"environment": {"fleet": {"fleetArn": "x"}}}, "environment.fleet"),
    "AWS's image": ({"environment": {"image": "aws/codebuild/standard:7.0"}}, "environment.image"),
    "no image": ({"environment": {"image": None}}, "environment.image"),
    "another machine": ({"environment": {"type": "MAC_ARM"}}, "environment.type"),
    "Windows": ({"environment": {"type": "WINDOWS_SERVER_2022_CONTAINER"}}, "environment.type"),
    "another size": ({"environment": {"computeType": "ATTRIBUTE_BASED_COMPUTE"}}, "environment.computeType"),
    "file systems": ({"fileSystemLocations": [{"type": "EFS"}]}, "fileSystemLocations"),
    "a network": ({"vpcConfig": {"vpcId": "vpc-1", "subnets": []}}, "vpcConfig"),
    "a key": ({"encryptionKey": "arn:aws:kms:x:y:key/z"}, "encryptionKey"),
    "a new member": ({"new": 1}, "new"),
    "a new member of the source": ({"source": {"new": 1}}, "source.new"),
    "a new member of the environment": ({"environment": {"new": 1}}, "environment.new"),
    "a new member of the webhook": ({"webhook": {"new": 1}}, "webhook.new"),
    "a new member of a filter": (
        {"webhook": {"filterGroups": [[{**PUSH, "new": 1}]]}},
        "webhook.filterGroups[0][0].new",
    ),
    "a long name": ({"name": "a" * 151}, "spec.projectName"),
    "a short name": ({"name": "a"}, "spec.projectName"),
    "an unknown type": (
        {"webhook": {"filterGroups": [[PUSH, {"type": "X", "pattern": "x"}]]}},
        "spec.filterGroups[0][1].type",
    ),
    "an unknown event": (
        {"webhook": {"filterGroups": [[{"type": "EVENT", "pattern": "PUSHED"}]]}},
        "InvalidInputException: spec.filterGroups[0][0].pattern",
    ),
    "no event": ({"webhook": {"filterGroups": [[MAIN]]}}, "InvalidInputException: spec.filterGroups[0]"),
    "what needs an API": (
        {
            "webhook": {
                "filterGroups": [
                    [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "FILE_PATH", "pattern": "^src/"}]
                ]
            }
        },
        "InvalidInputException: spec.filterGroups[0][1].type",
    ),
}


@pytest.mark.parametrize(("changes", "named"), LOST.values(), ids=LOST)
def test_what_has_no_counterpart_is_said(imports, changes, named):
    """What is lost is named once, on standard error and above the manifest, exit code 1; the rest is printed."""
    found = imports(project(**changes))
    assert (found.code, len(found.triggers)) == (1, 1)
    assert len([line for line in found.lost if f": {named}: " in line]) == 1
    assert len(found.lost) == 1
    assert f"# {found.lost[0].partition(': ')[2]}" in found.out.splitlines()
    assert SECRET not in found.out + found.err


def test_all_problems_of_filter_groups_are_said_with_their_rewrite(imports):
    """Each pattern that Hookwright refuses stays as it is, and is said with the one to write."""
    groups = [[PUSH, {"type": "HEAD_REF", "pattern": r"\bmain"}], [PUSH, {"type": "HEAD_REF", "pattern": "(a"}]]
    found = imports(project(webhook={"filterGroups": groups}))
    assert found.trigger["spec"]["filterGroups"] == groups
    assert (found.code, len(found.lost)) == (1, 2)
    assert r"write (?:(?<!\w)(?=\w)|(?<=\w)(?!\w))main" in found.lost[0]
    assert "spec.filterGroups[1][1].pattern" in found.lost[1]


def test_patterns_that_find_too_much_are_noted(imports):
    """AWS builds what such a pattern finds, and so does Hookwright: a note, not a loss."""
    found = imports(project(webhook={"filterGroups": [[PUSH, {"type": "HEAD_REF", "pattern": "main"}]]}))
    assert (found.code, found.lost) == (0, [])
    assert any("write ^refs/heads/main$ unless that is meant" in note for note in found.notes)


def test_events_that_never_pass_their_group_are_noted(imports):
    """AWS takes a list of events of which some have not what a filter looks at; whoever imports hears of those."""
    both = {"type": "EVENT", "pattern": "PUSH, RELEASED"}
    done = imports(listed(project(webhook={"filterGroups": [[both, MAIN]]})))
    assert (done.code, done.lost) == (0, [])
    assert [note for note in done.notes if "HEAD_REF: RELEASED never passes this group" in note]


def test_webhook_that_is_not_active_is_noted(imports):
    """What AWS says of its webhook is passed on, without a URL."""
    broken = {"status": "CREATE_FAILED", "statusMessage": f"could not reach https://x?t={SECRET} at all"}
    found = imports(project(webhook=broken))
    assert any("CREATE_FAILED there (could not reach (a URL) at all)" in note for note in found.notes)
    assert SECRET not in found.out + found.err


def test_pull_requests_of_forks_are_noted(imports):
    """They start builds at AWS and nothing here, wherever pull requests start builds."""
    notes = imports(project(webhook={"filterGroups": None})).notes
    assert any("pull requests from forks start nothing" in note for note in notes)
    assert not any("forks" in note for note in imports(project()).notes)


def test_runners_of_workflow_jobs_are_said(imports):
    """At AWS such a build is no build of the project: what comes of its group is another thing here."""
    jobs = [{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}]
    found = imports(project(webhook={"filterGroups": [[PUSH], jobs]}))
    assert (found.code, len(found.lost)) == (1, 1)
    assert "webhook.filterGroups[1]: WORKFLOW_JOB_QUEUED" in found.lost[0]
    assert any("anybody's code may be built" in note for note in found.notes)
    jobs[0]["excludeMatchedPattern"] = True
    assert imports(project(webhook={"filterGroups": [[PUSH], jobs]})).lost == []


def test_projects_that_aws_does_not_know_are_said(imports):
    """A name that was asked for and not found is a loss; a file without projects is a note beside it."""
    found = imports(listed(project(), not_found=["helo"]))
    assert (found.code, len(found.lost)) == (1, 1)
    assert "projectsNotFound: AWS has no project helo" in found.lost[0]
    assert imports(listed()).code == 0
    assert "there is no project in it" in imports(listed()).err


def test_json_holds_the_findings_too(capsys, imports, tmp_path):
    """-o json prints a List of the same objects, and beside its items what is to be said."""
    found = imports(project(new=1))
    ran = run(capsys, "import", "codebuild", tmp_path / "projects.json", "-o", "json")
    assert (ran.code, ran.json["kind"], ran.json["items"]) == (1, "List", found.triggers)
    lost = [one for one in ran.json["findings"] if one["lost"]]
    assert lost == [{"about": "hello", "lost": True, "message": "new: Hookwright does not know it, so it is left out"}]
    assert len(ran.json["findings"]) == len(found.lost) + len(found.notes)


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "no JSON": ("{", "no JSON"),
    "nothing": ("", "no JSON"),
    "deep": ("[" * 100_000, "no JSON"),
    "half a character": ('{"projects": [{"name": "\\ud800"}]}', "no JSON"),
    "a number": ("5", "should be an object"),
    "an empty object": ({}, "batch-get-projects"),
    "list-projects": ({"projects": ["hello"]}, "list-projects"),
    "list-webhooks": ({"webhooks": []}, "import codepipeline"),
    "get-pipeline": ({"pipeline": {}}, "import codepipeline"),
    "create-webhook": ({"webhook": {"url": "x", "secret": SECRET}}, "does not say of which repository"),
    "create-webhook's input": ({"projectName": "x", "filterGroups": []}, "does not say of which repository"),
    "batch-get-builds": ({"builds": []}, "holds no projects"),
    "projects as an object": ({"projects": {}}, "projects: should be a list"),
    "a project as a number": ({"projects": [5]}, "projects[0]: should be an object"),
    "no name": ({"projects": [{"source": {}}]}, "projects[0].name: is required"),
    "no source": ([{"name": "x"}], "[0].source.type: is required"),
    "a name of another type": ([project() | {"name": 5}], "[0].name: should be a string"),
    "a time of another type": ([project(timeoutInMinutes="60")], "[0].timeoutInMinutes: should be a whole number"),
    "a time that is true": ([project(timeoutInMinutes=True)], "[0].timeoutInMinutes: should be a whole number"),
    "groups of another type": (
        [project(webhook={"filterGroups": [PUSH]})],
        "[0].webhook.filterGroups[0]: should be a list",
    ),
    "a filter of another type": ([project(webhook={"filterGroups": [["PUSH"]]})], "[0].webhook.filterGroups[0][0]"),
    "an exclusion of another type": (
        [project(webhook={"filterGroups": [[{**PUSH, "excludeMatchedPattern": "false"}]]})],
        "excludeMatchedPattern: should be true or false",
    ),
    "variables of another type": ([variables("A=b")], "environmentVariables[0]: should be an object"),
    "a webhook of another type": ([project() | {"webhook": SECRET}], "[0].webhook: should be an object"),
    "tags of another type": ([project(tags={"a": "b"})], "[0].tags: should be a list"),
}


@pytest.mark.parametrize(("document", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_project_is_a_usage_error(imports, document, words):
    """What is wrong is said in one line with its place, exit code 2, and no value is repeated."""
    found = imports(document)
    assert (found.code, found.out, len(found.err.splitlines())) == (2, "", 1)
    assert words in found.err
    assert SECRET not in found.err


def test_giant_file_is_refused(capsys, tmp_path):
    """A file that can only be something else is not read to its end."""
    file = tmp_path / "giant.json"
    with file.open("wb") as giant:
        giant.truncate(MOST_BYTES + 1)
    ran = run(capsys, "import", "codebuild", file)
    assert (ran.code, "more than" in ran.err) == (2, True)
    assert run(capsys, "import", "codebuild", tmp_path / "nowhere.json").code == 2


def test_many_projects_are_imported(imports):
    """As many projects as AWS gives at once are no trouble, each with a name of its own."""
    found = imports(listed(*(project(name=f"Project_{n}") for n in range(100))))
    assert (found.code, len({one["metadata"]["name"] for one in found.triggers})) == (0, 100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def broken(draw):
    """Give a project with anything in place of one of its members, at any depth."""
    document = copy.deepcopy(project(description="x", sourceVersion="main", tags=[{"key": "a", "value": "b"}]))
    place = document
    while True:
        steps = list(place) if isinstance(place, dict) else list(range(len(place)))
        step = draw(st.sampled_from(steps))
        if not place[step] or not isinstance(place[step], dict | list) or draw(st.booleans()):
            place[step] = draw(JSON)
            return document
        place = place[step]


@settings(max_examples=300, deadline=None)
@given(document=broken())
def test_whatever_a_project_holds_it_is_read_or_refused(document):
    """A project with anything anywhere becomes a BuildTrigger, or a UsageError of one line."""
    try:
        listing = read_listing([document], "FILE")
    except UsageError:
        return
    (found,) = convert(listing)
    assert found.trigger["kind"] == "BuildTrigger"
    assert SECRET not in repr(found.trigger) + repr(found.remarks)


@given(text=st.text("$()aX{ ", max_size=12))
def test_dollars_reach_the_shell_as_they_are(text):
    """What Kubernetes makes of a guarded text, whichever variables there are, is the text."""
    assert expand(escape_dollars(text)) == text


def expand(text):
    """Expand as k8s.io/kubernetes/third_party/forked/golang/expansion does, with every variable there is."""
    out, at = "", 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "$$":
            out, at = out + "$", at + 2
        elif two == "$(" and ")" in text[at:]:
            out, at = out + "EXPANDED", text.index(")", at) + 1
        else:
            out, at = out + text[at], at + 1
    return out


# ── what is printed works ─────────────────────────────────────────────────────────────────────────────────────────────

RIGHT = {
    "GitHub": project(),
    "GitLab": project(source={"type": "GITLAB", "location": "https://gitlab.com/a/b/c.git"}),
    "Bitbucket": project(source={"type": "BITBUCKET", "location": "https://bitbucket.org/a/b.git"}),
    "branchFilter": project(webhook={"branchFilter": "^main$", "filterGroups": None}),
    "no webhook": project(webhook=None),
    "no source": project(webhook=None, source={"type": "NO_SOURCE", "location": None}),
    "everything": project(
        description="x\ny",
        sourceVersion="main",
        autoRetryLimit=1,
        tags=[{"key": "team", "value": "shop"}],
        environment={
            "environmentVariables": [{"name": "A", "value": "1e3"}, {"name": "b/c", "value": "y"}],
            "privilegedMode": True,
            "type": "ARM_CONTAINER",
        },
    ),
}


@pytest.mark.parametrize("document", RIGHT.values(), ids=RIGHT)
def test_output_passes_lint(capsys, imports, tmp_path, document):
    """What was imported without a loss is right in `hookwright lint`."""
    found = imports(document)
    assert found.code == 0
    ran = run(capsys, "lint", "-f", write(tmp_path / "out.yaml", found.out))
    assert (ran.code, "finding" in ran.out) == (0, False)


def prune(stored, written):
    """Give what is stored without the members that are not written, which are defaults."""
    if isinstance(written, dict):
        return {name: prune(stored[name], value) for name, value in written.items()}
    if isinstance(written, list):
        return [prune(*pair) for pair in zip(stored, written, strict=True)]
    return stored


def test_output_can_be_applied(imports):
    """An API server with Hookwright's CRDs takes what was imported, and changes nothing but for defaults."""
    cluster = DevCluster()
    for kind in KINDS:
        cluster.apply(crd(kind))
    for index, document in enumerate(RIGHT.values()):
        manifest = imports(merge(document, {"name": f"hello{index}"}), "-n", "default").trigger
        cluster.apply(manifest)
        stored = cluster.get("buildtriggers.hookwright.dev", "default", f"hello{index}")["spec"]
        assert prune(stored, manifest["spec"]) == manifest["spec"]


def event(kind, ref, *, base=None, files=(), message="", actor="1"):
    return ScmEvent(
        event=kind,
        index=0,
        repository=Repository(owner="octo", name="hello"),
        head_ref=Ref(ref),
        base_ref=Ref(base) if base else None,
        files=tuple(files),
        message=message,
        actor=actor,
        sha="a" * 40,
    )


def test_imported_groups_decide_as_awss_rules_say(imports):
    """Groups are alternatives, the filters of one all must pass, exclusion turns one round, patterns are looked for."""
    groups = [
        [PUSH, MAIN, {"type": "FILE_PATH", "pattern": "^docs/", "excludeMatchedPattern": True}],
        [
            {"type": "EVENT", "pattern": "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"},
            {"type": "BASE_REF", "pattern": "main"},
        ],
        [PUSH, {"type": "HEAD_REF", "pattern": "^refs/tags/"}, {"type": "ACTOR_ACCOUNT_ID", "pattern": "^(7|8)$"}],
        [PUSH, {"type": "COMMIT_MESSAGE", "pattern": r"\[CodeBuild\]"}],
    ]
    typed = read(BuildTrigger, imports(project(webhook={"filterGroups": groups})).trigger)
    filters = compile_filters(
        typed.spec.branch_filter, list_filter_groups(typed), find_filter_source(typed.spec.source)
    )
    push, created = EventType.PUSH, EventType.PULL_REQUEST_CREATED
    starts = {
        event(push, "refs/heads/main", files=["a.py"]): True,
        event(push, "refs/heads/main", files=["a.py", "docs/x"]): False,
        event(push, "refs/heads/maintenance", files=["a.py"]): False,
        event(created, "refs/heads/x", base="refs/heads/main"): True,
        event(created, "refs/heads/x", base="refs/heads/maintenance"): True,
        event(created, "refs/heads/x", base="refs/heads/dev"): False,
        event(EventType.PULL_REQUEST_MERGED, "refs/heads/x", base="refs/heads/main"): False,
        event(push, "refs/tags/v1", actor="7"): True,
        event(push, "refs/tags/v1", actor="77"): False,
        event(push, "refs/heads/x", message="now [CodeBuild] this"): True,
        event(push, "refs/heads/x", message="CodeBuild"): False,
    }
    for one, wanted in starts.items():
        assert isinstance(decide(filters, one), Start) is wanted, one
