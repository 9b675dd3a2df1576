"""What a pattern finds beyond what was surely meant, and what can never be found. Pure.

Patterns are looked for anywhere in the text, as at AWS. That `main` also finds `maintenance`, and that `^main$` finds
no ref, since refs are written in full, is what most mistakes in filter groups come down to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hookwright.filters.groups import FilterType
from hookwright.filters.patterns import PatternRefusal, compile_search
from hookwright.filters.patterns.reading import is_last_line_end, read_pattern
from hookwright.filters.patterns.tree import Chars, Choice, End, Start, Tree
from hookwright.filters.patterns.tree import Sequence as Parts
from hookwright.scm import BRANCHES, TAGS, Provider

NEVER_MATCHES = "NeverMatches"
UNANCHORED = "Unanchored"
# A pattern that stands for more texts than this is not looked into.
MOST_TEXTS = 64
_NUMBERED = frozenset(Provider) - {Provider.BITBUCKET_CLOUD}
_REFS = {FilterType.HEAD_REF: (BRANCHES, TAGS), FilterType.BASE_REF: (BRANCHES,)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What should be thought over about a pattern: a code, why, and a pattern that is surely meant, if there is one."""

    code: str
    why: str
    instead: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Text:
    """One of the texts that a pattern looks for: what it begins and ends with, and whether it is held to an end there.

    `plain` tells that these letters are all of it; `singles` are the characters that are in it whatever else is.
    """

    at_start: bool
    at_end: bool
    begin: str
    end: str
    plain: bool
    singles: tuple[Chars, ...]


def advise(kind: FilterType, pattern: str, provider: Provider) -> Advice | None:
    """Say what should be thought over about the pattern of a filter."""
    texts = _read_texts(pattern)
    if kind in _REFS:
        return _advise_ref(pattern, texts, _REFS[kind])
    if kind is FilterType.TAG_NAME:
        return _advise_short(pattern, texts, TAGS)
    if kind is FilterType.ACTOR_ACCOUNT_ID and provider in _NUMBERED:
        return _advise_number(pattern, texts, provider)
    return None


def advise_branch(pattern: str) -> Advice | None:
    """Say what should be thought over about a branchFilter, which looks at short names."""
    texts = _read_texts(pattern)
    never = _advise_short(pattern, texts, BRANCHES)
    return never or _advise_anchors(pattern, texts, [one for one in texts if _opens(one)], before="^")


def _advise_ref(pattern: str, texts: Sequence[_Text], prefixes: Sequence[str]) -> Advice | None:
    never = [one for one in texts if one.at_start and not _may_begin(one, prefixes)]
    if never:
        what = "is" if len(never) == len(texts) else "has alternatives that are"
        why = f"{what} found in no ref: each begins with {' or '.join(prefixes)}"
        short = pattern.startswith("^") and all(one.at_start and one.begin[:1].isalnum() for one in texts)
        meant = short and not any(one.begin.startswith("refs") for one in texts)
        return Advice(code=NEVER_MATCHES, why=why, instead=_check(f"^{BRANCHES}{pattern[1:]}") if meant else None)
    full = all(one.at_start or _may_begin(one, prefixes) for one in texts)
    starts = [one for one in texts if _opens(one) and not _may_begin(one, prefixes)]
    return _advise_anchors(pattern, texts, starts, before="^" if full else f"^{BRANCHES}")


def _advise_anchors(pattern: str, texts: Sequence[_Text], starts: Sequence[_Text], *, before: str) -> Advice | None:
    """Recommend anchors where a name begins before the pattern, or goes on behind it."""
    ends = [one for one in texts if not one.at_end and one.end[-1:].isalnum() and len(_last_part(one.end)) > 1]
    if not starts and not ends:
        return None
    example = ""
    if starts and starts[0].plain:
        example = f" (other-{_last_part(starts[0].begin.rstrip('/'))})"
    elif ends:
        name = _last_part(ends[0].end)
        example = f" ({'maintenance' if name == 'main' else f'{name}-2'})"
    why = f"is looked for anywhere, and found in longer names too{example}"
    first = "" if all(one.at_start for one in texts) else before
    last = "$" if ends else ""
    # What holds for some texts alone is left to who has written it.
    even = not any(one.at_start for one in texts) if first else True
    even = even and (before == "^" or not starts or len(starts) == len(texts)) and len(ends) in (0, len(texts))
    return Advice(code=UNANCHORED, why=why, instead=_check(f"{first}{_group(pattern)}{last}") if even else None)


