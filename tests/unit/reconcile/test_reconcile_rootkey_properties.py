"""The root key's Secret, whatever is in it: the keys as they stand there, or one kind of error."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from hookwright.errors import Unready
from hookwright.kinds import Raw
from hookwright.reconcile.rootkey import SHORTEST_KEY_BYTES, read_root_keys

NAMESPACE = "hookwright-system"
BLANKS = st.sampled_from([b"\n", b"\r\n", b" ", b"\n\n", b"\t"])
KEYS = st.lists(st.binary(min_size=SHORTEST_KEY_BYTES, max_size=64), min_size=1, max_size=5)
NOISE = (
    st.none()
    | st.text(max_size=80)
    | st.binary(max_size=80).map(lambda line: base64.b64encode(line).decode())
    | st.binary(max_size=80).map(lambda line: base64.b64encode(base64.b64encode(line)).decode())
)


def make_secret(value: str | None) -> Raw:
    return {"data": {"keys": value}}


def encode(text: bytes) -> str:
    return base64.b64encode(text).decode()


@given(keys=KEYS, blank=BLANKS, before=st.sampled_from([b"", b"\n", b"  "]))
def test_keys_are_given_as_they_stand(keys, blank, before):
    """Keys that were written one to a line are given in their order, whatever blanks are between and around them."""
    lines = before + blank.join(base64.b64encode(key) for key in keys) + blank
    assert read_root_keys(make_secret(encode(lines)), NAMESPACE) == tuple(keys)


@given(keys=KEYS, short=st.binary(max_size=SHORTEST_KEY_BYTES - 1), data=st.data())
def test_one_short_key_refuses_all(keys, short, data):
    """A key that is too short is never taken, and never passed over among good ones; an empty line is no key."""
    encoded = [base64.b64encode(key) for key in keys]
    encoded.insert(data.draw(st.integers(0, len(keys))), base64.b64encode(short))
    found = read(make_secret(encode(b"\n".join(encoded))))
    assert isinstance(found, Unready) if short else found == tuple(keys)


@given(data=st.none() | st.dictionaries(st.sampled_from(["keys", "key"]), NOISE))
def test_anything_else_is_one_kind_of_error(data):
    """Whatever is there, it is keys of the right length, or a Unready that says where and shows no value."""
    found = read({"data": data})
    if isinstance(found, Unready):
        assert NAMESPACE in found.message
        value = (data or {}).get("keys") or ""
        # Shorter pieces may stand in any sentence.
        assert len(value) < 10 or value not in found.message
    else:
        assert found
        assert min(len(key) for key in found) >= SHORTEST_KEY_BYTES


def read(secret: Raw) -> tuple[bytes, ...] | Unready:
    """Give the keys, or the one error that there may be."""
    try:
        return read_root_keys(secret, NAMESPACE)
    except Unready as error:
        return error
