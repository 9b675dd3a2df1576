r"""How `java.util.regex` reads a pattern: a recursive descent over the constructs that mean the same in all releases.

What is refused, and why: back-references and atomic groups (the automaton does not go back), `\b` (its letters are
Unicode's in Java 8 to 18 and ASCII's from 19 on), character classes by Unicode's properties (each release has another
Unicode), `&&` and brackets inside of brackets (releases differ), lookbehinds of any length, flags in the middle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from hookwright.filters.patterns import classes
from hookwright.filters.patterns.behind import NO_RETURN, list_texts, one_behind
from hookwright.filters.patterns.refusal import PatternRefusal
from hookwright.filters.patterns.tree import (
    Ahead,
    Behind,
    Chars,
    Choice,
    Empty,
    End,
    Ranges,
    Repeat,
    Sequence,
    Start,
    Tree,
    chars,
    invert,
    join,
    where_empty,
)

FLAGS: Final = "dixmsuU"  # Jayway's, by `PatternFlag`
MAX_REPEAT = 1_000
MAX_DEPTH = 100  # the reader calls itself for each group within a group

_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
_GROUP = re.compile(r"\?(?:(:)|(=)|(!)|(<=)|(<!)|<([A-Za-z][A-Za-z0-9]*)>|([dixmsuU]*)(?:-([dixmsuU]+))?(\)|:))")
_SPACES = " \t\n\x0b\f\r"
_INSTEAD = {
    "b": "(?:(?<!\\w)(?=\\w)|(?<=\\w)(?!\\w))",
    "B": "(?:(?<!\\w)(?!\\w)|(?<=\\w)(?=\\w))",
    "R": "(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Flags:
    letters: frozenset[str]

    def has(self, letter: str) -> bool:
        return letter in self.letters

    @property
    def case(self) -> classes.Case:
        if not self.has("i"):
            return classes.Case.EXACT
        return classes.Case.UNICODE if self.has("u") else classes.Case.ASCII


def read_pattern(text: str, flags: str, *, whole: bool = True) -> Tree:
    """Read a pattern with its flags, to match texts as a `whole` or to be found in them; raise `PatternRefusal`."""
    if "U" in flags:
        at = len(text)
        raise PatternRefusal("the flag U is not taken, for each Java has another Unicode", at=at, stop=at)
    tree = _PatternReader(text, _Flags(letters=frozenset(flags))).read()
    return _trim(tree, first=True, last=True) if whole else tree


def is_last_line_end(part: Tree) -> bool:
    """Tell whether a part is `$` without the flag m: the end of the text, or of its last line."""
    return part in _LAST_LINE_ENDS


def _trim(part: Tree, *, first: bool, last: bool) -> Tree:  # noqa: PLR0911 - one for each kind
    """Leave out what always holds where a text is matched as a whole: `^` at its start and `$` at its end."""
    match part:
        case Start() if first:
            return Sequence(())
        case End() if last:
            return Sequence(())
        case Choice() if last and part in _LINE_ENDS:
            return Sequence(())
        case Choice(parts):
            return Choice(tuple(_trim(one, first=first, last=last) for one in parts))
        case Sequence(parts) if len(parts) == 1:
            return _trim(parts[0], first=first, last=last)
        case Sequence(parts) if parts:
            head, *middle, tail = parts
            return Sequence((_trim(head, first=first, last=False), *middle, _trim(tail, first=False, last=last)))
        case _:
            return part


class _PatternReader:
    """Reads alternatives of sequences of quantified atoms; flags hold to the end of the group that they stand in."""

    def __init__(self, text: str, flags: _Flags) -> None:
        self._text = text
        self._at = 0
        self._flags = flags
        self._names: set[str] = set()
        self._depth = 0

    def read(self) -> Tree:
        found = self._read_choice()
        if self._here:
            self._refuse("there is a ) without its (", stop=self._at + 1, instead="\\)")
        return found

    @property
    def _here(self) -> str:
        return self._text[self._at : self._at + 1]

    def _refuse(
        self, why: str, *, at: int | None = None, stop: int | None = None, instead: str | None = None
    ) -> NoReturn:
        at = self._at if at is None else at
        raise PatternRefusal(why, at=at, stop=at if stop is None else stop, instead=instead)

    def _read_choice(self) -> Tree:
        options = [self._read_sequence()]
        while self._here == "|":
            self._at += 1
            options.append(self._read_sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _read_sequence(self) -> Tree:
        parts: list[Tree] = []
        while True:
            self._skip_comments()
            if not self._here or self._here in "|)":
                return parts[0] if len(parts) == 1 else Sequence(tuple(parts))
            parts.extend(self._read_quantified())

    def _skip_comments(self) -> None:
        while self._flags.has("x") and self._here and self._here in _SPACES + "#":
            if self._here == "#":
                ends = [at for end in "\n\r\x85\u2028\u2029" if (at := self._text.find(end, self._at)) >= 0]
                self._at = min(ends, default=len(self._text))
            else:
                self._at += 1

    def _read_quantified(self) -> list[Tree]:
        start = self._at
        atoms = self._read_atoms()
        quantifier = _QUANTIFIER.match(self._text, self._at)
        if quantifier is None:
            if self._here == "{":
                self._refuse("a brace that repeats nothing must be escaped", stop=self._at + 1, instead="\\{")
            return atoms
        if not atoms:
            self._refuse("there is nothing to repeat before this")
        *before, atom = atoms
        if isinstance(atom, (Ahead, Behind, Start, End)) or atom in _LINE_STARTS or atom in _LINE_ENDS:
            self._refuse("what has no width is not repeated", at=start)
        self._at = quantifier.end()
        repeated: Tree = self._repeat(atom, quantifier)
        if self._here == "+":
            repeated = self._possessive(atom, self._repeat(atom, quantifier), start, quantifier)
            self._at += 1
        elif self._here == "?":
            self._at += 1  # reluctance does not matter where the whole text must match
        if (self._here and self._here in "*+?{") or (self._flags.has("x") and self._before_quantifier()):
            self._refuse("a repetition is not repeated: put it into (?:…)")
        return [*before, repeated]

    def _before_quantifier(self) -> bool:
        rest = self._text[self._at :].lstrip(_SPACES)
        return rest[:1] != "" and rest[0] in "*+?{" and len(rest) < len(self._text) - self._at

    def _repeat(self, atom: Tree, quantifier: re.Match[str]) -> Repeat:
        sign = quantifier[0][0]
        if sign != "{":
            return Repeat(atom, 1 if sign == "+" else 0, 1 if sign == "?" else None)
        least = int(quantifier[1])
        most = least if quantifier[2] is None else None if quantifier[3] is None else int(quantifier[3])
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            self._refuse(f"a repetition has a least and then a most, and {MAX_REPEAT} at most", at=quantifier.start())
        if least > 1 and where_empty(atom) is Empty.SOMEWHERE:
            why = "what may be empty before or after certain characters only is not repeated twice or more: Java stops"
            self._refuse(why, at=quantifier.start())
        return Repeat(atom, least, most)

    def _possessive(self, atom: Tree, repeated: Repeat, start: int, quantifier: re.Match[str]) -> Tree:
        """Read `X*+`: for one character it is `X*` where no X follows."""
        if not isinstance(atom, Chars) or (repeated.most is not None and repeated != Repeat(atom, 0, 1)):
            plain = self._text[start : quantifier.end()]
            self._refuse("only *+ ++ and ?+ of one character are taken", at=start, stop=self._at + 1, instead=plain)
        stop = Ahead(atom, negated=True)
        return Choice((atom, stop)) if repeated.most == 1 else Sequence((repeated, stop))

    def _read_atoms(self) -> list[Tree]:  # noqa: PLR0911 - one for each kind
        here = self._here
        self._at += 1
        match here:
            case "(":
                return self._read_group()
            case "[":
                return [self._read_class()]
            case "\\":
                return self._read_escape()
            case ".":
                if self._flags.has("s"):
                    return [Chars(invert(()))]
                return [Chars(invert(classes.UNIX_LINE if self._flags.has("d") else classes.LINES))]
            case "^":
                return [_line_start(unix=self._flags.has("d")) if self._flags.has("m") else Start()]
            case "$":
                return [_line_end(unix=self._flags.has("d"), multiline=self._flags.has("m"))]
            case "*" | "+" | "?":
                return self._refuse(
                    "there is nothing to repeat before this", at=self._at - 1, stop=self._at, instead="\\" + here
                )
            case "{":
                return self._refuse("a brace must be escaped", at=self._at - 1, stop=self._at, instead="\\{")
            case _:
                return [self._char(here, at=self._at - 1)]

    def _char(self, char: str, *, at: int) -> Chars:
        ranges = classes.fold(((ord(char), ord(char)),), self._flags.case)
        if ranges is None:
            both = "".join(dict.fromkeys((char.lower(), char.upper())))
            self._refuse(
                "with the flags i and u only ASCII letters are taken", at=at, stop=self._at, instead=f"[{both}]"
            )
        return Chars(ranges)

    def _read_group(self) -> list[Tree]:
        opened, flags = self._at - 1, self._flags
        kind = None
        if self._here == "?":
            kind = _GROUP.match(self._text, self._at)
            if kind is None:
                self._refuse_group(opened)
            self._at = kind.end()
            if kind[9] is not None:
                self._set_flags(kind, opened)
                if kind[9] == ")":
                    return []
            if kind[6] in self._names:
                self._refuse("a name is given to one group only", at=opened)
            if kind[6]:
                self._names.add(kind[6])
        inner = self._read_inner(opened)
        if self._here != ")":
            self._refuse("there is a ( without its )", at=opened, stop=opened + 1, instead="\\(")
        self._at += 1
        self._flags = flags
        if kind is not None and (kind[2] or kind[3]):
            return [Ahead(inner, negated=bool(kind[3]))]
        if kind is not None and (kind[4] or kind[5]):
            return [self._behind(inner, opened, negated=bool(kind[5]))]
        return [inner]

    def _read_inner(self, opened: int) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"at most {MAX_DEPTH} groups are taken within each other", at=opened)
        inner = self._read_choice()
        self._depth -= 1
        return inner

    def _refuse_group(self, opened: int) -> NoReturn:
        for written, instead in (("(?>", "(?:"), ("(?P<", "(?<")):
            if self._text.startswith(written, opened):
                self._refuse("this kind of group is not taken", at=opened, stop=opened + len(written), instead=instead)
        self._refuse("this kind of group is not taken", at=opened)

    def _set_flags(self, kind: re.Match[str], opened: int) -> None:
        if "U" in kind[7] + (kind[8] or ""):
            self._refuse("the flag U is not taken, for each Java has another Unicode", at=opened)
        if kind[9] == ")" and not self._is_whole(opened):
            why = "flags may stand at the start, or with what they are for, as in (?i:main)"
            self._refuse(why, at=opened)
        self._flags = replace(self._flags, letters=(self._flags.letters | set(kind[7])) - set(kind[8] or ""))

    def _is_whole(self, opened: int) -> bool:
        """Tell whether only such flags stand before this place."""
        return re.fullmatch(r"(?:\(\?[dixmsuU-]*\))*", self._text[:opened]) is not None

    def _behind(self, inner: Tree, opened: int, *, negated: bool) -> Behind:
        texts = list_texts(inner)
        if texts is None:
            self._refuse("only texts of fixed length, as (?<![.]md) or (?<!a[b-z]), are looked for behind", at=opened)
        return Behind(texts, negated)

    def _read_escape(self) -> list[Tree]:
        at = self._at - 1
        here = self._here
        if here == "Q":
            return self._read_quoted(at)
        self._at += 1
        match here:
            case "A":
                return [Start()]
            case "z":
                return [End()]
            case "Z":
                return [_line_end(unix=self._flags.has("d"), multiline=False)]
            case "b" | "B" | "R":
                why = f"\\{here} is not the same in each Java; say what may stand there"
                return self._refuse(why, at=at, stop=self._at, instead=_INSTEAD[here])
            case _:
                self._at = at
                found = self._read_escaped()
                return [self._char(found, at=at) if isinstance(found, str) else Chars(found)]

    def _read_quoted(self, at: int) -> list[Tree]:
        if self._flags.has("x"):
            self._refuse("\\Q is not taken with the flag x", at=at)
        stop = self._text.find("\\E", self._at)
        quoted = self._text[self._at + 1 :] if stop < 0 else self._text[self._at + 1 : stop]
        self._at = len(self._text) if stop < 0 else stop + 2
        return [self._char(char, at=at) for char in quoted]

    def _read_escaped(self) -> str | Ranges:
        """Read a backslash and what belongs to it, inside of brackets or outside: a character, or a set of them."""
        found, self._at = classes.read_escape(self._text, self._at, self._flags.case)
        return found

    def _read_class(self) -> Chars:
        opened = self._at - 1
        negated = self._here == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while self._here != "]" or first:
            if not self._here:
                self._refuse("there is a [ without its ]", at=opened, stop=opened + 1, instead="\\[")
            ranges.extend(self._read_class_item(first=first))
            first = False
        self._at += 1
        found = join(ranges)
        return Chars(invert(found) if negated else found)

    def _read_class_item(self, *, first: bool) -> Ranges:
        at, here = self._at, self._here
        if here in ("[", "]") or (here == "-" and not first and self._text[at + 1 : at + 2] != "]"):
            instead = None if here == "[" else "\\" + here  # for Java it begins a set within the set
            self._refuse(f"a {here} inside of brackets must be escaped", stop=at + 1, instead=instead)
        if self._text.startswith("&&", at):
            self._refuse("&& inside of brackets is not taken: write (?!x)[a-z] for letters without x")
        if self._flags.has("x") and here in _SPACES + "#":
            self._refuse("with the flag x a blank inside of brackets must be escaped", stop=at + 1, instead=f"\\{here}")
        low = self._read_class_char()
        if not isinstance(low, str):
            return low
        high = low
        if self._here == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
            self._at += 1
            if self._here == "[" or (self._flags.has("x") and self._here in _SPACES + "#"):
                self._refuse("a range needs a character at its end")
            end = self._read_class_char()
            if not isinstance(end, str) or end < low:
                self._refuse("a range needs a character at its end, and not one before its start", at=at)
            high = end
        ranges = classes.fold(((ord(low), ord(high)),), self._flags.case)
        if ranges is None:
            self._refuse("with the flags i and u only ASCII letters are taken: give both cases, without u", at=at)
        return ranges

    def _read_class_char(self) -> str | Ranges:
        if self._here == "\\":
            return self._read_escaped()
        self._at += 1
        return self._text[self._at - 1]


def _line_start(*, unix: bool) -> Tree:
    """Give `^` with the flag m, which does not match at the end of a text."""
    if unix:
        starts: tuple[Tree, ...] = (Start(), one_behind(classes.UNIX_LINE, negated=False))
    else:
        after_return = Sequence((one_behind(chars("\r").ranges, negated=False), Ahead(chars("\n"), negated=True)))
        starts = (Start(), one_behind(chars("\n", "\x85", "\u2028", "\u2029").ranges, negated=False), after_return)
    return Sequence((Ahead(End(), negated=True), Choice(starts)))


def _line_end(*, unix: bool, multiline: bool) -> Tree:
    r"""Give `$`: the end, or before a line's end, which without the flag m must be the last one; not within \\r\\n."""
    last: tuple[Tree, ...] = () if multiline else (End(),)
    if unix:
        return Choice((End(), Ahead(Sequence((chars("\n"), *last)), negated=False)))
    return Choice(
        (
            End(),
            Ahead(Sequence((chars("\r"), chars("\n"), *last)), negated=False),
            Ahead(Sequence((chars("\r", "\x85", "\u2028", "\u2029"), *last)), negated=False),
            Sequence((NO_RETURN, Ahead(Sequence((chars("\n"), *last)), negated=False))),
        )
    )


_LINE_STARTS = [_line_start(unix=unix) for unix in (True, False)]
_LAST_LINE_ENDS = [_line_end(unix=unix, multiline=False) for unix in (True, False)]
_LINE_ENDS = [_line_end(unix=unix, multiline=multiline) for unix in (True, False) for multiline in (True, False)]
