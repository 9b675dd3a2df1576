"""Java's numbers; the facts were checked against BigDecimal and Double of a Java 17."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hookwright.filters.java_numbers import ComparisonError, exact, java_text, read_number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (42, "42"),
        (12345678901234567890, "12345678901234567890"),
        (1.0, "1.0"),
        (1234567.5, "1234567.5"),
        (12345678.0, "12345678"),
        (1e7, "1.0E+7"),
        (1e22, "1.0E+22"),
        (1.25e22, "1.25E+22"),
        (0.001, "0.001"),
        (0.00012, "0.00012"),
        (1e-7, "1.0E-7"),
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (-2.5, "-2.5"),
        (Decimal("1e3"), "1E+3"),
        (Decimal("1.00"), "1.00"),
    ],
)
def test_a_number_has_the_text_of_java(number, text):
    """A number is compared with strings by the text that BigDecimal has for it."""
    assert java_text(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42),
        ("+42", 42),
        ("042", 42),
        ("4.20e1", 42),
        ("1.", 1),
        (".5", Decimal("0.5")),
        ("1E-2", Decimal("0.01")),
        ("\u0661", 1),
        ("1e0000000000000000000001", 10),
    ],
)
def test_a_string_is_read_as_java_reads_it(text, number):
    """Signs, leading zeros, bare points, exponents and the digits of other scripts are numbers to Java."""
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1_0",
        "0x1",
        "1d",
        "NaN",
        "Infinity",
        ".",
        "e1",
        "1e",
        "--1",
        "1e2147483648",
        "1e99999999999",
        "\U0001d7cf",
    ],
)
def test_a_string_that_is_no_number_to_java(text):
    """Blanks, underscores, Python's and C's own spellings and exponents beyond 32 bits are no numbers."""
    assert read_number(text) is None


def test_reading_takes_linear_time():
    """A long text that is nearly a number is read in one pass: a million digits are no trouble."""
    assert read_number("1" * 1_000_000 + "x") is None


@pytest.mark.parametrize("number", [float("inf"), float("-inf")])
def test_a_number_beyond_a_double_cannot_be_compared(number):
    """What overflowed a double has no value to compare."""
    with pytest.raises(ComparisonError):
        exact(number)
