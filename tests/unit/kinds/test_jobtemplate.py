"""Job templates: kept as JSON, bounded, and read when they are used; what objects cost in memory."""

import gc
import json
import tracemalloc
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.cluster.mirror import Mirror
from hookwright.intake.trigger_route import compile_trigger
from hookwright.kinds import MAX_TEMPLATE_BYTES, BuildTrigger, CronJob, InvalidObject, JobTemplate, read
from hookwright.kinds.base import MAX_PROBLEMS
from hookwright.kinds.jobtemplate import MAX_TEMPLATE_DEPTH
from support.objects import JOB_SPEC, make_buildtrigger, make_invalid, raw_buildtrigger

FIELDS = {BuildTrigger: "spec.build.jobTemplate.spec", CronJob: "spec.jobTemplate.spec"}
every_kind = pytest.mark.parametrize("kind", [BuildTrigger, CronJob], ids=lambda kind: kind.KIND)


def raw_with(kind, template, *, name="hello", **metadata):
    if kind is BuildTrigger:
        known = {"name": name, "uid": name} | metadata
        return raw_buildtrigger(metadata=known, projectName=name, build={"jobTemplate": template})
    known = {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1"} | metadata
    return {"metadata": known, "spec": {"schedule": "@daily", "jobTemplate": template}}


def fill(size):
    """Give a Job's spec of many tiny parts, which takes `size` bytes as JSON."""
    spec = {**JOB_SPEC, "x": "", "y": []}
    left = size - len(json.dumps(spec, separators=(",", ":")))
    spec["y"] = [[] for _ in range(left // 3)]
    spec["x"] = "x" * (size - len(json.dumps(spec, separators=(",", ":"))))
    return {"spec": spec}


def nest(levels):
    spec = []
    for _ in range(levels - 2):
        spec = [spec]
    return {"spec": {"x": spec}}


def weigh(kind, raw):
    """Give the bytes that a mirror takes for an object."""
    mirror = Mirror()
    text = json.dumps(raw)
    mirror.put(kind, raw_with(kind, {"spec": {}}, name="before"))
    tracemalloc.start()
    try:
        mirror.put(kind, json.loads(text))
        # pydantic's errors go in circles.
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@every_kind
def test_template_up_to_the_bound_is_kept(kind):
    """A spec of 262,144 bytes is taken; one byte more makes the object invalid, and names field, size and bound."""
    assert isinstance(read(kind, raw_with(kind, fill(MAX_TEMPLATE_BYTES))), kind)
    (problem,) = make_invalid(kind, raw_with(kind, fill(MAX_TEMPLATE_BYTES + 1))).problems
    assert problem.field == FIELDS[kind]
    assert "262,145" in problem.message
    assert "262,144" in problem.message


def annotate(size):
    """Give annotations that take `size` bytes, keys and values together."""
    full, left = divmod(size, 60_000)
    return {f"{n:010}": "x" * 59_990 for n in range(full)} | {"x" * 10: "x" * (left - 10)}


@every_kind
def test_metadata_up_to_the_bound_is_kept(kind):
    """Labels and annotations of 262,144 bytes together are taken; one byte more is refused, with size and bound."""
    template = {"spec": {}, "metadata": {"labels": {"é": "x"}, "annotations": annotate(262_141)}}
    assert isinstance(read(kind, raw_with(kind, template)), kind)
    template["metadata"]["labels"]["é"] = "xx"
    (problem,) = make_invalid(kind, raw_with(kind, template)).problems
    assert problem.field == FIELDS[kind].removesuffix("spec") + "metadata"
    assert "262,145" in problem.message
    assert "262,144" in problem.message


@every_kind
def test_template_that_nests_deeply_is_refused(kind):
    """A spec of 64 levels is taken; one more, and ever so many more, are refused."""
    assert isinstance(read(kind, raw_with(kind, nest(MAX_TEMPLATE_DEPTH))), kind)
    for levels in (MAX_TEMPLATE_DEPTH + 1, 900, 5_000):
        with pytest.raises(InvalidObject, match="nests too deeply"):
            read(kind, {"metadata": {}} | {"spec": raw_with(kind, {"spec": {}})["spec"] | spec_of(kind, levels)})


@every_kind
@pytest.mark.parametrize("value", [date(2024, 1, 1), b"x", {1}, float("nan"), float("inf"), {date(2024, 1, 1): 1}])
def test_what_json_cannot_say_is_refused(kind, value):
    """A file may hold what no API server sends: it is a problem of the field, in words of its own."""
    (problem,) = make_invalid(kind, raw_with(kind, {"spec": {"x": value}})).problems
    assert problem.field == FIELDS[kind]
    assert "cannot be written as JSON" in problem.message


def test_spec_in_itself_is_refused():
    """A spec that holds itself is no JSON either."""
    spec = {}
    spec["x"] = spec
    (problem,) = make_invalid(BuildTrigger, raw_with(BuildTrigger, {"spec": spec})).problems
    assert "cannot be written as JSON" in problem.message


def spec_of(kind, levels):
    return {"build": {"jobTemplate": nest(levels)}} if kind is BuildTrigger else {"jobTemplate": nest(levels)}


def test_brackets_in_texts_are_no_levels():
    """A command full of brackets, and many parts side by side, are not deep."""
    spec = {"x": '[{"' * 1_000, "y": [[] for _ in range(1_000)]}
    assert JobTemplate.model_validate({"spec": spec}).spec == spec


def test_too_large_is_said_with_the_error_code():
    """Status of such a BuildTrigger has AWS's error code, and its route takes nothing."""
    problem = compile_trigger(make_invalid(BuildTrigger, raw_with(BuildTrigger, fill(MAX_TEMPLATE_BYTES + 1)))).problem
    assert (problem.code, problem.field) == ("InvalidInputException", FIELDS[BuildTrigger])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_spec_is_what_was_given(spec):
    """Whatever JSON a spec is, it is read as it was, and written as it was."""
    template = JobTemplate.model_validate({"spec": spec})
    assert template.spec == spec
    assert template.to_raw()["spec"] == spec


def test_spec_is_the_callers_own():
    """Who changes what it read changes no template."""
    template = make_buildtrigger().spec.build.job_template
    template.spec["template"]["spec"]["containers"].clear()
    assert template.spec == JOB_SPEC


def test_lifetime_is_that_of_the_spec():
    """Only the spec's own ttlSecondsAfterFinished counts, not one that is written elsewhere in it."""
    written = {"ttlSecondsAfterFinished": 7}
    assert JobTemplate.model_validate({"spec": {**JOB_SPEC, **written}}).lifetime == 7
    assert JobTemplate.model_validate({"spec": {**JOB_SPEC, "x": written}}).lifetime is None
    assert JobTemplate.model_validate({"spec": JOB_SPEC}).lifetime is None


@every_kind
def test_memory_of_a_template_is_its_bytes(kind):
    """An object with the largest template of tiny parts costs what its JSON has, not what Python makes of it."""
    assert weigh(kind, raw_with(kind, fill(MAX_TEMPLATE_BYTES))) < 1.2 * MAX_TEMPLATE_BYTES


@every_kind
@pytest.mark.parametrize(
    "make",
    [
        lambda kind: raw_with(kind, fill(300_000)),
        lambda kind: raw_with(kind, fill(10), labels={f"l{n}": "" for n in range(20_000)}),
        lambda kind: raw_with(kind, fill(10), annotations={f"a{n}": "" for n in range(20_000)}),
        lambda kind: raw_with(kind, fill(10), managedFields=[{"f:a": {}} for _ in range(20_000)]),
        lambda kind: raw_with(kind, {"spec": {}, "metadata": {"labels": {f"l{n}": "x" * 99 for n in range(2_000)}}}),
        lambda kind: raw_with(kind, {"spec": {}, "metadata": {"annotations": {f"a{n}": "" for n in range(20_000)}}}),
        lambda kind: raw_with(kind, {"spec": {}, "metadata": {"annotations": annotate(262_145)}}),
        lambda kind: raw_with(kind, {"spec": {}, "metadata": {"labels": {"x" * 1_000_000: ""}}}),
        lambda kind: raw_with(kind, {"spec": {}}) | {"status": {"x": [[] for _ in range(100_000)]}},
    ],
    ids=[
        "template",
        "labels",
        "annotations",
        "managed",
        "template labels",
        "template annotations",
        "long",
        "key",
        "status",
    ],
)
def test_what_nobody_needs_is_not_kept(kind, make):
    """What a template has beyond the bound, and what stands anywhere else in an object, costs some kilobytes."""
    assert weigh(kind, make(kind)) < 50_000


def test_few_of_many_problems_are_kept():
    """An object that is wrong in thousands of places is told the first of them."""
    labels = {f"l{n}": "x" * 64 for n in range(49)}
    found = make_invalid(BuildTrigger, raw_with(BuildTrigger, {"spec": {}, "metadata": {"labels": labels}}))
    assert len(found.problems) == MAX_PROBLEMS
