"""What a lint says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hookwright.errors import InvalidSpec
from hookwright.kinds import InvalidObject, Problem
from hookwright.reconcile.checks import Finding


class Severity(StrEnum):
    """How bad it is: only a finding keeps the object from its work."""

    FINDING = "finding"
    WARNING = "warning"
    NOTE = "note"  # something could not be checked


@dataclass(frozen=True, kw_only=True, slots=True)
class Lint:
    """One thing that is to be said of an object in a file; `code` is AWS's name of it, or ours.

    `kind` and `name` are empty where it is to be said of the whole file.
    """

    file: Path
    kind: str
    namespace: str
    name: str
    severity: Severity
    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The same, before it is said of whom."""

    severity: Severity = Severity.FINDING
    code: str
    message: str


def narrow(invalid: InvalidObject, problem: Problem) -> InvalidObject:
    """Give the same object with only one of its problems, of which the operator's checks say only one."""
    return InvalidObject(invalid.kind, invalid.metadata, (problem,), invalid.found_status)


def from_problem(problem: InvalidSpec) -> Said:
    """Say a problem of a spec."""
    return Said(code=problem.code, message=problem.message)


def from_finding(finding: Finding) -> Said:
    """Say what the operator would find."""
    return Said(code=finding.code, message=finding.message)
