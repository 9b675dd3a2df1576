"""Files of users, whatever is in them: objects and headers, or a UsageError; lint finds what the operator refuses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hookwright.builds.targets import TARGET_KINDS
from hookwright.cluster.claims import GOOD_STANDING
from hookwright.commands.files import read_documents, read_headers, read_manifests
from hookwright.commands.linting.mending import MOST_PROBLEMS, find_problems
from hookwright.errors import UsageError
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import MEMBERS, BuildTrigger, InvalidObject, Webhook, read
from hookwright.reconcile.checks import check_webhook
from support.objects import make_buildtrigger, raw_webhook

# The file is written anew for each example.
ONE_FILE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.dictionaries(
    st.sampled_from(["X-A", "x-a", "X-B", "İ", ""]) | st.text(max_size=6),
    st.text(max_size=8) | st.lists(st.text(max_size=8), max_size=3),
    max_size=4,
)
SCRAPS = st.sampled_from(
    [
        *("kind: List\n", "items:", " - ", "---\n", "apiVersion: v1\n", "kind: ", "metadata: {}\n", "metadata:"),
        *("&a ", "*a", "!!binary x", "!!python/none", "2026-13-45", "<<: 3\n", "? [a]\n", "{", "}", "[", "|", "\t"),
        *(
            "%YAML 9.9\n",
            "0x_",
            "1_0:99",
            "\ufeff",
            "!!set {a}",
            "!!timestamp x",
            "!!bool x",
            '!!int ""',
            "!!int x",
            "!!float .",
            "é",
            "\x00",
            ": ",
            "\n",
        ),
        *("'", '"', "~", "!!timestamp x", "!!bool x", '!!int ""'),
    ]
)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def catch(call: Callable[[], Any]) -> Any:
    """Give what a call gives, or the UsageError that it raises."""
    try:
        return call()
    except UsageError as error:
        return error


# ── headers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@ONE_FILE
@given(content=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@example(content=b"[" * 100_000)
@example(content=b'{"a": "\\ud800"}')
@example(content=b'{"\\n": null}')
@example(content=b"1" * 5_000)
@example(content=b"\xff\xfe{\x00}\x00")
def test_headers_are_read_or_refused(tmp_path, content):
    """Whatever a file of headers holds, it is lists of texts by lower-case name, or a UsageError of one line."""
    file = write(tmp_path / "headers.json", content)
    headers = catch(lambda: read_headers(file))
    if isinstance(headers, UsageError):
        assert headers.message.startswith(f"{file}: ")
        assert "\n" not in headers.message
    else:
        assert all(name == name.lower() for name in headers)
        assert all(isinstance(value, str) for values in headers.values() for value in values)


@ONE_FILE
@given(headers=HEADERS)
def test_no_header_is_lost(tmp_path, headers):
    """Each value comes back, in its order, also where two names differ by capitals alone."""
    found = read_headers(write(tmp_path / "headers.json", json.dumps(headers).encode()))
    written = [value if isinstance(value, list) else [value] for value in headers.values()]
    assert sorted(chain.from_iterable(found.values())) == sorted(chain.from_iterable(written))
    assert set(found) == {name.lower() for name in headers}


# ── manifests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@ONE_FILE
@given(content=st.binary(max_size=80) | st.lists(SCRAPS, max_size=10).map(lambda scraps: "".join(scraps).encode()))
@example(content=b"[" * 100_000)
@example(content=b"a: " + b"1" * 5_000)
@example(content=b"kind: List\nitems: 3")
@example(content=b"a: 2026-02-30")
def test_manifests_are_read_or_refused(tmp_path, content):
    """Whatever a manifest holds, it is objects with apiVersion, kind and metadata, or a UsageError of the file."""
    file = write(tmp_path / "all.yaml", content)
    objects = catch(lambda: read_manifests([file]))
    if isinstance(objects, UsageError):
        assert objects.message.startswith(f"{file}: ")
    else:
        assert all({"apiVersion", "kind"} <= set(one) and isinstance(one["metadata"], dict) for one in objects)


@ONE_FILE
@given(documents=st.lists(JSON, max_size=4))
def test_documents_come_back_as_they_are(tmp_path, documents):
    """What was written is read, but for documents that are nothing."""
    file = write(tmp_path / "all.yaml", yaml.safe_dump_all(documents, sort_keys=False).encode())
    read_back = [document.content for document in read_documents([file])]
    assert repr(read_back) == repr([one for one in documents if one is not None])


# ── lint finds what the operator refuses ──────────────────────────────────────────────────────────────────────────────

WORDS = st.sampled_from(
    ["hello", "Source", "Other", "main", "{Branch}", "{Nope}", "{token}", "refs/heads/{Branch}", "x"]
)
PATHS = st.sampled_from(
    ["$.ref", "$", "$.a[*].b", "$.a[?(@.b == 'c')]", "$..", "$.a[", "$.a[?(@.x =~ /a/)]", "ref", "$."]
)
RANGES = [
    "10.0.0.0/8",
    "10.0.0.1/8",
    "::/0",
    "::ffff:10.0.0.0/104",
    "fe80::1%eth0/64",
    "0.0.0.0/0",
    "10.0.0.1/255.0.0.0",
]
CONTENTS = ["{body}", "{timestamp}.{body}", "v0:{timestamp}:{body}", "{body}{body}", "{x}{body}", "body:x"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "secretTokenRef": st.just({"name": "hello-webhook", "key": "token"}),
    "secretToken": st.just("secret"),
    "allowedIPRange": st.sampled_from([*RANGES, "10.0.0.1", "no range"]),
    "username": st.just("ci"),
    "header": st.sampled_from(["X-A", "x-b"]),
    "timestampHeader": st.sampled_from(["X-A", "X-T"]),
    "signedContent": st.sampled_from(CONTENTS),
    "toleranceSeconds": st.integers(1, 3600),
    "algorithm": st.sampled_from(["SHA1", "SHA256"]),
    "encoding": st.sampled_from(["HEX", "BASE64"]),
    "prefix": st.sampled_from(["sha256=", "v0="]),
}
ANY_MEMBERS = st.fixed_dictionaries({}, optional=VALUES)
KEYS = st.sampled_from(["Branch", "Nope", "token", "MyPassword", "apiKeyOfMine", "A1"])
TAG_KEYS = st.sampled_from(["team", "aws:x", "Team", "a;b", "é", "kubernetes.io/x"]) | st.text(min_size=1, max_size=6)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Give a scheme with what it needs, or with anything."""
    scheme = draw(st.sampled_from(list(MEMBERS)))
    members = draw(ANY_MEMBERS)
    if draw(st.integers(0, 3)):
        known = MEMBERS[scheme]
        members = {name: value for name, value in members.items() if name in known.takes}
        members |= {name: draw(VALUES[name]) for name in known.needs}
        members |= (
            draw(st.sampled_from([{"secretToken": "x"}, {"secretTokenRef": {"name": "s"}}])) if known.secret else {}
        )
    return {"authentication": str(scheme), "authenticationConfiguration": members}


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """Give a parameter with one source, or with any number of them."""
    sources = {"value": "x", "jsonPath": draw(PATHS), "from": "deliveryId"}
    taken = draw(
        st.lists(st.sampled_from(list(sources)), unique=True, min_size=0 if draw(st.booleans()) else 1, max_size=2)
    )
    name = draw(st.sampled_from(["A", "B", "C", "HOOKWRIGHT_X"]))
    return {"name": name} | {source: sources[source] for source in taken}


