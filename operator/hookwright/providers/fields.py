"""Reading what strangers wrote: each function gives a value of the form that is wanted, or None for any other.

Nothing here raises, whatever the JSON is, and nothing recurses; the work is bounded by the size of the payload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from hookwright.filters import JsonValue
from hookwright.scm import BRANCHES, ActorId, CommitId, Ref, Repository

MAX_FILES = 100_000
_MAX_TEXT = 1000
_MAX_ID = 255
_MAX_DIGITS = 18
# Most deliveries are about the same few repositories and branches: so many are remembered, none with long texts.
_KEPT = 512
_CHANGES = ("added", "modified", "removed")  # what a push tells of files, commit by commit
_MISSING = False
_NO_MEMBERS: Mapping[str, JsonValue] = MappingProxyType({})
_COMMIT = re.compile(r"(?!0+\Z)[0-9a-f]{7,64}")
_ZEROS = re.compile(r"0{7,64}")
# Branches and tags by the rules of git check-ref-format: what they forbid exists in no repository.
_REF = re.compile(
    r"refs/(?:heads|tags)/(?![./])(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|\Z)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])",
    re.DOTALL,
)
# As spec.source.repository has it.
_FULL_NAME = re.compile(r"[^\s/]+(?:/[^\s/]+)+")
_DOTS = {".", ".."}
_WEB = re.compile(r"https?://[^\s\x00-\x20]+")


def get(value: JsonValue, *keys: str) -> JsonValue:
    """Give what stands at a path of keys; None where there is nothing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def members(value: JsonValue) -> Mapping[str, JsonValue]:
    """Give the members of an object; none of anything else. Where many are asked for it costs less than `get`."""
    return value if isinstance(value, dict) else _NO_MEMBERS


def text(value: JsonValue) -> str | None:
    """Give a text that is not empty."""
    return value if isinstance(value, str) and value else None


def title(value: JsonValue, key: str) -> str | None:
    """Give a member that is a text, which may be empty, or null instead; None of what has no such member."""
    known = members(value).get(key, _MISSING)
    return "" if known is None else message(known)


def word(value: JsonValue) -> str:
    """Give a text to look something up by; an empty one for all else."""
    return value if isinstance(value, str) else ""


def name(value: JsonValue) -> str | None:
    """Give a text of one line, not empty, of at most 1,000 characters."""
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable() else None


def actor(value: JsonValue) -> ActorId | None:
    """Give an account's id, which may be a number or a text."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MAX_DIGITS:
        return ActorId(str(value))
    return ActorId(value) if isinstance(value, str) and 0 < len(value) <= _MAX_ID and value.isprintable() else None


def number(value: JsonValue) -> int | None:
    """Give a whole number above 0; its decimal digits will do."""
    return count(value) or None


def count(value: JsonValue) -> int | None:
    """Give a whole number, 0 included; its decimal digits will do."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MAX_DIGITS:
        return value
    return None


def commit(value: JsonValue) -> CommitId | None:
    """Give a commit's id; zeros stand for none."""
    return CommitId(value) if isinstance(value, str) and _COMMIT.fullmatch(value) else None


def is_zeros(value: JsonValue) -> bool:
    """Say whether a commit's id stands for none."""
    return isinstance(value, str) and _ZEROS.fullmatch(value) is not None


def ref(value: JsonValue) -> Ref | None:
    """Give the full name of a branch or tag."""
    found = _bounded(value)
    return _read_ref(found) if found is not None else None


@lru_cache(maxsize=_KEPT)
def _read_ref(text: str) -> Ref | None:
    return Ref(text) if _REF.fullmatch(text) else None


def ref_of(value: JsonValue, prefix: str = BRANCHES) -> Ref | None:
    """Give the full name of the branch, or of what else `prefix` says, that has this short name."""
    return ref(prefix + value) if isinstance(value, str) else None


def url(value: JsonValue) -> str | None:
    """Give a URL of HTTP or HTTPS: what git would run as a command (ext::), or read on this machine, is none."""
    found = _bounded(value)
    return found if found is not None and _WEB.fullmatch(found) else None


def repository(full_name: JsonValue, *, clone_url: JsonValue, web_url: JsonValue) -> Repository | None:
    """Give a repository by its full name."""
    if not isinstance(full_name, str) or len(full_name) > _MAX_ID:
        return None
    return _read_repository(full_name, _bounded(clone_url), _bounded(web_url))


@lru_cache(maxsize=_KEPT)
def _read_repository(full_name: str, clone_url: str | None, web_url: str | None) -> Repository | None:
    if not _FULL_NAME.fullmatch(full_name) or not full_name.isprintable() or _DOTS & set(full_name.split("/")):
        return None
    owner, _, last = full_name.rpartition("/")
    return Repository(owner=owner, name=last, clone_url=url(clone_url), web_url=url(web_url))


def _bounded(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else None


def items(value: JsonValue) -> list[JsonValue]:
    """Give the elements of an array; none of anything else."""
    return value if isinstance(value, list) else []


def files(commits: Iterable[JsonValue], *, most: int | None = None) -> tuple[str, ...] | None:
    """Give the paths that commits added, modified or removed, each once.

    None if a list is missing or absurdly long, or if a commit names `most` paths: it may have more.
    """
    found: dict[str, None] = {}
    for each in commits:
        if not isinstance(each, dict):
            return None
        named = 0
        for change in _CHANGES:
            paths = each.get(change, _MISSING)
            if paths is None:
                continue  # as Go writes an empty list
            if not isinstance(paths, list):
                return None
            named += len(paths)
            if len(found) + len(paths) > MAX_FILES or (most is not None and named >= most):
                return None
            for path in paths:
                if not isinstance(path, str):
                    return None
                found[path] = None
    return tuple(found)


def may_be_rewound(commits: list[JsonValue], before: JsonValue) -> bool:
    """Say whether a push may have taken commits away: it brings none, and its ref is not known to be new."""
    return not commits and not is_zeros(before)


def message_of(commits: Iterable[JsonValue], sha: CommitId) -> str | None:
    """Give the message of the commit `sha`, if it is among `commits`."""
    for each in commits:
        if get(each, "id") == sha:
            return message(get(each, "message"))
    return None


def message(value: JsonValue) -> str | None:
    """Give a commit's message, which may be empty."""
    return value if isinstance(value, str) else None
