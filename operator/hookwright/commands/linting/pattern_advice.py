"""What a pattern finds beyond what was surely meant, and what can never be found. Pure.

Patterns are looked for anywhere in the text, as at AWS. That `main` also finds `maintenance`, and that `^main$` finds
no ref, since refs are written in full, is what most mistakes in filter groups come down to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hookwright.commands.linting.pattern_texts import Text, read_texts
from hookwright.filters.groups import FilterType
from hookwright.filters.patterns import PatternRefusal, compile_search
from hookwright.filters.patterns.reading import is_last_line_end, read_pattern
from hookwright.filters.patterns.tree import Ahead, Behind, Chars, Choice, Repeat, Start, Tree
from hookwright.filters.patterns.tree import Sequence as Parts
from hookwright.scm import BRANCHES, TAGS, Provider

NEVER_MATCHES = "NeverMatches"
UNANCHORED = "Unanchored"
_NUMBERED = frozenset(Provider) - {Provider.BITBUCKET_CLOUD}
_PARTS_OF_REFS = ("refs/", "heads/", "tags/")
_REFS = {FilterType.HEAD_REF: (BRANCHES, TAGS), FilterType.BASE_REF: (BRANCHES,)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What should be thought over about a pattern: a code, why, and a pattern that is surely meant, if there is one."""

    code: str
    why: str
    instead: str | None = None


def advise(kind: FilterType, pattern: str, provider: Provider) -> Advice | None:
    """Say what should be thought over about the pattern of a filter."""
    texts = read_texts(pattern)
    if kind in _REFS:
        return _advise_ref(pattern, texts, _REFS[kind])
    if kind is FilterType.TAG_NAME:
        return _advise_short(pattern, texts, TAGS)
    if kind is FilterType.FILE_PATH:
        return _advise_path(pattern, texts)
    if kind is FilterType.REPOSITORY_NAME and (never := [one for one in texts if _holds(one, "/")]):
        why = f"{_lead(never, texts)} found in no name of a repository, which is without that of its owner"
        return Advice(code=NEVER_MATCHES, why=why)
    if kind is FilterType.ACTOR_ACCOUNT_ID and provider in _NUMBERED:
        return _advise_number(pattern, texts, provider)
    return None


def advise_branch(pattern: str) -> Advice | None:
    """Say what should be thought over about a branchFilter, which looks at short names."""
    texts = read_texts(pattern)
    never = _advise_short(pattern, texts, BRANCHES)
    starts = [one for one in texts if _opens(one)]
    return never or _advise_anchors(pattern, texts, starts, before="^" if starts else "")


def convert_branch_filter(pattern: str) -> str | None:
    """Give the pattern that finds in refs of branches what `pattern` finds in their short names; None if unsure."""
    tree = read_pattern(pattern, "", whole=False)
    at_start = isinstance(tree, Parts) and tree.parts[:1] == (Start(),) and pattern.startswith("^")
    rest = Parts(tree.parts[1:]) if at_start and isinstance(tree, Parts) else tree
    if _looks_back(rest):
        return None
    return _check(f"^{BRANCHES}{pattern[1:]}" if at_start else f"^{BRANCHES}.*{_group(pattern)}")


def _looks_back(tree: Tree) -> bool:
    """Tell whether what stands before a text counts."""
    if is_last_line_end(tree):
        return False
    match tree:
        case Start() | Behind():
            return True
        case Parts(parts) | Choice(parts):
            return any(map(_looks_back, parts))
        case Repeat(part) | Ahead(part):
            return _looks_back(part)
        case _:
            return False


