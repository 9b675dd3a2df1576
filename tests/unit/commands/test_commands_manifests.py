"""Manifests as commands print them: kubectl reads what was meant; foreign names become valid ones, each its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hookwright.commands.manifests import (
    Manifest,
    check_label,
    check_subdomain,
    choose_names,
    put_on_one_line,
    render,
    write_json,
)
from hookwright.errors import UsageError
from hookwright.kinds.texts import DNS_SUBDOMAIN

KUBECTL = Path(sys.executable).parent / "kubectl"
# Texts that one reader of YAML or another takes for something else.
SLIPPERY = [
    *("y", "Y", "n", "N", "yes", "no", "on", "Off", "true", "null", "~", "", "<<", "=", ".inf", ".nan", "inf"),
    *("1", "1e3", "1E-3", "0o14", "0x1f", "0b11", "012", "1_000", "+1", "-1", ".5", ".5e3", "1.", "1:30", "2026-01-01"),
    *(
        " a ",
        "a: b",
        "a #b",
        "# a",
        "- a",
        "-",
        "?",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "'",
        '"',
        "\\",
        "{a}",
        "[a]",
        "|",
    ),
    *(
        "a\nb",
        "a\n",
        " a\nb\n\n",
        "\n # a\n- b \n",
        "\n",
        "\t",
        "a\r\nb",
        "\x7f",
        "\x85",
        "\u2028",
        "é",
        "\U0001f600",
        "---",
        "...",
        "--- a",
        "a" * 500,
    ),
]
AWS_LETTERS = st.sampled_from("aAzZ09._-@")
FOREIGN = (
    st.text(AWS_LETTERS, max_size=8)
    | st.text(max_size=8)
    | st.text(AWS_LETTERS, min_size=40, max_size=140)
    | st.text("ab0", min_size=40, max_size=140)  # valid, if it were not too long
)
# Names that were made by an earlier import, or by somebody who means to be in the way.
MADE = st.lists(FOREIGN, max_size=6).map(lambda names: [*choose_names(names, longest=52, otherwise="x").values()])


def test_kubectl_reads_what_was_meant():
    """Every text, as a value and as a key, comes out of kubectl's reader of YAML as the text that it was."""
    data = {f"k{index}": text for index, text in enumerate(SLIPPERY)} | {"y": "yes", "N": "no", "1e3": "1000"}
    raw = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "thing"}, "spec": data}
    read = subprocess.run(
        [KUBECTL, "label", "--local", "-f", "-", "-o", "json", "a=b"],
        input=render([Manifest(raw=raw)], "yaml").encode(),
        capture_output=True,
        check=True,
        timeout=180,
    )
    assert json.loads(read.stdout)["spec"] == data


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=40))
def test_comment_never_becomes_an_object(comments, text):
    """Whatever stands in comments, what is read is the object, with its text."""
    raw = {"kind": "Thing", "text": text}
    rendered = render([Manifest(raw=raw, comments=tuple(comments)), Manifest(raw={"kind": "Other"})], "yaml")
    assert list(yaml.safe_load_all(rendered)) == [raw, {"kind": "Other"}]


@given(st.text())
def test_one_line_is_one_line(text):
    """No line break and no control character is left, and printable text stays as it is."""
    line = put_on_one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    assert line == text or not text.isprintable()


@given(st.lists(FOREIGN, max_size=12), MADE, st.sampled_from([52, 100]))
def test_chosen_names_are_valid_and_unique(names, made, longest):
    """Every name becomes a subdomain that is not too long, and no two become the same."""
    names += made
    chosen = choose_names(names, longest=longest, otherwise="webhook")
    assert set(chosen) == set(names)
    assert [one for one in chosen.values() if not re.fullmatch(DNS_SUBDOMAIN, one) or len(one) > longest] == []
    assert len(set(chosen.values())) == len(chosen)


@given(st.lists(FOREIGN, max_size=12), st.randoms())
def test_chosen_names_do_not_depend_on_the_order(names, random):
    """However a list is sorted, each name becomes the same."""
    shuffled = random.sample(names, len(names))
    assert choose_names(names, longest=52, otherwise="x") == choose_names(shuffled, longest=52, otherwise="x")


@given(st.from_regex(DNS_SUBDOMAIN, fullmatch=True).filter(lambda name: len(name) <= 52), st.lists(FOREIGN))
def test_valid_name_stays(name, others):
    """A name that Kubernetes takes is kept, whatever others become."""
    assert choose_names([name, *others], longest=52, otherwise="x")[name] == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Shop_GitHub", "shop-github"),
        ("a@b.C", "a-b.c"),
        ("-a-", "a"),
        ("a..b", "a.b"),
        ("a._.b", "a.b"),
        ("@", "webhook"),
        ("", "webhook"),
        ("\u00e4b", "b"),
    ],
)
def test_foreign_name_stays_legible(name, expected):
    """A name alone is put in lower case, with dashes; a hash comes only where two names would be one."""
    assert choose_names([name], longest=100, otherwise="webhook") == {name: expected}


def test_hash_tells_names_apart_that_would_be_one():
    """Of two names that become alike one stays plain, and the other has a hash of 8 digits."""
    chosen = choose_names(["Shop_A", "shop-A", "x"], longest=100, otherwise="webhook")
    assert sorted(len(one) for one in chosen.values()) == [1, 6, 15]
    assert re.fullmatch("shop-a-[0-9a-f]{8}", max(chosen.values(), key=len))


@pytest.mark.parametrize("text", ["", "A", "a.b", "-a", "a-", "a" * 64, "a\n", "a b", "ä"])
def test_label_is_checked(text):
    """What is no label is refused by name, and a label is given back."""
    with pytest.raises(UsageError, match=r"^NAMESPACE "):
        check_label(text, "NAMESPACE")
    assert check_label("a" * 63, "NAMESPACE") == "a" * 63


@pytest.mark.parametrize("text", ["", "A", "a..b", ".a", "a.-b", "a" * 254, "a\n"])
def test_subdomain_is_checked(text):
    """What is no subdomain is refused by name, and a subdomain is given back."""
    with pytest.raises(UsageError, match=r"^--x "):
        check_subdomain(text, "--x")
    assert check_subdomain("a.b-c", "--x") == "a.b-c"


@given(
    st.lists(st.dictionaries(st.text(), st.text() | st.sampled_from(SLIPPERY) | st.sampled_from("\x9b\ud800\u202e")))
)
def test_json_speaks_to_no_terminal(value):
    """JSON is read back as it was, is text that can be sent anywhere, and holds nothing that moves a cursor."""
    text = write_json(value)
    assert json.loads(text) == value
    assert text.encode()
    assert text.replace("\n", "").isprintable()
