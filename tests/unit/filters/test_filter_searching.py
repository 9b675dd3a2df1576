"""Regular expressions that are looked for: what is found, and what that costs."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hookwright.filters.patterns import PatternRefusal, compile_search


def finds(pattern, text, spent=None):
    return compile_search(pattern).finds(text, (spent if spent is not None else []).append)


# What java.util.regex (17) says.
@pytest.mark.parametrize(
    ("pattern", "found", "others"),
    [
        ("", ["", "x", "\n"], []),
        ("main", ["main", "xmainx", "\nmain\n"], ["mai", "MAIN", ""]),
        ("^main", ["main", "mainx"], ["xmain", "\nmain", ""]),
        ("main$", ["main", "xmain", "main\n", "main\r\n", "main\r", "main\x85", "main\u2028"], ["mainx", "main\n\n"]),
        ("^main$", ["main", "main\n", "main\r\n"], ["xmain", "mainx", "main\n\n", ""]),
        ("^main\\z", ["main"], ["main\n", "mainx"]),
        ("main\\Z", ["xmain\n"], ["mainx"]),
        ("(?d)main$", ["main", "main\n"], ["main\r", "main\r\n"]),
        ("\r$", ["a\r", "a\r\r\n"], ["\r\n", "a"]),
        ("^$", ["", "\n", "\r\n"], ["a", "\n\n"]),
        ("$", ["", "a", "a\n"], []),
        ("^", ["", "a", "\n"], []),
        ("(?m)^b$", ["a\nb\nc", "b", "a\r\nb"], ["ab", "a\nbc"]),
        ("(?m)b$", ["ab\nc"], ["bc"]),
        ("^(?:a|b)$", ["a", "b\n"], ["ab"]),
        ("^(main)$", ["main"], ["xmain"]),
        ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
        ("(?i)^MAIN", ["main", "Main"], ["xmain"]),
        ("a.c", ["xabcx"], ["a\nc"]),
        ("(?<=/)a", ["x/a"], ["a", "xa"]),
        ("(?<!\\.md)$", ["a.py", "", "md", "a.md\n"], ["a.md", ".md"]),
        ("(?<=refs/heads/)main", ["refs/heads/main", "refs/heads/mainx"], ["main", "refs/heads/xmain"]),
        ("(?<!refs/heads/)main", ["main", "refs/heads/xmain"], ["refs/heads/main"]),
        ("^docs/.*(?<!\\.(?:md|txt))$", ["docs/a", "docs/md"], ["docs/a.md", "docs/b.txt", "a"]),
        ("^refs/heads/(?!main$)", ["refs/heads/x", "refs/heads/mainx"], ["refs/heads/main", "refs/heads"]),
        ("\\Qa.b\\E", ["xa.bx"], ["axb"]),
        ("^\U0001f600$", ["\U0001f600"], ["x\U0001f600"]),
        ("x\\.md$", ["ax.md"], ["x.mdx", "xmd"]),
    ],
)
def test_a_pattern_is_found_as_java_finds_it(pattern, found, others):
    """A pattern is found anywhere in a text, with Java's meaning of its anchors and of ends of lines."""
    assert [text for text in (*found, *others) if finds(pattern, text)] == found


# Python takes alternatives of one length only.
BEHIND = st.sampled_from(["a", "ab", "[ab]b", "[^a]b", "aa|b1", "(?:a|b)1", "aba", "a(?:1|a)b|bbb"])
SIMPLE = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "^", "1", "ab"]),
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
@given(SIMPLE, st.sampled_from(["", "^"]), st.sampled_from(["", "$", "\\z"]), st.text("ab1c\n", max_size=6))
def test_simple_patterns_find_what_python_finds(inner, start, end, text):
    """Where Python's `re` means the same, the same is found, with anchors or without."""
    try:
        search = compile_search(f"{start}{inner}{end}")
    except PatternRefusal:
        assume(False)  # `(?:^)*`
    python = f"{start}{inner}{end}".replace("\\z", "\\Z")
    expected = re.search(python, text) is not None
    assert search.finds(text, lambda _nodes: None) == search.finds_any((text,), lambda _nodes: None) == expected


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*a){9}b", "(?:a(?!b))*c", "a*a*a*a*a*b", "a+$", "(?:a(?<=a|aaaaaaab))+$"],
)
def test_no_text_makes_a_search_go_back(pattern):
    """Patterns that take for ever elsewhere cost a node for every 16 characters, and those for few sets of states."""
    spent = []
    text = "a" * 100_000
    assert not finds(pattern, text + "!", spent)
    assert sum(spent) < len(text) // 16 * 2 + 2_000


@pytest.mark.parametrize(
    "pattern", ["docs", "^docs/", "^docs$", "docs$", "^docs/.*[.]md$", "[a-z]+/docs[.]md", "^a$|^b$"]
)
def test_what_is_plainly_absent_costs_no_automaton(pattern):
    """A long text without what every match has costs by its length as texts are compared: 256 letters a node."""
    spent = []
    assert not finds(pattern, "x" * 256_000, spent)
    assert sum(spent) <= 2_002


@pytest.mark.parametrize(
    "pattern", ["docs", "^docs/", "^docs$", "docs$", "^(?:docs|src)/", "^a|docs$", "(?i)DOCS", "", "$"]
)
@pytest.mark.parametrize(
    "texts", [(), ("x",), ("docs",), ("x", "docs/a"), ("a docs\n", "x"), ("DOCS", "y"), ("src/x",), ("", "b"), ("\n",)]
)
def test_one_of_several_texts_is_enough(pattern, texts):
    """Of several texts the same is found as in each of them alone."""
    search = compile_search(pattern)
    found = search.finds_any(texts, lambda _nodes: None)
    assert found is any(search.finds(text, lambda _nodes: None) for text in texts)


def test_a_search_that_is_too_large_is_refused():
    """What cannot be written out in so many states is refused as elsewhere."""
    with pytest.raises(PatternRefusal, match="repeats too much"):
        compile_search("(?:a{1000}){1000}")


def test_groups_within_groups_have_an_end():
    """A pattern that would be read deeper and deeper is refused; Python does not end the reading."""
    assert finds("(" * 100 + "a" + ")" * 100, "xax")
    for depth in (101, 900):
        with pytest.raises(PatternRefusal, match="within each other"):
            compile_search("(" * depth + "a" + ")" * depth)
