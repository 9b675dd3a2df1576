"""Lists that are read as they come: the same as if they were read at once, in little memory."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.cluster.answers import MAX_DEPTH
from hookwright.cluster.lists import CUT_BYTES, ListReader
from hookwright.errors import ClusterError

METADATA = {"resourceVersion": "7", "continue": "more"}


def item(name, **members):
    return {"metadata": {"name": name}, **members}


def write(items, *, last=True, **members):
    """Give a list's JSON as the API server writes one: of its own kinds metadata first, of a CRD's items first."""
    metadata, listed = {"metadata": METADATA}, {"items": items}
    ordered = {"kind": "List"} | (metadata | listed if last else listed | metadata) | members
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def read(pieces, reader=None):
    """Give all items, and what the list has beside them."""
    reader = reader or ListReader()
    items = [one for piece in pieces for some in reader.feed(piece) for one in some]
    items += reader.end()
    return items, {name: value for name, value in reader.members.items() if name != "items"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
ITEMS = st.lists(st.builds(item, st.text(), spec=JSON), max_size=6)


@given(items=ITEMS, size=st.integers(1, 50), last=st.booleans())
def test_items_are_those_of_the_list_however_it_is_cut(items, size, last):
    """Wherever an answer is cut, in a character too, each item comes once, as it is, and the rest is known."""
    assert read(cut(write(items, last=last, more=12), size)) == (
        items,
        {"kind": "List", "metadata": METADATA, "more": 12},
    )


def test_items_come_before_the_list_is_through():
    """An item is given as soon as something comes after it."""
    reader = ListReader()
    first, second = write([item("a")])[:-2], b',{"metadata":{}}'
    assert list(reader.feed(first)) == []
    assert list(reader.feed(second)) == [[item("a")]]


def test_large_item_is_not_read_again_with_each_piece():
    """A megabyte that comes in pieces is tried some twenty times, not with each of a thousand pieces."""
    reader, tried = ListReader(), []
    find_value = reader._find_value

    def count(*, last):
        tried.append(1)
        return find_value(last=last)

    reader._find_value = count
    items, _ = read(cut(write([item("a", spec="x" * 1_000_000)]), 1_000), reader)
    assert len(items[0]["spec"]) == 1_000_000
    assert len(tried) < 40


def test_what_is_no_list_of_ours_has_no_items():
    """An object without items, and one whose items are null as of an empty list, are told apart."""
    for members, present in (({}, False), ({"items": None}, True)):
        reader = ListReader()
        read([json.dumps({"metadata": {}} | members).encode()], reader)
        assert ("items" in reader.members) is present


BROKEN = {
    "nothing": b"",
    "cut in an item": write([item("a"), item("b")])[:-8],
    "cut after an item": write([item("a")])[:-2],
    "cut before the end": write([item("a")])[:-1],
    "a page of HTML": b"<html>",
    "a list": b"[]",
    "an item of another form": write(["x"]),
    "an item without metadata": write([{}]),
    "no JSON in an item": b'{"metadata":{},"items":[{"metadata":{}},{x}]}',
    "more after the end": write([]) + b"{}",
    "no metadata": b'{"items":[]}',
    "metadata of another form": b'{"metadata":[],"items":[]}',
    "no UTF-8": b'{"metadata":{},"items":["\xff"]}',
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("size", [1, 10_000])
def test_what_is_no_list_is_an_absence_of_the_api_server(data, size):
    """What is cut off, or no list, is an error that trying again may mend, and shows nothing of what it was."""
    with pytest.raises(ClusterError) as broken:
        read(cut(data, size))
    assert (broken.value.status, broken.value.transient) == (0, True)
    assert broken.value.__context__ is None


def test_item_without_an_end_is_given_up():
    """An item that is longer than any object can be does not fill the memory."""
    reader = ListReader(limit=1_000)
    with pytest.raises(ClusterError):
        read(cut(b'{"metadata":{},"items":["' + b"x" * 5_000, 100), reader)
    assert len(reader._text) < 2_000


@pytest.mark.parametrize("size", [1_000, 1_000_000])
def test_object_that_nests_too_deeply_hides_no_other(size):
    """Of an object that Python's reader does not take what is not too deep is read, and all the others."""
    deep = b'{"metadata":{"name":"\xc3\xa9"},"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    data = b'{"metadata":{},"items":[{"metadata":{}},' + deep + b',{"metadata":{"name":"c"}}]}'
    items, _ = read(cut(data, size))
    assert [one["metadata"].get("name") for one in items] == [None, "é", "c"]
    assert len(json.dumps(items[1])) < 3 * MAX_DEPTH + 100


@pytest.mark.parametrize("size", [CUT_BYTES, 10_000_000])
def test_memory_is_that_of_one_object(size):
    """Ten objects that Python makes thirty times as large take no more than one of them, in one piece or in many."""
    data = write([item(str(number), spec=[[] for _ in range(30_000)]) for number in range(10)])
    reader = ListReader()
    pieces = cut(data, size)
    tracemalloc.start()
    try:
        for piece in pieces:
            for some in reader.feed(piece):
                some.clear()
        reader.end()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 30_000 * 64 < len(data) * 30 / 4