def _advise_short(pattern: str, texts: Sequence[_Text], prefix: str) -> Advice | None:
    """Say that short names do not begin with refs/."""
    if not any(one.begin.startswith(prefix) for one in texts):
        return None
    why = f"is looked for in the short name, which does not begin with {prefix}"
    return Advice(code=NEVER_MATCHES, why=why, instead=_check(pattern.replace(prefix, "")))


def _advise_number(pattern: str, texts: Sequence[_Text], provider: Provider) -> Advice | None:
    if any(not _has_digit(single) for one in texts for single in one.singles):
        return Advice(code=NEVER_MATCHES, why=f"is found in no id of an account: those of {provider} are numbers")
    open_ones = [one for one in texts if one.plain and one.begin and not (one.at_start and one.at_end)]
    if not open_ones:
        return None
    why = f"is looked for anywhere, and found in longer numbers too (9{open_ones[0].begin}6)"
    alone = not any(one.at_start or one.at_end for one in texts)
    return Advice(code=UNANCHORED, why=why, instead=_check(f"^{_group(pattern)}$") if alone else None)


def _may_begin(one: _Text, prefixes: Sequence[str]) -> bool:
    """Tell whether what a text begins with can be the beginning of a ref."""
    if one.plain and one.at_end:
        return one.begin.startswith(tuple(prefixes))
    return any(one.begin.startswith(prefix) or prefix.startswith(one.begin) for prefix in prefixes)


def _opens(one: _Text) -> bool:
    return not one.at_start and one.begin[:1].isalnum()


def _last_part(text: str) -> str:
    return text.rpartition("/")[2]


def _has_digit(single: Chars) -> bool:
    return any(low <= ord("9") and high >= ord("0") for low, high in single.ranges)


def _group(pattern: str) -> str:
    return f"(?:{pattern})" if isinstance(read_pattern(pattern, "", whole=False), Choice) else pattern


def _check(pattern: str) -> str | None:
    """Give a pattern that can be recommended: one that Hookwright takes."""
    try:
        compile_search(pattern)
    except PatternRefusal:
        return None
    return pattern


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_texts(pattern: str) -> list[_Text]:
    """Give the texts that a pattern looks for; none if there are too many."""
    return [_read_text(parts) for parts in _expand(read_pattern(pattern, "", whole=False)) or ()]


def _expand(tree: Tree) -> list[tuple[Tree, ...]] | None:
    """Write out the alternatives of a pattern; None if there are too many."""
    if isinstance(tree, Parts):
        each = [_expand(part) for part in tree.parts]
        texts: list[tuple[Tree, ...]] = [()]
        for options in each:
            if options is None or len(texts) * len(options) > MOST_TEXTS:
                return None
            texts = [(*one, *other) for one, other in product(texts, options)]
        return texts
    if isinstance(tree, Choice) and not is_last_line_end(tree):
        found = [_expand(part) for part in tree.parts]
        flat = [one for options in found if options is not None for one in options]
        return None if None in found or len(flat) > MOST_TEXTS else flat
    return [(tree,)]


def _read_text(parts: tuple[Tree, ...]) -> _Text:
    at_start = parts[:1] == (Start(),)
    at_end = bool(parts) and (isinstance(parts[-1], End) or is_last_line_end(parts[-1]))
    inner = parts[at_start : len(parts) - at_end]
    begin, end = _letters(inner), _letters(inner[::-1])[::-1]
    singles = tuple(one for one in inner if isinstance(one, Chars))
    return _Text(
        at_start=at_start, at_end=at_end, begin=begin, end=end, plain=len(begin) == len(inner), singles=singles
    )


def _letters(parts: Sequence[Tree]) -> str:
    """Give the letters that parts begin with."""
    letters = []
    for one in parts:
        if not (isinstance(one, Chars) and len(one.ranges) == 1 and one.ranges[0][0] == one.ranges[0][1]):
            break
        letters.append(chr(one.ranges[0][0]))
    return "".join(letters)
