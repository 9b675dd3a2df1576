"""Regular expressions: what they match, what is refused, and that no text makes them slow."""

from __future__ import annotations

import random
import re
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hookwright.filters import MAX_NODES, Budget, EvaluationError, compile_expression
from hookwright.filters.patterns import FLAGS, PatternRefusal, compile_pattern
from hookwright.filters.patterns.pattern import Pattern, Room
from hookwright.filters.patterns.reading import read_pattern


def is_match(pattern, text, flags=""):
    return compile_pattern(pattern, flags).matches(text, lambda _nodes: None)


def compile_or_none(pattern):
    try:
        return compile_pattern(pattern, "")
    except PatternRefusal:
        return None


# What java.util.regex (17) says; the golden file has more, by way of Jayway.
@pytest.mark.parametrize(
    ("pattern", "flags", "matching", "others"),
    [
        ("main", "", ["main"], ["main ", "xmain", "MAIN", ""]),
        ("", "", [""], ["x", "\n"]),
        ("refs/heads/(main|release/.+)", "", ["refs/heads/main", "refs/heads/release/1"], ["refs/heads/release/"]),
        ("MÄIN", "i", ["mÄin"], ["mäin"]),
        ("kelvins", "iu", ["\u212aELVIN\u017f"], ["kelvin"]),
        ("[k-l]", "iu", ["\u212a", "L"], ["m"]),
        ("a.b", "", ["a-b", "a\U0001f600b"], ["a\nb", "a\rb", "a\x85b", "a\u2028b"]),
        ("a.b", "d", ["a\rb", "a\u2029b"], ["a\nb"]),
        ("a.b", "s", ["a\nb"], ["ab"]),
        ("^a$", "", ["a"], ["a\n"]),
        ("a$\\s*", "", ["a", "a\n", "a\r\n"], ["a\n\n"]),
        ("a\\Z\\n", "", ["a\n"], ["a"]),
        ("(?m)a$\\s+^b", "", ["a\nb", "a\r\nb", "a\n\nb"], ["ab"]),
        ("\\r$\\n", "m", [], ["\r\n"]),
        ("a\n^", "m", [], ["a\n"]),
        ("a b # c", "x", ["ab"], ["a b"]),
        ("\\d\\D\\w\\W\\s\\S", "", ["1a_- x", "0-a\xe4\tx"], ["\u0661a_- x", "1a\xe4- x"]),
        ("[^\\w-]", "", ["\xe4", "\n"], ["a", "-"]),
        ("[a-c\\]x-]+", "", ["ab]x-"], ["d"]),
        ("\\h\\v", "", ["\u3000\u2028"], ["\n "]),
        ("\\x61\\u0062\\x{1F600}\\t\\Qa.b\\E", "", ["ab\U0001f600\ta.b"], ["ab\U0001f600\taxb"]),
        ("\\p{Upper}\\P{Alpha}", "", ["A1"], ["\xc41", "AB"]),
        ("(?i)a(?-i)b", "", [], []),
        ("(?i:a)b", "", ["Ab"], ["AB"]),
        ("(?!x).*", "", ["", "ax"], ["xa"]),
        ("(?:(?!skip).)*", "", ["sip", ""], ["a skip b"]),
        (".*(?=b)b", "", ["ab"], ["ba"]),
        ("a(?<=a)(?<!b)b", "", ["ab"], ["b"]),
        (".*(?<!\\.md)", "", ["", "md", "a.m", "a.md.", "xmd", "\U0001f600"], [".md", "a.md"]),
        (".*(?<!\\.(?:md|txt))", "", ["a.t", "md"], ["a.md", "a.txt"]),
        (".*(?<=ab|c)d?", "", ["ab", "abd", "xc", "cd"], ["", "b", "ac ", "a\nab"]),
        ("(?i).*(?<=[a-b]b)", "", ["AB", "xbB"], ["B", "cb"]),
        (".*(?<=.b)c", "", ["abc", "\U0001f600bc"], ["bc", "xc"]),
        (".*(?<=\\d{4}-(?:ab){2})c", "", ["2026-ababc"], ["ababc", "202-ababc", "2026-abc"]),
        ("a++b?+", "", ["aab", "a"], ["b"]),
        ("a*+a", "", [], ["aa"]),
        ("a{2,3}?b{1}c{2,}", "", ["aabcc", "aaabccc"], ["abcc", "aabc"]),
        ("(a?)*b|(?:)", "", ["aab", ""], ["a"]),
        ("(?:(?:(?:(?:){1000}){1000}){1000}|a{0}){1000}b", "", ["b"], ["", "ab"]),
    ],
)
def test_a_pattern_matches_whole_texts_as_java_does(pattern, flags, matching, others):
    """A pattern matches a text as a whole, with Java's meaning of classes, line ends and flags."""
    if not matching and not others:
        with pytest.raises(PatternRefusal):
            compile_pattern(pattern, flags)
        return
    assert [text for text in (*matching, *others) if is_match(pattern, text, flags)] == matching


