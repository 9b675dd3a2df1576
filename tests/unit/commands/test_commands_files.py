"""What users hand in as files: read whatever form is right, refused in one sentence whatever else it is."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest
from command_line import write

from hookwright.commands.files import STANDARD_INPUT, read_bytes, read_headers, read_manifests
from hookwright.errors import UsageError
from support.objects import raw_buildtrigger, raw_secret, raw_webhook

DEEP = "[" * 100_000


def names_of(objects):
    return [(obj["kind"], obj["metadata"]["name"]) for obj in objects]


def test_documents_of_a_file_come_in_order(tmp_path):
    """A file may hold several YAML documents, empty ones among them."""
    file = write(tmp_path / "all.yaml", raw_secret(), None, raw_webhook())
    assert names_of(read_manifests([file])) == [("Secret", "hello-webhook"), ("Webhook", "hello")]


def test_folder_stands_for_its_manifests(tmp_path):
    """Of a folder every .yaml, .yml and .json in it counts, in the order of their names, and nothing else."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    write(folder / "2.yml", raw_webhook())
    write(folder / "1.json", raw_secret())
    write(folder / "deep" / "3.yaml", raw_buildtrigger())
    write(folder / "README.md", "not: [a manifest")
    assert [kind for kind, _ in names_of(read_manifests([folder]))] == ["Secret", "Webhook", "BuildTrigger"]


def test_list_stands_for_its_items(tmp_path):
    """What `kubectl get -o yaml` prints is a List of objects, which may be empty."""
    file = write(tmp_path / "list.yaml", {"apiVersion": "v1", "kind": "List", "items": [raw_webhook(), raw_secret()]})
    assert len(read_manifests([file])) == 2
    for items in ([], None):
        assert read_manifests([write(file, {"apiVersion": "v1", "kind": "List", "items": items})]) == []


def test_standard_input_is_a_file(monkeypatch):
    """`-` is what is piped in."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"bytes \xff")))
    assert read_bytes(STANDARD_INPUT) == b"bytes \xff"


BAD_MANIFESTS = {
    "no YAML": "a: [1",
    "no UTF-8": b"\xff\xfe",
    "a tab": "a:\n\t- b",
    "an impossible date": "apiVersion: v1\nkind: X\nmetadata: {name: !!timestamp 2026-13-45}",
    "an anchor in itself": "apiVersion: v1\nkind: X\nmetadata: &a {name: *a}",
    "an anchor merged into itself": "apiVersion: v1\nkind: X\nmetadata: &a {<<: *a}",
    "another tag": "!!python/object/apply:os.system ['true']",
    "deep": DEEP,
    "a list": "[1]",
    "a text": "hello",
    "no kind": "apiVersion: v1\nmetadata: {name: x}",
    "no apiVersion": "kind: Webhook\nmetadata: {name: x}",
    "no metadata": "apiVersion: v1\nkind: Secret",
    "metadata that is none": "apiVersion: v1\nkind: Secret\nmetadata: hello",
    "items that are none": "apiVersion: v1\nkind: List\nitems: 5",
    "items that are a map": "apiVersion: v1\nkind: List\nitems: {a: b}",
    "a text among items": "apiVersion: v1\nkind: List\nitems: [hello]",
}


@pytest.mark.parametrize("text", BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_bad_manifest_is_a_usage_error_that_names_the_file(tmp_path, text):
    """A file that holds no objects is refused in one line that names it."""
    file = write(tmp_path / "bad.yaml", text)
    with pytest.raises(UsageError) as refused:
        read_manifests([file])
    assert refused.value.message.startswith(f"{file}: ")
    assert "\n" not in refused.value.message


def test_dates_are_text(tmp_path):
    """What looks like a date is the text that kubectl reads, as key and as value, and need not be one."""
    file = tmp_path / "date.yaml"
    for text in ("2024-01-01", "2024-01-01T00:00:00Z", "2024-13-45"):
        write(file, f"apiVersion: v1\nkind: X\nmetadata: {{name: {text}, {text}: x}}")
        (found,) = read_manifests([file])
        assert found["metadata"] == {"name": text, text: "x"}


def make_bomb(levels, *, repeat="[{}]"):
    """Give a manifest whose aliases stand for ten to the power of `levels` texts."""
    lines = ["apiVersion: v1", "kind: X", "metadata: {name: x}", "a0: &a0 {k: x}"]
    for level in range(levels):
        inside = repeat.format(",".join([f"*a{level}"] * 10))
        lines.append(f"a{level + 1}: &a{level + 1} {inside}")
    return "\n".join(lines)


def test_aliases_are_taken(tmp_path):
    """Objects that share their parts by aliases and merge keys are read as if they were written out."""
    (found,) = read_manifests([write(tmp_path / "few.yaml", make_bomb(2) + "\nb: {<<: *a0, l: y}")])
    assert found["a2"] == [[{"k": "x"}] * 10] * 10
    assert found["b"] == {"k": "x", "l": "y"}


@pytest.mark.parametrize("repeat", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merge keys"])
def test_aliases_that_blow_up_are_refused(tmp_path, repeat):
    """A small file whose aliases stand for gigabytes is refused before they are written out."""
    with pytest.raises(UsageError, match="aliases stand for more than"):
        read_manifests([write(tmp_path / "bomb.yaml", make_bomb(30, repeat=repeat))])


@pytest.mark.parametrize("read", [read_bytes, read_headers, lambda path: read_manifests([path])])
def test_file_that_is_not_there_is_a_usage_error(tmp_path, read):
    """A file that cannot be read is named, with why."""
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "nowhere")


def test_folder_is_no_payload(tmp_path):
    """A folder where a file should be is named."""
    with pytest.raises(UsageError, match="directory"):
        read_bytes(tmp_path)


@pytest.mark.parametrize(
    ("document", "headers"),
    [
        ({}, {}),
        ({"X-GitHub-Event": "push"}, {"x-github-event": ["push"]}),
        ({"X-A": ["1", "2"]}, {"x-a": ["1", "2"]}),
        ({"X-A": "1", "x-a": ["2"]}, {"x-a": ["1", "2"]}),
        ({"X-A": []}, {"x-a": []}),
    ],
)
def test_headers_are_a_json_object(tmp_path, document, headers):
    """Names are lower-cased; a value is a text or a list of texts; a name in two cases is one header twice."""
    assert read_headers(write(tmp_path / "headers.json", document)) == headers


BAD_HEADERS = {
    "no JSON": "X-GitHub-Event: push",
    "empty": "",
    "a list": "[]",
    "a text": '"x"',
    "a number": '{"X-A": 5}',
    "null": '{"X-A": null}',
    "a list of numbers": '{"X-A": [5]}',
    "no UTF-8": b'{"X-A": "\xff"}',
    "deep": DEEP,
}


@pytest.mark.parametrize("text", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_bad_headers_are_a_usage_error(tmp_path, text):
    """A headers file of another form is refused in one line that names it."""
    file = write(tmp_path / "headers.json", text)
    with pytest.raises(UsageError) as refused:
        read_headers(file)
    assert refused.value.message.startswith(f"{file}: ")
    assert "\n" not in refused.value.message
