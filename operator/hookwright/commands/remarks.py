"""What whoever imports must know of what was imported, and how it is said. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hookwright.commands.manifests import put_on_one_line

LONGEST_LINE = 500
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something that whoever imports must know; `lost` if something was not carried over."""

    text: str
    lost: bool = False


def describe(remark: Remark) -> str:
    """Give a remark as a line."""
    return f"{'not carried over' if remark.lost else 'note'}: {remark.text}"


def shorten(text: str) -> str:
    """Give a text from a file as one line that a terminal can show."""
    line = put_on_one_line(text)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def hide_urls(text: str) -> str:
    """Give a text of AWS's without its URLs: some are credentials."""
    return _URL.sub("(a URL)", text)


def is_aws_own(tag: str) -> bool:
    """Say whether a tag's key is one that only AWS itself may use."""
    return tag.lower().startswith("aws:")
