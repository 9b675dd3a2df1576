"""A request's headers: looked up in the server's own map, and never more than that."""

from __future__ import annotations

import pytest

from hookwright.intake.headers import Headers


class FakeHeaderMap:
    """Lines as granian's map has them: names in lower case, found in any, values only where they are ASCII."""

    def __init__(self, *lines):
        self.lines = [(name.lower(), value) for name, value in lines]

    def __iter__(self):
        return iter(dict.fromkeys(name for name, _ in self.lines))

    def __contains__(self, name):
        return name.lower() in list(self)

    def get_all(self, name):
        return [value for found, value in self.lines if found == name.lower() and value.isascii()]


LINES = FakeHeaderMap(("X-A", "1"), ("x-b", "2"), ("x-a", "3"), ("x-foreign", "\xe9"))


def test_headers_are_found_by_lower_case_name():
    """A header that came several times, in whatever case, has all its values in their order."""
    assert dict(Headers(LINES)) == {"x-a": ["1", "3"], "x-b": ["2"]}


@pytest.mark.parametrize("name", ["x-c", "x-foreign"])
def test_header_that_did_not_come_is_not_there(name):
    """What did not come, or not in ASCII, is not there in any way of asking."""
    headers = Headers(LINES)
    assert name not in headers
    assert headers.get(name) is None
    assert headers.get(name, ()) == ()
    assert len(headers) == 2
    with pytest.raises(KeyError):
        headers[name]
