"""The environment of a project's builds as a Job, and as parameters.

Plain variables become parameters, so that a Webhook can give others. What is kept in a store at AWS, and what looks
like a secret, comes from a Secret that whoever imports makes: no value of it is in a manifest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hookwright.builds.targets import is_secret_name
from hookwright.commands.codebuild.buildspecs import Buildspec
from hookwright.commands.codebuild.cloning import SOURCE, escape_dollars, make_clone, make_mount, make_volume
from hookwright.commands.codebuild.reading import PLAINTEXT, AwsEnvironment, AwsProject, AwsVariable
from hookwright.commands.codebuild.sources import Source
from hookwright.commands.remarks import Remark

MAX_PARAMETERS, LONGEST_NAME, LONGEST_VALUE = 50, 128, 4096
OWN = "HOOKWRIGHT_"
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
# What Kubernetes takes for the name of a variable (since 1.34; before, what is a parameter's name).
_VARIABLE = re.compile(r"[!-<>-~]+")
_NO_KEY = re.compile(r"[^-._a-zA-Z0-9]")
# What stands at the end of names of secrets, beside what AWS hides by its name: API_KEY, DB_PASS.
_SECRET_ENDS = frozenset(("AUTH", "CREDS", "KEY", "PASS", "PASSPHRASE", "PAT", "PWD"))
# What is a secret by its form: keys, tokens of Git hosts and others, a password in an address.
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[oprsu]_\w{20}|\bgithub_pat_|\bglpat-|\bxox[abprs]-|://[^/\s:@]*:[^/\s@]+@"
)
_STORES = {"PARAMETER_STORE": "Parameter Store", "SECRETS_MANAGER": "Secrets Manager"}
_ARCHITECTURES = {
    "LINUX_CONTAINER": {},
    "ARM_CONTAINER": {"kubernetes.io/arch": "arm64"},
    "WINDOWS_CONTAINER": {"kubernetes.io/os": "windows"},
    "WINDOWS_SERVER_2019_CONTAINER": {"kubernetes.io/os": "windows"},
    "WINDOWS_SERVER_2022_CONTAINER": {"kubernetes.io/os": "windows"},
}
_SIZES = {
    "BUILD_GENERAL1_SMALL": "2 CPUs, 4Gi",
    "BUILD_GENERAL1_MEDIUM": "4 CPUs, 8Gi",
    "BUILD_GENERAL1_LARGE": "8 CPUs, 16Gi",
    "BUILD_GENERAL1_XLARGE": "36 CPUs, 72Gi",
    "BUILD_GENERAL1_2XLARGE": "72 CPUs, 144Gi",
}
_NO_COMMANDS = "echo 'Put the commands of the build here.' >&2; exit 1"


@dataclass(frozen=True, kw_only=True)
class Built:
    """What builds are made of: the Job's spec, parameters, and what is to be said of them."""

    job: dict[str, Any]  # Any: a JSON object
    parameters: list[dict[str, str]]
    remarks: tuple[Remark, ...]


def convert_build(project: AwsProject, source: Source, buildspec: Buildspec, *, name: str) -> Built:
    """Make the Job of a project's builds; `name` is that of its BuildTrigger.

    It clones the source where what starts builds are deliveries of a Git host, which name it.
    """
    clones = source.provider is not None
    environment = project.environment
    variables = _merge(environment.variables, buildspec.variables)
    parameters, env, remarks = _convert_variables(variables, secret=f"{name}-environment")
    command = [buildspec.shell, "-ec", escape_dollars(buildspec.script or _NO_COMMANDS)]
    container: dict[str, Any] = {
        "name": "build",
        "image": environment.image,
        "command": command[:2],
        "args": command[2:],
        **({"workingDir": SOURCE, "volumeMounts": [make_mount()]} if clones else {}),
        **({"env": env} if env else {}),
        **({"securityContext": {"privileged": True}} if environment.privileged else {}),
    }
    selector = _ARCHITECTURES.get(environment.type, {})
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        # What is built may be anybody's.
        "automountServiceAccountToken": False,
        **({"nodeSelector": dict(selector)} if selector else {}),
        **({"imagePullSecrets": [{"name": f"{name}-registry"}]} if environment.registry_credential else {}),
        **(
            {"volumes": [make_volume()], "initContainers": [make_clone(f"{name}-git", source.clone_url)]}
            if clones
            else {}
        ),
        "containers": [container],
    }
    minutes = project.timeout_minutes
    job = {
        "backoffLimit": project.retries or 0,
        **({"activeDeadlineSeconds": minutes * 60} if minutes is not None else {}),
        "template": {"spec": pod},
    }
    said = (
        *remarks,
        *_describe_environment(environment, name),
        *_describe_clone(project, buildspec, name if clones else None),
    )
    return Built(job=job, parameters=parameters, remarks=said)