REST = st.fixed_dictionaries(
    {},
    optional={
        "targetAction": st.sampled_from(["Source", "Source", "Other"]),
        "targetPipeline": st.fixed_dictionaries(
            {"name": st.just("hello")},
            optional={
                "kind": st.sampled_from(sorted(TARGET_KINDS)),
                "apiVersion": st.sampled_from(["hookwright.dev/v1alpha1", "batch/v1"]),
            },
        ),
        "filters": st.lists(st.fixed_dictionaries({"jsonPath": PATHS}, optional={"matchEquals": WORDS}), max_size=6),
        "parameters": st.lists(parameters(), max_size=4),
        "actionConfiguration": st.dictionaries(KEYS, WORDS, max_size=3),
        "duplicateWindow": st.from_regex(r"([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?", fullmatch=True),
        "tags": st.lists(st.fixed_dictionaries({"key": TAG_KEYS, "value": WORDS}), max_size=3)
        | st.integers(40, 60).map(lambda count: [{"key": f"k{number}", "value": ""} for number in range(count)]),
        "deliveryIdHeader": st.sampled_from(["X-Id", "X-A"]),
        "suspend": st.booleans(),
    },
)


def test_lint_finds_something_exactly_if_the_operator_refuses():
    """Of any spec, lint has findings if and only if its route has a problem, the same first; all mended, it is right.

    What was tried was right, refused and of no shape, each many times: else it would prove nothing.
    """
    seen = Counter[str]()

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(spec=st.builds(lambda one, other: one | other, configurations(), REST), found=st.booleans())
    def check(spec: dict[str, Any], found: bool) -> None:  # noqa: FBT001 - hypothesis gives it by its name
        there = found and spec.get("targetPipeline", {}).get("kind") != "CronJob"
        seen[compare(spec, make_buildtrigger() if there else None)] += 1

    check()
    assert min(seen[sort] for sort in ("right", "refused", "no shape")) > 10


def compare(spec: dict[str, Any], target: BuildTrigger | None) -> str:
    """Have lint and the operator judge a spec; give of what sort it was."""
    try:
        webhook = read(Webhook, raw_webhook(**spec))
    except InvalidObject as invalid:
        finding = check_webhook(invalid, target)
        assert finding is not None
        return "no shape"
    problem = compile_webhook(webhook, target).problem
    problems, mended = find_problems(webhook, target, GOOD_STANDING)
    assert [str(one) for one in problems[:1]] == ([] if problem is None else [str(problem)])
    assert len(problems) < MOST_PROBLEMS
    assert compile_webhook(mended, target).problem is None
    if problem is None:
        return "right"
    finding = check_webhook(webhook, target)
    assert finding is not None
    assert (finding.code, finding.message) == (problem.code, problem.message)
    return "refused"