@pytest.mark.parametrize(
    ("pattern", "flags", "at", "why"),
    [
        ("a\\bb", "", 1, "each Java"),
        ("a\\R", "", 1, "each Java"),
        ("(a)\\1", "", 3, "back-references"),
        ("\\p{L}", "", 0, "Unicode"),
        ("\\p{Lower}", "i", 0, "each Java"),
        ("a", "U", 1, "Unicode"),
        ("(?U)a", "", 0, "Unicode"),
        ("\xe4", "iu", 0, "ASCII"),
        ("(?>a)", "", 0, "group"),
        ("(?<n>a)(?<n>b)", "", 7, "one group"),
        ("(?:ab)*+", "", 0, "one character"),
        ("(?<=a+)c", "", 0, "fixed length"),
        ("x(?<!)c", "", 1, "fixed length"),
        ("(?<=^a)c", "", 0, "fixed length"),
        ("(?<=(?=a)a)c", "", 0, "fixed length"),
        ("(?<=a.)c", "", 0, "fixed length"),  # Java's `.` takes half of a character of the other planes there
        ("(?<=\U0001f600)c", "", 0, "fixed length"),
        ("(?<=[\\x{E000}-\\x{10FFFF}])c", "", 0, "fixed length"),  # nor does it take the half of one
        ("(?<=[\\x00-\\x{FFFF}])c", "", 0, "fixed length"),  # this takes the half alone
        ("(?<=a{1,2})c", "", 0, "fixed length"),
        ("(?<=(?:ab|c){2})d", "", 0, "fixed length"),  # to Java neither
        ("(?<=a{0})c", "", 0, "fixed length"),
        ("(?<=(?:(?:a{1000}){1000}){1000})c", "", 0, "fixed length"),
        ("(?<=(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b))c", "", 0, "fixed length"),  # in 128 ways
        ("[a[b]]", "", 2, "escaped"),
        ("[a&&b]", "", 2, "&&"),
        ("(?#a)", "", 0, "group"),
        ("[]a]", "", 1, "escaped"),
        ("[b-a]", "", 1, "range"),
        ("[a", "", 0, "without"),
        ("(a", "", 0, "without"),
        ("a)", "", 1, "without"),
        ("*a", "", 0, "nothing to repeat"),
        ("a{", "", 1, "escaped"),
        ("a{3,2}", "", 1, "least"),
        ("a{\u0663}", "", 1, "escaped"),  # ARABIC-INDIC DIGIT THREE: a digit for Python only
        ("a**", "", 2, "not repeated"),
        ("(a|(?=b)){2,}", "", 9, "Java stops"),
        ("(?:$|a){2}", "", 7, "Java stops"),
        ("^*", "", 0, "no width"),
        ("a(?i)b", "", 1, "start"),
        ("a\\", "", 1, "backslash"),
        ("\\y", "", 0, "not taken"),
        ("\\ud83d", "", 0, "no character"),
        ("(?:a{1000}){1000}", "", 0, "repeats too much"),
    ],
)
def test_what_means_something_else_elsewhere_is_refused(pattern, flags, at, why):
    """What Java's releases read differently, or what needs to go back, is refused at its place, with the reason."""
    with pytest.raises(PatternRefusal, match=re.escape(why)) as refused:
        compile_pattern(pattern, flags)
    assert refused.value.at == at


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        ("(?>a)b", "(?:a)b"),
        ("(?P<n>a)b", "(?<n>a)b"),
        ("(?#n)b", None),
        ("(?'n'a)b", None),
        ("[]a]", "[\\]a]"),
        ("[\\w-.]", "[\\w\\-.]"),
        ("[a-z[0-9]]", None),
        ("[a-z&&[^x]]", None),
    ],
)
def test_a_rewrite_of_a_pattern_means_what_was_meant(pattern, instead):
    """What would compile but mean something else is not given as a rewrite."""
    with pytest.raises(PatternRefusal) as refused:
        compile_pattern(pattern, "")
    found = refused.value
    assert instead == (found.instead and pattern[: found.at] + found.instead + pattern[found.stop :])


# Python takes alternatives of one length only.
BEHIND = st.sampled_from(["a", "ab", "[ab]b", "[^a]b", "aa|b1", "(?:a|b)1", "aba", "a(?:1|a)b|bbb", "a{2}b", "^", "$"])
SIMPLE = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "$", "^", "1"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "*?"])).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        inner.map(lambda part: f"(?={part})"),
        inner.map(lambda part: f"(?!{part})"),
        st.tuples(st.sampled_from(["=", "!"]), BEHIND).map(lambda pair: f"(?<{pair[0]}{pair[1]})"),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(SIMPLE, st.text("ab1c", max_size=6))
