"""What comes in by other ways than JSON objects: protobuf, selectors, JSONPath of columns, names."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.devcluster.errors import ApiError
from hookwright.devcluster.jsonpaths import look_up, parse_path
from hookwright.devcluster.metadata import check_metadata, decode_metadata, generate_name
from hookwright.devcluster.protobuf import MAGIC, decode_object
from hookwright.devcluster.resources import BUILT_IN, EVENTS, Resource
from hookwright.devcluster.selectors import select
from hookwright.devcluster.store import Stored
from hookwright.devcluster.tables import duration

CONFIG_MAP = next(one for one in BUILT_IN if one.plural == "configmaps")


def _varint(value: int) -> bytes:
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])


def _field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _entry(number: int, key: str, value: bytes | str) -> bytes:
    return _field(number, _field(1, key) + _field(2, value))


def _message(kind: str, metadata: bytes, body: bytes = b"", version: str = "v1") -> bytes:
    envelope = _field(1, _field(1, version) + _field(2, kind)) + _field(2, _field(1, metadata) + body)
    return MAGIC + envelope + _field(3, "") + _field(4, "")


@given(
    name=st.text(min_size=1),
    labels=st.dictionaries(st.text(), st.text(), min_size=1),
    data=st.dictionaries(st.text(), st.binary(), min_size=1),
    texts=st.dictionaries(st.text(), st.text(), min_size=1),
)
@settings(deadline=None)
def test_secret_in_protobuf(name: str, labels: dict[str, str], data: dict[str, bytes], texts: dict[str, str]) -> None:
    """A Secret comes out of protobuf as it went in, whatever its texts."""
    metadata = _field(1, name) + _field(7, 12345) + b"".join(_entry(11, key, value) for key, value in labels.items())
    body = b"".join(_entry(2, key, value) for key, value in data.items()) + _field(3, "kind/of")
    body += b"".join(_entry(4, key, value) for key, value in texts.items()) + _field(5, 1)
    assert decode_object(_message("Secret", metadata, body)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "type": "kind/of",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        "stringData": texts,
    }


def test_other_kinds_in_protobuf() -> None:
    """The other kinds that kubectl creates come out too; those that it does not know are refused with a way out."""
    metadata = _field(2, "prefix-") + _field(3, "team-a") + _entry(12, "note", "n")
    head = {"generateName": "prefix-", "namespace": "team-a", "annotations": {"note": "n"}}
    for kind in ("Namespace", "ServiceAccount"):
        assert decode_object(_message(kind, metadata)) == {"apiVersion": "v1", "kind": kind, "metadata": head}
    config_map = decode_object(_message("ConfigMap", b"", _entry(2, "a", "b") + _entry(3, "c", b"\x00")))
    assert (config_map["data"], config_map["binaryData"]) == ({"a": "b"}, {"c": "AA=="})
    assert decode_object(_message("DeleteOptions", b"")) == {}
    with pytest.raises(ApiError, match="--dry-run=client") as refused:
        decode_object(_message("Job", metadata, version="batch/v1"))
    assert refused.value.status == 415


@given(body=st.binary(max_size=60))
@settings(deadline=None)
def test_broken_protobuf(body: bytes) -> None:
    """Bytes that are no message are refused with 400 or 415, never with another exception."""
    with pytest.raises(ApiError) as refused:
        decode_object(MAGIC + body)
    assert refused.value.status in (400, 415)


@given(cut=st.integers(min_value=0, max_value=60))
@settings(deadline=None)
def test_protobuf_that_is_cut_off(cut: int) -> None:
    """A message that ends too early is refused, or is whole without its end."""
    message = _message("Namespace", _field(1, "a-name"))[: cut + 4]
    refusal = None
    try:
        assert decode_object(message)["kind"] == "Namespace"
    except ApiError as error:
        refusal = error
    assert refusal is None or refusal.status == 400


def _stored(labels: dict[str, str] | None = None, **members: object) -> Stored:
    metadata = {"name": "a", "namespace": "n", "uid": "u", "labels": labels or {}}
    return Stored(("", "configmaps"), {"kind": "X", "metadata": metadata, **members}, 1)


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        ("", {}, True),
        (" a = b ", {"a": "b"}, True),
        ("a=", {"a": ""}, True),
        ("a=", {}, False),
        ("a!=b", {}, True),
        ("a in (b,c),d notin (e)", {"a": "c"}, True),
        ("a in (b,c),d notin (e)", {"a": "c", "d": "e"}, False),
        ("x.y/a-b_c=1", {"x.y/a-b_c": "1"}, True),
        ("a>5", {"a": "6"}, True),
        ("a>5", {"a": "5"}, False),
        ("a<5", {"a": "-1"}, True),
        ("a>5", {"a": "many"}, False),
        ("a>5", {}, False),
        ("in", {"in": "1"}, True),
        ("! a", {}, True),
    ],
)
def test_label_selectors(selector: str, labels: dict[str, str], selected: bool) -> None:  # noqa: FBT001 - as below
    """Label selectors mean what they mean to Kubernetes."""
    test = select(CONFIG_MAP, {"labelSelector": selector})
    assert (test is None or test(_stored(labels))) == selected


@given(text=st.text(alphabet="ab=!,() <>innot/.-", max_size=12))
@settings(deadline=None)
def test_any_label_selector(text: str) -> None:
    """Any text is a selector, or is refused with 400."""
    test = refusal = None
    try:
        test = select(CONFIG_MAP, {"labelSelector": text})
    except ApiError as error:
        refusal = error
    assert refusal is None or refusal.status == 400
    assert test is None or test(_stored({"a": "b"})) in (True, False)


def test_field_selectors_look_into_the_object() -> None:
    """A field that may be selected by is looked up; an absent one is like an empty text."""
    resource = Resource(plural="x", kind="X", selectable=("spec.on", "spec.size"))
    stored = _stored(spec={"on": True, "size": 3})
    for selector, selected in (("spec.on=true", True), ("spec.size=3", True), ("spec.size!=3", False)):
        assert select(resource, {"fieldSelector": selector})(stored) == selected
    assert select(resource, {"fieldSelector": "spec.size="})(_stored())
    with pytest.raises(ApiError):
        select(resource, {"fieldSelector": "spec.size"})


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.url", ["u"]),
        (".spec.none", []),
        (".status.conditions[?(@.type=='Ready')].status", ["True"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[0].type", ["Other"]),
        (".status.conditions[-1].type", ["Ready"]),
        (".status.conditions[9].type", []),
        (".status.conditions[*].type", ["Other", "Ready"]),
        (r".metadata.annotations.example\.com/a", ["1"]),
        (".metadata.annotations['example.com/a']", ["1"]),
        (".spec['none','url', 'more']", ["u"]),
        (".status['conditions','more'][*].status", ["False", "True"]),
        (".spec.*", ["u"]),
        (".spec.url.deeper", []),
        (".spec[", []),
    ],
)
def test_column_paths(path: str, found: list[str]) -> None:
    """The JSONPath of a printer column finds what kubectl would show."""
    obj = {
        "metadata": {"annotations": {"example.com/a": "1"}},
        "spec": {"url": "u"},
        "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]},
    }
    assert look_up(obj, parse_path(path)) == found


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (700, "11m"),
        (4 * 3600, "4h"),
        (4 * 3600 + 60, "4h1m"),
        (30 * 3600, "30h"),
        (49 * 3600, "2d1h"),
        (400 * 86400, "400d"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """Ages are as coarse as kubectl's."""
    assert duration(seconds) == text


