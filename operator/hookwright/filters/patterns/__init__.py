"""Regular expressions of filters: what `java.util.regex` matches or finds, in time that no text can stretch.

    compile_pattern(text, flags)    reading (Java's letters) → tree
      Pattern.matches(text, spend)  tree → automaton: whether the whole text matches, as `Matcher.matches` tells
    compile_search(text)
      Search.finds(text, spend)     whether it is found anywhere in the text, as `Matcher.find` tells

Patterns meet text that anybody may have written, so nothing here goes back: the automaton looks at each character
once. Python's `re` was not taken because it goes back without end and means other things by the same letters.
"""

from hookwright.filters.patterns.automaton import MAX_STATES, TooManyStates
from hookwright.filters.patterns.pattern import Pattern
from hookwright.filters.patterns.reading import FLAGS, read_pattern
from hookwright.filters.patterns.refusal import PatternRefusal
from hookwright.filters.patterns.searching import Search

__all__ = ["FLAGS", "MAX_STATES", "Pattern", "PatternRefusal", "Search", "compile_pattern", "compile_search"]


def compile_pattern(text: str, flags: str) -> Pattern:
    """Compile a pattern with Jayway's flags; raise `PatternRefusal` for what would not mean the same here."""
    try:
        return Pattern(read_pattern(text, flags))
    except TooManyStates as error:
        raise _refuse_size(text) from error


def compile_search(text: str) -> Search:
    """Compile a pattern that is looked for in texts; raise `PatternRefusal` for what would not mean the same here."""
    try:
        return Search(read_pattern(text, "", whole=False))
    except TooManyStates as error:
        raise _refuse_size(text) from error


def _refuse_size(text: str) -> PatternRefusal:
    why = f"it repeats too much: written out, it has more than {MAX_STATES} parts"
    return PatternRefusal(why, at=0, stop=len(text))