def test_simple_patterns_match_what_python_matches(pattern, text):
    """Where Python's `re` means the same, the automaton finds what it finds."""
    compiled = compile_or_none(pattern)
    assume(compiled is not None)  # `(?:^)*` is refused
    assert compiled.matches(text, lambda _nodes: None) == (re.fullmatch(pattern, text) is not None)


@settings(deadline=None)
@given(st.text("ab[]()\\^$.|?*+{}1,-&dwsbQEpx<=!: #", max_size=20), st.text(FLAGS, max_size=3), st.text(max_size=5))
def test_any_pattern_is_compiled_or_refused(pattern, flags, text):
    """Any letters make a pattern, which has an answer for any text, or a refusal; nothing else is raised."""
    with suppress(PatternRefusal):
        assert compile_pattern(pattern, flags).matches(text, lambda _nodes: None) in (True, False)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*a){9}b", "(?:a(?!b))*c", "a*a*a*a*a*a*a*b"])
def test_no_text_makes_a_pattern_go_back(pattern):
    """Patterns that take for ever elsewhere cost a node for every 16 characters, and those for few sets of states."""
    spent = []
    compiled = compile_pattern(pattern, "")
    text = "a" * 100_000
    assert not compiled.matches(text + "!", spent.append)
    assert sum(spent) < len(text) // 16 + 2_000


def test_a_text_that_needs_many_sets_of_states_spends_the_budget():
    """A pattern with more sets of states than can be kept ends as a spent budget, not as one that does not match."""
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(200_000))
    budget = Budget()
    expression = compile_expression("$[?(@.t =~ /.*(?=a.{12}b).*(?!b.{9}a).*/)]")
    with pytest.raises(EvaluationError, match=str(MAX_NODES)):
        expression.search({"t": text}, budget)
    assert budget.spent


def test_what_a_pattern_keeps_does_not_change_its_answers():
    """A text is matched alike the first time, the second time, and after what was kept has been forgotten."""
    pattern = compile_pattern(".*a.{11}", "")
    texts = ["".join("ab"[number >> bit & 1] for bit in range(14)) for number in range(3_000)]
    first = [pattern.matches(text, lambda _nodes: None) for text in texts]
    assert first == [re.fullmatch(".*a.{11}", text) is not None for text in texts]
    assert first == [pattern.matches(text, lambda _nodes: None) for text in texts]


def test_all_automata_share_one_room():
    """When all automata together hold too much, all are given up; the patterns answer as before."""
    room = Room(100_000)
    patterns = [Pattern(read_pattern(f".*a.{{{place}}}", ""), room) for place in range(40)]
    texts = ["a" + "b" * place for place in range(40)]

    def made(pattern):
        """Give the number of nodes that a short text costs: much, if the automaton must be made for it."""
        spent = []
        pattern.matches("", spent.append)
        return sum(spent) >= pattern.size

    for pattern, text in zip(patterns, texts, strict=True):
        assert pattern.matches(text, lambda _nodes: None)
    assert not made(patterns[-1])
    assert made(patterns[0])
    for pattern, text in zip(patterns, texts, strict=True):
        assert pattern.matches(text, lambda _nodes: None)


def test_what_is_learned_takes_room_too():
    """A pattern that learns from many texts is given up when its room is full, and begins anew."""
    sizes = []

    class Counting(Room):
        def take(self, size):
            sizes.append(size)
            super().take(size)

    pattern = Pattern(read_pattern(".*a.{11}", ""), Counting(10_000))
    texts = ["".join("ab"[number >> bit & 1] for bit in range(14)) for number in range(3_000)]
    assert [pattern.matches(text, lambda _nodes: None) for text in texts] == [text[2] == "a" for text in texts]
    assert sum(sizes) > 10_000


def test_going_through_many_states_counts():
    """A set of states costs by the parts that are gone through for it, as often as that is needed."""

    def cost_of(pattern):
        spent = []
        compile_pattern(pattern, "").matches("ab", spent.append)
        return sum(spent)

    nested = f"{'(' * 25}a?{')*' * 25}"
    assert cost_of(f"(?:{nested}.){{60}}") > 3 * cost_of("a{1000}a{600}") > 600


def test_what_takes_longer_to_read_counts_more():
    """Characters beyond Latin's count twice, and so do those of a pattern that looks back."""

    def cost_of(pattern, text):
        spent = []
        compiled = compile_pattern(pattern, "")
        compiled.matches(text, lambda _nodes: None)
        compiled.matches(text, spent.append)
        return sum(spent)

    plain = cost_of(".*", "x" * 16_000)
    assert plain == 1 + 1_000
    assert cost_of(".*", "\u4e00" * 16_000) == 1 + 2_000
    assert cost_of(".*(?<=x)", "x" * 16_000) == 1 + 2_000
