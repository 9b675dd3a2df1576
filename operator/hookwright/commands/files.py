"""Reading what users hand in as files: manifests, payloads, headers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from hookwright.errors import UsageError
from hookwright.kinds import Raw

STANDARD_INPUT = Path("-")
MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")


def read_bytes(path: Path) -> bytes:
    """Give the bytes of a file, or of standard input for `-`.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def read_manifests(paths: Sequence[Path]) -> list[Raw]:
    """Give the objects in YAML or JSON files; a folder stands for the manifests in it, a List for its items.

    Raises:
        UsageError: a file cannot be read, or what is in it is no object.
    """
    objects: list[Raw] = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in MANIFEST_SUFFIXES)
        for file in files:
            objects += _read_file(file)
    return objects


def _read_file(path: Path) -> list[Raw]:
    try:
        documents = list(yaml.safe_load_all(read_bytes(path).decode()))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # ValueError: bytes that are not UTF-8, and dates that are none.
        raise UsageError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    objects: list[Raw] = []
    for document in documents:
        if document is None:
            continue
        is_list = isinstance(document, dict) and document.get("kind") == "List"
        items = (document.get("items") or []) if is_list else [document]
        for item in items if isinstance(items, list) else [items]:
            if not isinstance(item, dict) or not {"apiVersion", "kind"} <= set(item):
                raise UsageError(f"{path}: an object needs apiVersion, kind and metadata")
            if not isinstance(item.get("metadata"), dict):
                raise UsageError(f"{path}: {item['kind']}: metadata must be an object with a name")
            objects.append(item)
    return objects


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
            raise UsageError(f"{path}: {name}: a header's value is a string, or a list of strings")
        headers.setdefault(name.lower(), []).extend(values)
    return headers
