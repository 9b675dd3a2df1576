"""Regular expressions of filters: what `java.util.regex` matches as a whole, in time that no text can stretch.

    compile_pattern(text, flags)    reading (Java's letters) → tree
      Pattern.matches(text, spend)  tree → automaton: whether the whole text matches, as `Matcher.matches` tells

Patterns meet text that anybody may have written, so nothing here goes back: the automaton looks at each character
once. Python's `re` was not taken because it goes back without end and means other things by the same letters.
"""

from hookwright.filters.patterns.automaton import MAX_STATES, TooManyStates
from hookwright.filters.patterns.pattern import Pattern
from hookwright.filters.patterns.reading import FLAGS, read_pattern
from hookwright.filters.patterns.refusal import PatternRefusal

__all__ = ["FLAGS", "MAX_STATES", "Pattern", "PatternRefusal", "compile_pattern"]


def compile_pattern(text: str, flags: str) -> Pattern:
    """Compile a pattern with Jayway's flags; raise `PatternRefusal` for what would not mean the same here."""
    try:
        return Pattern(read_pattern(text, flags))
    except TooManyStates as error:
        why = f"it repeats too much: written out, it has more than {MAX_STATES} parts"
        raise PatternRefusal(why, at=0, stop=len(text)) from error
