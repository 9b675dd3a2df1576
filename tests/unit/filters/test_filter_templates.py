from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.errors import HookwrightError
from hookwright.filters import UnknownKey, parse_template

VALUES = {"Branch": "main", "Owner": "octo-org", "Repo": "{Branch}", "git-revision": "v1"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("refs/heads/{Branch}", "refs/heads/main"),
        ("{Owner}/{Owner}/{Branch}", "octo-org/octo-org/main"),
        ("{Repo}", "{Branch}"),
        ("{{Branch}}", "{main}"),
        ("{git-revision}", "v1"),
        ("plain", "plain"),
        ("", ""),
        ("{}", "{}"),
        ("{ Branch }", "{ Branch }"),
        ('{"a": 1}', '{"a": 1}'),
        ("{1}", "{1}"),
        ("{a.b}", "{a.b}"),
        ("{Branch", "{Branch"),
        ("Branch}", "Branch}"),
    ],
)
def test_placeholders_are_replaced_once(text, expanded):
    """A key in braces becomes its value, which is not looked at again; other braces stay."""
    assert parse_template(text).expand(VALUES) == expanded


def test_keys_come_once_and_in_order():
    """A template lists each of its keys once, in the order of the text, whether they have values or not."""
    template = parse_template("{b}-{a}-{b}-{}")
    assert template.keys == ("b", "a")
    assert template.text == "{b}-{a}-{b}-{}"


@pytest.mark.parametrize("text", ["{branch}", "x{BRANCH}y", "{Branch}{Nope}"])
def test_an_unknown_key_is_an_error(text):
    """Keys are case-sensitive, and one without a value raises an error that names it and not the values."""
    with pytest.raises(UnknownKey) as raised:
        parse_template(text).expand(VALUES)
    assert isinstance(raised.value, HookwrightError)
    assert "{" + raised.value.key + "}" in text
    assert raised.value.key in raised.value.message
    assert "octo-org" not in raised.value.message


@given(st.text())
def test_every_text_is_a_template(text):
    """Any text is taken, and with values for its keys it expands."""
    template = parse_template(text)
    assert template.expand({key: "{" + key + "}" for key in template.keys}) == text
