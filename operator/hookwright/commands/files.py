"""Reading what users hand in as files: manifests, payloads, headers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hookwright.commands.loader import load_all
from hookwright.commands.manifests import put_on_one_line
from hookwright.errors import UsageError
from hookwright.kinds import Raw

STANDARD_INPUT = Path("-")
MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")


def read_bytes(path: Path, *, most: int | None = None) -> bytes:
    """Give the bytes of a file, or of standard input for `-`; `most` is how many there may be.

    Raises:
        UsageError: it cannot be read, or has more bytes.
    """
    count = -1 if most is None else most + 1
    try:
        if path == STANDARD_INPUT:
            content = sys.stdin.buffer.read(count)
        else:
            with path.open("rb") as file:
                content = file.read(count)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if most is not None and len(content) > most:
        raise UsageError(f"{path}: more than {most} bytes: this cannot be what is meant")
    return content


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document of a file, whatever it holds; the items of a List are documents of their own."""

    file: Path
    content: Any = field(repr=False)  # Any: what YAML can say; it may be a Secret


def read_documents(paths: Sequence[Path]) -> list[Document]:
    """Give the documents in YAML or JSON files, but for empty ones; a folder stands for the manifests in it.

    Raises:
        UsageError: a file cannot be read, or is no YAML.
    """
    documents: list[Document] = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in MANIFEST_SUFFIXES)
        for file in files:
            documents += [Document(file=file, content=content) for content in _read_file(file)]
    return documents


def read_manifests(paths: Sequence[Path]) -> list[Raw]:
    """Give the objects in YAML or JSON files; a folder stands for the manifests in it, a List for its items.

    Raises:
        UsageError: a file cannot be read, or what is in it is no object.
    """
    return [check_manifest(document) for document in read_documents(paths)]


def check_manifest(document: Document) -> Raw:
    """Give the object that a document is.

    Raises:
        UsageError: it is none.
    """
    content = document.content
    if not isinstance(content, dict) or not {"apiVersion", "kind"} <= set(content):
        raise UsageError(f"{document.file}: an object needs apiVersion, kind and metadata")
    if not isinstance(content.get("metadata"), dict):
        raise UsageError(f"{document.file}: {content['kind']}: metadata must be an object with a name")
    return content


def _read_file(path: Path) -> Iterator[Any]:  # Any: as `Document`
    try:
        documents = list(load_all(read_bytes(path).decode()))
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, LookupError) as error:
        # ValueError: bytes that are not UTF-8, too.
        raise UsageError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    for document in documents:
        if document is None:
            continue
        is_list = isinstance(document, dict) and document.get("kind") == "List"
        items = (document.get("items") or []) if is_list else [document]
        yield from items if isinstance(items, list) else [items]


def read_headers(path: Path) -> dict[str, list[str]]:
    """Give the headers in a JSON object file, by lower-case name; a value is a string or a list of strings.

    Raises:
        UsageError: the file is no such object.
    """
    try:
        document: Any = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON: {error}") from None
    if not isinstance(document, dict):
        raise UsageError(f'{path}: headers are a JSON object: {{"X-GitHub-Event": "push"}}')
    headers: dict[str, list[str]] = {}
    for name, value in document.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in values):
            raise UsageError(f"{path}: {put_on_one_line(name)}: a header's value is a string, or a list of strings")
        headers.setdefault(name.lower(), []).extend(values)
    return headers
