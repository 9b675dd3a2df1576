"""An inline buildspec: its commands as one script, its variables, and what of it is left out.

Source: AWS CodeBuild, "Build specification reference". A buildspec that is a file of the repository is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from hookwright.commands.codebuild.reading import PLAINTEXT, AwsVariable
from hookwright.commands.remarks import Remark

PHASES = ("install", "pre_build", "build", "post_build")
# Reading YAML takes a second for each megabyte; AWS's own are smaller.
LONGEST = 64 * 1024
_SHELLS = {"sh": "/bin/sh", "bash": "/bin/bash"}
_STORES = {"parameter-store": "PARAMETER_STORE", "secrets-manager": "SECRETS_MANAGER"}
_READ = frozenset(("version", "env", "phases"))
_READ_ENV = frozenset(("shell", "variables", *_STORES))
_READ_PHASE = frozenset(("commands",))
_AWS_VARIABLE = re.compile(r"\bCODEBUILD_[A-Z_]+")


@dataclass(frozen=True, kw_only=True)
class Buildspec:
    """What a container needs: a shell, a script (None if there is no command in it), and variables."""

    shell: str = "/bin/sh"
    script: str | None = field(default=None, repr=False)
    variables: tuple[AwsVariable, ...] = ()
    remarks: tuple[Remark, ...] = ()


def convert_buildspec(text: str | None) -> Buildspec:
    """Read an inline buildspec; of one that is elsewhere, say so."""
    if text is None or not _is_inline(text):
        where = "buildspec.yml of the repository" if text is None else "a file elsewhere"
        return _refuse(f"buildspec: {where}, which is not read: give the container its commands")
    if len(text) > LONGEST:
        return _refuse(f"buildspec: {len(text)} characters, which is too long to be read here")
    try:
        document: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, LookupError):
        return _refuse("buildspec: no YAML: give the container its commands")
    spec = _as_mapping(document)
    env, phases = _as_mapping(spec.get("env")), _as_mapping(spec.get("phases"))
    shell = str(env.get("shell", "sh"))
    remarks = list(_find_leftovers(spec, env, phases))
    lines, lost = _write_script(phases)
    remarks += lost
    if shell not in _SHELLS:
        remarks.append(_lose(f"buildspec env.shell: {shell[:40]}: there are sh and bash"))
    script = "\n".join(lines) if lines else None
    names = sorted(set(_AWS_VARIABLE.findall(script or "")))
    if names:
        remarks.append(
            _lose(f"buildspec: {', '.join(names)}: builds receive HOOKWRIGHT_* instead (operator/docs/environment.md)")
        )
    return Buildspec(
        shell=_SHELLS.get(shell, "/bin/sh"),
        script=script,
        variables=tuple(_list_variables(env)),
        remarks=tuple(remarks),
    )


def _is_inline(text: str) -> bool:
    """Tell a buildspec from the path or the ARN of one."""
    return "\n" in text.strip() or text.lstrip().startswith(("version:", "{"))


def _write_script(phases: Mapping[str, object]) -> tuple[list[str], list[Remark]]:
    """Write the commands of all phases one after the other, each phase under its name."""
    lines: list[str] = []
    remarks: list[Remark] = []
    for phase in PHASES:
        commands = _as_mapping(phases.get(phase)).get("commands")
        listed = commands if isinstance(commands, list) else [] if commands is None else [commands]
        texts = [
            str(one).rstrip("\n") for one in listed if isinstance(one, str | int | float) and not isinstance(one, bool)
        ]
        if len(texts) < len(listed):
            remarks.append(_lose(f"buildspec phases.{phase}.commands: some are no texts, and left out: quote them"))
        if texts:
            lines += [f"# {phase}", *texts]
    if "# build" in lines and "# post_build" in lines:
        text = "buildspec phases.post_build: runs only if build has succeeded; at AWS it runs after a failure too"
        remarks.append(_lose(text))
    return lines, remarks


def _find_leftovers(
    spec: Mapping[str, object], env: Mapping[str, object], phases: Mapping[str, object]
) -> Iterator[Remark]:
    for name in spec:
        if name not in _READ:
            yield _lose(f"buildspec {_show(name)}: has no counterpart, and is left out")
    for name in env:
        if name not in _READ_ENV:
            yield _lose(f"buildspec env.{_show(name)}: has no counterpart, and is left out")
    for phase, content in phases.items():
        if phase not in PHASES:
            yield _lose(f"buildspec phases.{_show(phase)}: is no phase, and left out")
            continue
        for name in _as_mapping(content):
            if name == "runtime-versions":
                yield _lose(f"buildspec phases.{phase}.runtime-versions: take an image that has them")
            elif name not in _READ_PHASE:
                yield _lose(f"buildspec phases.{phase}.{_show(name)}: has no counterpart, and is left out")


def _list_variables(env: Mapping[str, object]) -> Iterator[AwsVariable]:
    for member, kind in {"variables": PLAINTEXT, **_STORES}.items():
        for name, value in _as_mapping(env.get(member)).items():
            plain = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
            yield AwsVariable(name=name, value=plain, type=kind)


def _as_mapping(value: object) -> Mapping[str, object]:
    """Give a YAML mapping with its names as texts; nothing where there is none."""
    return {str(name): inner for name, inner in value.items()} if isinstance(value, dict) else {}


def _show(name: str) -> str:
    return name[:60]


def _refuse(text: str) -> Buildspec:
    return Buildspec(remarks=(_lose(text),))


def _lose(text: str) -> Remark:
    return Remark(text=text, lost=True)
