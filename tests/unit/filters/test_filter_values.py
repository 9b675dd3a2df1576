from __future__ import annotations

import pytest

from hookwright.filters import render_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("main", "main"),
        ("", ""),
        (" x ", " x "),
        (42, "42"),
        (-1, "-1"),
        (12345678901234567890, "12345678901234567890"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e3, "1000.0"),
        (1e22, "1e+22"),
        (1e-7, "1e-07"),
        (-0.0, "-0.0"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_a_scalar_has_its_json_text(value, text):
    """Strings are themselves, integers exact, doubles the shortest text, booleans in JSON's words."""
    assert render_value(value) == text


@pytest.mark.parametrize("value", [None, [], ["x"], {}, {"a": 1}, float("inf"), float("-inf"), float("nan")])
def test_what_has_no_text(value):
    """Null, arrays, objects, and numbers beyond a double have no text."""
    assert render_value(value) is None


def test_integers_beyond_printing_have_no_text():
    """An integer of more digits than Python prints has no text, and is no error."""
    assert render_value(10**5000) is None
    assert len(render_value(10**4200)) == 4201
