"""Which documents of files are ours to check, which are what ours name, and which are neither. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookwright.cluster import CRONJOBS, SECRETS
from hookwright.commands.files import Document
from hookwright.commands.linting.said import Lint, Severity
from hookwright.kinds import API_VERSION, GROUP, KINDS, Raw

# Codes of what the operator never sees, since the API server takes no such object.
UNKNOWN_KIND = "UnknownKind"
NO_OBJECT = "NoObject"
NOTHING_TO_CHECK = "NothingToCheck"
_OURS = tuple(kind.KIND for kind in KINDS)
_NAMED_BY_OURS = tuple((resource.api_version, resource.kind) for resource in (SECRETS, CRONJOBS))


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """Documents by what is to be done with them.

    `manifests` are our objects and those that they may name, `checked` counts the former; `ignored` counts what has
    nothing to do with Hookwright. `lints` are about what is meant as ours, and is no object of a kind that we have.
    """

    manifests: list[tuple[Path, Raw]]
    lints: list[Lint]
    checked: int
    ignored: int


def sort_documents(documents: Sequence[Document]) -> Sorted:
    """Sort out what is ours; documents that are no Kubernetes objects at all may stand beside it."""
    manifests: list[tuple[Path, Raw]] = []
    lints: list[Lint] = []
    checked = 0
    for document in documents:
        content = document.content if isinstance(document.content, dict) else {}
        version, kind = str(content.get("apiVersion") or ""), str(content.get("kind") or "")
        is_object = isinstance(content.get("metadata"), dict)
        if version.partition("/")[0] == GROUP or (kind in _OURS and not version):
            checked += 1
            wrong = _find_wrong(version, kind, is_object=is_object)
            if wrong is None:
                manifests.append((document.file, content))
            else:
                lints.append(_say(document.file, kind, content, *wrong))
        elif (version, kind) in _NAMED_BY_OURS and is_object:
            manifests.append((document.file, content))
    return Sorted(manifests=manifests, lints=lints, checked=checked, ignored=len(documents) - checked)


def find_nothing(found: Sorted, files: Sequence[Path]) -> list[Lint]:
    """Warn of `files` none of which holds anything of ours: most likely others were meant."""
    message = "nothing of Hookwright's is in it: no Webhook, no BuildTrigger"
    return [
        Lint(
            file=file,
            kind="",
            namespace="",
            name="",
            severity=Severity.WARNING,
            code=NOTHING_TO_CHECK,
            message=message,
        )
        for file in (files if found.checked == 0 else ())
    ]


def _find_wrong(version: str, kind: str, *, is_object: bool) -> tuple[str, str] | None:
    if version != API_VERSION:
        return UNKNOWN_KIND, f"apiVersion: {version or 'none'}: should be {API_VERSION}"
    if kind not in _OURS:
        return UNKNOWN_KIND, f"kind: {kind or 'none'}: {API_VERSION} has {' and '.join(_OURS)}"
    return None if is_object else (NO_OBJECT, "metadata: should be an object with a name")


def _say(file: Path, kind: str, content: Any, code: str, message: str) -> Lint:  # Any: whatever YAML says
    metadata = content.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    return Lint(
        file=file,
        kind=kind or "object",
        namespace=str(known.get("namespace") or ""),
        name=str(known.get("name") or ""),
        severity=Severity.FINDING,
        code=code,
        message=message,
    )
