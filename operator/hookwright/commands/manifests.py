"""What commands print for `kubectl apply -f -`: objects with comments above them, and names that Kubernetes takes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import yaml

from hookwright.errors import UsageError
from hookwright.kinds import Raw
from hookwright.kinds.texts import DNS_SUBDOMAIN

LONGEST_LABEL = 63
LONGEST_SUBDOMAIN = 253
_DIGEST_LENGTH = 8
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_BOOLEANS = ("y", "Y", "n", "N")
_NUMBERS_BEGIN = "0123456789+-."


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An object as it is printed; `comments` stand above it in YAML, a line each."""

    raw: Raw = field(repr=False)  # it may be a Secret
    comments: tuple[str, ...] = ()


class _Dumper(yaml.SafeDumper):
    """Writes YAML in which a text is a text for every reader."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if not text.isprintable():
        # Readers do not agree about what ends a line but for \n; escapes are the same to all.
        style = "|" if all(line.isprintable() for line in text.split("\n")) else '"'
    elif text in _BOOLEANS or text[:1] in _NUMBERS_BEGIN:
        # kubectl's reader takes more for booleans and numbers than PyYAML quotes: y is true to it, and 1e3 is 1000.
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def render(manifests: Sequence[Manifest], output: str, **members: object) -> str:
    """Give the text of manifests: YAML documents, or for output `json` a List without the comments.

    `members` stand beside the List's items; kubectl does not look at them.
    """
    if output == "json":
        items = [manifest.raw for manifest in manifests]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items, **members}, indent=2)
    return "---\n".join(_render(manifest) for manifest in manifests).rstrip("\n")


def _render(manifest: Manifest) -> str:
    comments = "".join(f"# {put_on_one_line(comment)}\n" for comment in manifest.comments)
    return comments + yaml.dump(manifest.raw, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def put_on_one_line(text: str) -> str:
    """Escape what would end a line, or speak to a terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def write_json(value: object) -> str:
    """Give JSON for people and programs, in which nothing speaks to a terminal: what would stands as an escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Between the texts there are only spaces and newlines, in them neither newlines nor any other control as it is.
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def check_label(text: str, what: str) -> str:
    """Give `text`, which must be a name such as a namespace's; `what` is where the user gave it.

    Raises:
        UsageError: it is no RFC 1123 label.
    """
    if len(text) > LONGEST_LABEL or not re.fullmatch(_LABEL, text):
        raise UsageError(
            f"{what} {text!r}: should be at most {LONGEST_LABEL} lower-case letters, digits and -, with a letter or "
            "digit at either end"
        )
    return text


def check_subdomain(text: str, what: str) -> str:
    """Give `text`, which must be a name such as a ServiceAccount's; `what` is where the user gave it.

    Raises:
        UsageError: it is no RFC 1123 subdomain.
    """
    if len(text) > LONGEST_SUBDOMAIN or not re.fullmatch(DNS_SUBDOMAIN, text):
        raise UsageError(
            f"{what} {text!r}: should be at most {LONGEST_SUBDOMAIN} lower-case letters, digits, - and ., with a "
            "letter or digit at either end and beside each ."
        )
    return text


def choose_names(names: Iterable[str], *, longest: int, otherwise: str) -> Mapping[str, str]:
    """Give each of some foreign names one that Kubernetes takes: an RFC 1123 subdomain of at most `longest` characters.

    A name that is one already stays. All others are put in lower case, and what is no letter, digit or dot becomes a
    dash; `otherwise` stands for a name of which nothing is left. Of names that become alike all but one get a hash of
    their own at the end, and so do those that are too long. The order of `names` does not matter.
    """
    distinct = sorted(set(names))
    chosen = {name: name for name in distinct if name and len(name) <= longest and _to_subdomain(name) == name}
    taken = set(chosen)
    for name in distinct:
        if name not in chosen:
            plain = _to_subdomain(name) or otherwise
            chosen[name] = next(one for one in _candidates(plain, name, longest) if one not in taken)
            taken.add(chosen[name])
    return chosen


def _to_subdomain(name: str) -> str:
    labels = re.sub(r"[^a-z0-9.]", "-", name.lower()).split(".")
    return ".".join(label for label in (label.strip("-") for label in labels) if label)


def _candidates(plain: str, name: str, longest: int) -> Iterator[str]:
    if len(plain) <= longest:
        yield plain
    for attempt in count():
        digest = hashlib.sha256(f"{name}\n{attempt}".encode()).hexdigest()[:_DIGEST_LENGTH]
        yield f"{plain[: longest - 1 - _DIGEST_LENGTH].rstrip('-.')}-{digest}"