@given(st.text(alphabet="abc-.", min_size=1, max_size=100))
@settings(deadline=None)
def test_generated_names(prefix: str) -> None:
    """A generated name fits a label, begins as was asked, and ends with five letters."""
    name = generate_name(prefix)
    assert len(name) <= 63
    assert prefix.startswith(name[:-5])


@given(st.dictionaries(st.text(max_size=70), st.text(max_size=70), max_size=3))
@settings(deadline=None)
def test_any_labels(labels: dict[str, str]) -> None:
    """Any labels can be judged."""
    metadata, _ = decode_metadata(CONFIG_MAP, {"metadata": {"name": "a", "labels": labels}})
    for cause in check_metadata(CONFIG_MAP, metadata):
        assert cause.field == "metadata.labels"


def test_annotations_are_bounded() -> None:
    """All annotations of an object have 256 KiB together."""
    metadata = {"name": "a", "annotations": {"a": "x" * (256 * 1024)}}
    assert [cause.reason for cause in check_metadata(CONFIG_MAP, metadata)] == ["FieldValueTooLong"]


def test_newer_events() -> None:
    """An Event of the newer group is stored under the names of the older one, and comes back under its own."""
    resource = next(one for one in BUILT_IN if one.group == "events.k8s.io")
    shown = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "n", "regarding": {"name": "a"}}
    stored = resource.inward(shown)
    assert stored == {"apiVersion": "v1", "kind": "Event", "message": "n", "involvedObject": {"name": "a"}}
    assert (resource.outward(stored), resource.key) == (shown, EVENTS)
