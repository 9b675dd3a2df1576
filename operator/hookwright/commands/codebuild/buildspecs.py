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
        # It makes nothing but texts, lists and mappings: 1.10 stays 1.10, and yes is no truth.
        document: object = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes nothing else
    except (yaml.YAMLError, ValueError, RecursionError):
        return _refuse("buildspec: no YAML: give the container its commands")
    spec = _as_mapping(document)
    env, phases = _as_mapping(spec.get("env")), _as_mapping(spec.get("phases"))
    shell = env.get("shell", "sh")
    remarks = list(_find_leftovers(spec, env, phases))
    lines, lost = _write_script(phases)
    remarks += lost
    if not isinstance(shell, str) or shell not in _SHELLS:
        shown = _show(shell) if isinstance(shell, str) else "a list"
        remarks.append(_lose(f"buildspec env.shell: {shown}: there are sh and bash"))
    script = "\n".join(lines) if lines else None
    if script is None:
        remarks.append(_lose("buildspec: there is no command in it: give the container its commands"))
    names = sorted(set(_AWS_VARIABLE.findall(script or "")))
    if names:
        remarks.append(
            _lose(f"buildspec: {', '.join(names)}: builds receive HOOKWRIGHT_* instead (operator/docs/environment.md)")
        )
    variables = list(_list_variables(env))
    remarks += [one for one in variables if isinstance(one, Remark)]
    return Buildspec(
        shell=_SHELLS.get(shell if isinstance(shell, str) else "", "/bin/sh"),
        script=script,
        variables=tuple(one for one in variables if isinstance(one, AwsVariable)),
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
        texts = [one.rstrip("\n") for one in listed if isinstance(one, str)]
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


def _list_variables(env: Mapping[str, object]) -> Iterator[AwsVariable | Remark]:
    """Give the variables, and what is to be said of those that are no texts."""
    for member, kind in {"variables": PLAINTEXT, **_STORES}.items():
        for name, value in _as_mapping(env.get(member)).items():
            if isinstance(value, str):
                yield AwsVariable(name=name, value=value, type=kind)
            else:
                # Written out it may be larger than any memory.
                yield _lose(f"buildspec env.{member}.{_show(name)}: is no text, and left out")


def _as_mapping(value: object) -> Mapping[str, object]:
    """Give a mapping; nothing where there is none."""
    return value if isinstance(value, dict) else {}


def _show(name: str) -> str:
    return name[:60]


def _refuse(text: str) -> Buildspec:
    return Buildspec(remarks=(_lose(text),))


def _lose(text: str) -> Remark:
    return Remark(text=text, lost=True)