def _advise_ref(pattern: str, texts: Sequence[Text], prefixes: Sequence[str]) -> Advice | None:
    never = [one for one in texts if one.at_start and not _may_begin(one, prefixes)]
    if never:
        why = f"{_lead(never, texts)} found in no ref: each begins with {' or '.join(prefixes)}"
        short = pattern.startswith("^") and all(one.at_start and one.begin[:1].isalnum() for one in texts)
        meant = short and not any(one.begin.startswith("refs") for one in texts)
        return Advice(code=NEVER_MATCHES, why=why, instead=_check(f"^{BRANCHES}{pattern[1:]}") if meant else None)
    full = all(one.begin and (one.at_start or _may_begin(one, prefixes)) for one in texts)
    starts = [one for one in texts if _opens(one) and not _may_begin(one, prefixes)]
    return _advise_anchors(pattern, texts, starts, before="^" if full else f"^{BRANCHES}" if starts else "")


def _advise_anchors(pattern: str, texts: Sequence[Text], starts: Sequence[Text], *, before: str) -> Advice | None:
    """Recommend anchors where a name begins before the pattern, or goes on behind it.

    `before` is what to put before the pattern; nothing where it is not known what the texts begin with.
    """
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
    even = even and len(starts) in (0, len(texts)) and len(ends) in (0, len(texts))
    # Nor is it known what is meant by a part of refs/heads/, or by what looks back at what would be the start.
    even = even and not any(one.begin.startswith(_PARTS_OF_REFS) for one in starts)
    even = even and not (first and _looks_back(read_pattern(pattern, "", whole=False)))
    return Advice(code=UNANCHORED, why=why, instead=_check(f"{first}{_group(pattern)}{last}") if even else None)


def _advise_short(pattern: str, texts: Sequence[Text], prefix: str) -> Advice | None:
    """Say that short names do not begin with refs/."""
    never = [one for one in texts if one.begin.startswith(prefix)]
    if not never:
        return None
    why = f"{_lead(never, texts)} found in no short name, which does not begin with {prefix}"
    short = _check(pattern.replace(prefix, "")) if len(never) == len(texts) else None
    return Advice(code=NEVER_MATCHES, why=why, instead=short)


def _advise_number(pattern: str, texts: Sequence[Text], provider: Provider) -> Advice | None:
    never = [one for one in texts if not all(map(_has_digit, one.singles))]
    if never:
        why = f"{_lead(never, texts)} found in no id of an account: those of {provider} are numbers"
        return Advice(code=NEVER_MATCHES, why=why)
    open_ones = [one for one in texts if one.plain and one.begin and not (one.at_start and one.at_end)]
    if not open_ones:
        return None
    why = f"is looked for anywhere, and found in longer numbers too (9{open_ones[0].begin}6)"
    alone = not any(one.at_start or one.at_end for one in texts)
    return Advice(code=UNANCHORED, why=why, instead=_check(f"^{_group(pattern)}$") if alone else None)


def _advise_path(pattern: str, texts: Sequence[Text]) -> Advice | None:
    never = [one for one in texts if one.at_start and one.begin.startswith(("/", "./"))]
    if not never:
        return None
    why = f"{_lead(never, texts)} found in no path: each begins with the first folder's name"
    begins = pattern.removeprefix("^").removeprefix("\\.").removeprefix("/")
    return Advice(code=NEVER_MATCHES, why=why, instead=_check(f"^{begins}") if len(texts) == 1 else None)


def _lead(never: Sequence[Text], texts: Sequence[Text]) -> str:
    """Begin to say that a pattern, or what of it is in `never`, is found nowhere."""
    return "is" if len(never) == len(texts) else "has alternatives that are"


def _holds(one: Text, letter: str) -> bool:
    return any(single.ranges == ((ord(letter), ord(letter)),) for single in one.singles)


def _may_begin(one: Text, prefixes: Sequence[str]) -> bool:
    """Tell whether what a text begins with can be the beginning of a ref."""
    if one.plain and one.at_end:
        return one.begin.startswith(tuple(prefixes))
    return any(one.begin.startswith(prefix) or prefix.startswith(one.begin) for prefix in prefixes)


def _opens(one: Text) -> bool:
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