def _merge(own: Sequence[AwsVariable], of_buildspec: Sequence[AwsVariable]) -> list[AwsVariable]:
    """Give each variable once: those of the project go before those of the buildspec, as at AWS."""
    merged = {one.name: one for one in of_buildspec}
    merged |= {one.name: one for one in own}
    return list(merged.values())


def _convert_variables(
    variables: Iterable[AwsVariable], *, secret: str
) -> tuple[list[dict[str, str]], list[dict[str, Any]], list[Remark]]:
    """Give parameters, variables of the container, and what is to be said of them."""
    parameters: list[dict[str, str]] = []
    env: list[dict[str, Any]] = []
    keys: dict[str, str] = {}
    remarks = []
    for one in variables:
        if not _VARIABLE.fullmatch(one.name) or one.name.startswith(OWN):
            why = "reserved for Hookwright" if one.name.startswith(OWN) else "no name of a variable in Kubernetes"
            remarks.append(_lose(f"environment variable {one.name[:60]}: {why}, so it is left out"))
        elif one.type != PLAINTEXT or _is_secret(one):
            key = _choose_key(one.name, keys)
            keys[key] = f"{one.name}: {_describe_store(one)}"
            env.append({"name": one.name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
        elif _is_parameter(one) and len(parameters) < MAX_PARAMETERS:
            parameters.append({"name": one.name, "value": one.value})
        else:
            env.append({"name": one.name, "value": escape_dollars(one.value)})
    remarks += [
        _lose(f"environment variable {what}: put its value into Secret {secret}, key {key}")
        for key, what in keys.items()
    ]
    return parameters, env, remarks


def _choose_key(name: str, taken: Collection[str]) -> str:
    """Give the key of a variable in the Secret: its name, as far as a key may have its characters."""
    key = _NO_KEY.sub("-", name)
    while key in taken:
        key += "-"
    return key


def _is_secret(one: AwsVariable) -> bool:
    """Say whether a plain variable is most likely a secret, by its name or by the form of its value."""
    words = re.split(r"[^A-Za-z0-9]+", one.name)
    named = is_secret_name("".join(words)) or words[-1].upper() in _SECRET_ENDS
    return named or _SECRET_VALUE.search(one.value) is not None


def _is_parameter(one: AwsVariable) -> bool:
    fits = len(one.name) <= LONGEST_NAME and len(one.value) <= LONGEST_VALUE
    return fits and _PARAMETER.fullmatch(one.name) is not None


def _describe_store(one: AwsVariable) -> str:
    if one.type == PLAINTEXT:
        return "looks like a secret, so that its value is not repeated here"
    if one.type not in _STORES:
        return f"of the type {one.type}, which Hookwright does not know"
    return f"from {_STORES[one.type]} ({one.value})"


def _describe_environment(environment: AwsEnvironment, name: str) -> Iterable[Remark]:
    if not environment.image:
        yield _lose("environment.image: there is none; give the container one")
    elif environment.image.startswith("aws/codebuild/"):
        text = "AWS's own, which no registry has under this name: take another, or push a copy to yours"
        yield _lose(f"environment.image: {environment.image}: {text}")
    if environment.type.startswith("WINDOWS"):
        yield _lose(f"environment.type: {environment.type}: command and args are for a shell; write them for Windows")
    elif environment.type not in _ARCHITECTURES:
        yield _lose(
            f"environment.type: {environment.type}: have nodeSelector or resources of the pod say what it needs"
        )
    if environment.registry_credential:
        text = f"put the registry's credentials into Secret {name}-registry (kubectl create secret docker-registry)"
        yield _lose(f"environment.registryCredential: {text}")
    if environment.privileged:
        yield Remark(text="environment.privilegedMode: the container is privileged, which a namespace may forbid")
    size = _SIZES.get(environment.compute_type or "")
    if size is not None:
        yield Remark(
            text=f"environment.computeType: {environment.compute_type}: {size}; set resources if builds need it"
        )
    elif environment.compute_type is not None:
        yield _lose(f"environment.computeType: {environment.compute_type}: set resources of the container")


def _describe_clone(project: AwsProject, buildspec: Buildspec, name: str | None) -> Iterable[Remark]:
    """Say what builds must still be given; `name` is None if they do not clone."""
    source = project.source
    if buildspec.script is None:
        yield Remark(text="until the container has commands of its own, each build fails and says so")
    if name is None and source.type not in ("NO_SOURCE", "S3", "CODEPIPELINE"):
        yield Remark(text="the source is not cloned: no delivery of a Git host says what; have the container get it")
    if source.auth is not None and name is not None:
        text = f"a private repository is cloned with username and password from Secret {name}-git"
        yield Remark(text=f"source.auth: {source.auth}: {text}")


def _lose(text: str) -> Remark:
    return Remark(text=text, lost=True)
