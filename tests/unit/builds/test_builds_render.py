"""The Job for a delivery: its parameters as data in every container, and everything else as the template has it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.builds.names import name_wanted
from hookwright.builds.targets import find_values, render
from support.objects import DELIVERY_ID, JOB_SPEC, TRIGGER_UID, make_buildtrigger, make_wanted

VARIABLES = {"PATH": "/bin", "X": "x", "HOOKWRIGHT_BUILD_ID": "b", "": "empty"}


def expand(text: str, mapping: Mapping[str, str]) -> str:
    """Expand variables in a container's env value as the kubelet does.

    Source: Kubernetes, third_party/forked/golang/expansion/expand.go, with the mapping of `MappingFuncFor`: an unknown
    name comes out as it was written. It works on bytes, and turns a single byte after a lone `$` into a rune.
    """
    given_bytes, out, cursor = text.encode(), b"", 0
    while cursor < len(given_bytes):
        if given_bytes[cursor : cursor + 1] == b"$" and cursor + 1 < len(given_bytes):
            name, is_variable, advance = _read_name(given_bytes[cursor + 1 :])
            known = mapping.get(name.decode(), f"$({name.decode()})") if is_variable else None
            out += known.encode() if known is not None else name
            cursor += advance
        else:
            out += given_bytes[cursor : cursor + 1]
        cursor += 1
    return out.decode()


def _read_name(rest: bytes) -> tuple[bytes, bool, int]:
    if rest[:1] == b"$":
        return b"$", False, 1
    if rest[:1] == b"(":
        end = rest.find(b")", 1)
        return (rest[1:end], True, end + 1) if end > 0 else (b"$(", False, 1)
    return b"$" + chr(rest[0]).encode(), False, 1


def job(wanted=None, **trigger):
    return render(wanted or make_wanted(), make_buildtrigger(**trigger))


def with_pod(**pod):
    return {"jobTemplate": {"spec": {"template": {"spec": pod}}}}


def env_of(manifest, index=0, kind="containers"):
    return manifest["spec"]["template"]["spec"][kind][index]["env"]


def values_of(manifest):
    return {variable["name"]: variable["value"] for variable in env_of(manifest)}


# ── the oracle ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(X)", "x"),
        ("$(Y)", "$(Y)"),
        ("$$(X)", "$(X)"),
        ("$$$(X)", "$x"),
        ("$$$$(X)", "$$(X)"),
        ("$(X", "$(X"),
        ("$X", "$X"),
        ("$", "$"),
        ("$$", "$"),
        ("a$(X)b$(X)", "axbx"),
        ("$()", "empty"),
    ],
)
def test_expansion_here_is_kubernetes_own(text, expanded):
    """The expansion that the tests below trust does what Kubernetes' own tests say (expand_test.go)."""
    assert expand(text, VARIABLES) == expanded


# ── values come out literally ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="$()XPATH_ \n\\{}ü\N{GRINNING FACE}", max_size=30))
def test_payload_values_come_out_literally(value):
    """Whatever a payload holds, the container sees those very characters after Kubernetes' expansion."""
    written = values_of(job(make_wanted(parameters={"P": value})))["P"]
    assert expand(written, VARIABLES) == value


@pytest.mark.parametrize("value", ["$(PATH)", "$$(PATH)", "$$", "$", "$(", "$(X)$(X)", "$$$(X)", "100$"])
def test_payload_cannot_name_other_variables(value):
    """`$(X)` and `$$` in a payload are text, not references."""
    assert expand(values_of(job(make_wanted(parameters={"P": value})))["P"], VARIABLES) == value


def test_own_variables_of_a_container_may_refer_to_parameters():
    """A template's own variable can use a parameter as $(NAME), because parameters stand before it."""
    build = with_pod(containers=[{"name": "c", "env": [{"name": "REF", "value": "refs/$(P)"}]}])
    env = env_of(job(make_wanted(parameters={"P": "p"}), build=build))
    names = [variable["name"] for variable in env]
    assert names.index("P") < names.index("REF")
    assert env[-1] == {"name": "REF", "value": "refs/$(P)"}


# ── where parameters go, and which one wins ───────────────────────────────────────────────────────────────────────────


def test_every_container_receives_the_parameters():
    """Containers and init containers all get them, and keep what else they have."""
    build = with_pod(
        containers=[{"name": "a", "image": "x"}, {"name": "b", "env": None}],
        initContainers=[{"name": "i", "env": [{"name": "OWN", "value": "1"}]}],
        restartPolicy="Never",
    )
    manifest = job(make_wanted(parameters={"P": "p"}), build=build)
    for kind, index in (("containers", 0), ("containers", 1), ("initContainers", 0)):
        assert {"name": "P", "value": "p"} in env_of(manifest, index, kind)
    assert {"name": "OWN", "value": "1"} in env_of(manifest, 0, "initContainers")
    pod = manifest["spec"]["template"]["spec"]
    assert (pod["restartPolicy"], pod["containers"][0]["image"]) == ("Never", "x")


def test_delivery_wins_over_trigger_and_template():
    """A parameter of the delivery hides one of the trigger, and both hide a variable of the template."""
    build = with_pod(containers=[{"name": "c", "env": [{"name": n, "value": "template"} for n in ("A", "B", "C")]}])
    parameters = [{"name": n, "value": "trigger"} for n in ("A", "B")]
    env = env_of(job(make_wanted(parameters={"A": "delivery"}), build=build, parameters=parameters))
    found = {variable["name"]: variable["value"] for variable in env}
    assert {name: found[name] for name in "ABC"} == {"A": "delivery", "B": "trigger", "C": "template"}
    assert len(env) == len(found)


def test_variables_of_other_sources_are_hidden_too():
    """A template's variable from a Secret gives way to a parameter of its name, which stands once."""
    own = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    env = env_of(job(make_wanted(parameters={"A": "delivery"}), build=with_pod(containers=[{"env": own}])))
    assert [v for v in env if v["name"] == "A"] == [{"name": "A", "value": "delivery"}]


def test_own_variables_cannot_be_forged():
    """What Hookwright says of the build wins over every parameter."""
    forged = dict.fromkeys(("HOOKWRIGHT_BUILD_ID", "HOOKWRIGHT_DELIVERY_ID", "HOOKWRIGHT_PROJECT_NAME"), "forged")
    wanted = make_wanted(parameters=forged)
    assert values_of(job(wanted)) == {
        "HOOKWRIGHT_BUILD_ID": name_wanted(wanted),
        "HOOKWRIGHT_DELIVERY_ID": DELIVERY_ID,
        "HOOKWRIGHT_PROJECT_NAME": "hello",
    }


# ── the rest of the Job ───────────────────────────────────────────────────────────────────────────────────────────────


def test_job_says_whose_it_is():
    """Name, namespace, annotations and owner tell the delivery, the Webhook and the BuildTrigger."""
    wanted = make_wanted()
    template = {"spec": JOB_SPEC, "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}
    manifest = job(wanted, build={"jobTemplate": template})
    metadata = manifest["metadata"]
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "Job")
    assert (metadata["name"], metadata["namespace"]) == (name_wanted(wanted), "default")
    assert metadata["labels"] == {
        "team": "a",
        "app.kubernetes.io/managed-by": "hookwright",
        "hookwright.dev/build": "true",
    }
    assert metadata["annotations"] == {
        "note": "b",
        "hookwright.dev/delivery": f"{wanted.owner_uid}/0/{DELIVERY_ID}",
        "hookwright.dev/started-by": "Webhook/hello",
        "hookwright.dev/accepted-at": "2026-05-01T12:00:00Z",
        "hookwright.dev/kept-until": "2026-05-01T13:00:00Z",
    }
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == (
        "BuildTrigger",
        "hello",
        TRIGGER_UID,
        True,
    )
    # Setting it needs a right on the owner's finalizers that nobody should have to give.
    assert "blockOwnerDeletion" not in owner


def test_job_says_what_it_builds():
    """What the delivery says is to be built stands in an annotation, cut to what a status can hold."""
    name = "hookwright.dev/source-version"
    for version, said in (("0a1b2c", "0a1b2c"), ("v" * 300, "v" * 255), ("", None)):
        annotations = job(make_wanted(parameters={"HOOKWRIGHT_SOURCE_VERSION": version}))["metadata"]["annotations"]
        assert annotations.get(name) == said
    assert name not in job()["metadata"]["annotations"]


def test_template_cannot_forge_the_proof_of_origin():
    """Annotations and labels of ours in a template are overwritten."""
    metadata = {
        "annotations": {"hookwright.dev/delivery": "forged"},
        "labels": {"app.kubernetes.io/managed-by": "forged", "hookwright.dev/build": "forged"},
    }
    found = job(build={"jobTemplate": {"spec": JOB_SPEC, "metadata": metadata}})["metadata"]
    assert "forged" not in str(found)


def test_same_delivery_makes_the_same_job():
    """A second try sends what the first one sent."""
    assert job() == job()


def test_target_is_left_as_it_is():
    """Rendering changes nothing of the mirror's object."""
    trigger = make_buildtrigger()
    before = trigger.to_raw()
    render(make_wanted(parameters={"P": "p"}), trigger)
    assert trigger.to_raw() == before


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"template": None},
        {"template": "x"},
        {"template": []},
        {"template": {}},
        {"template": {"spec": None}},
        {"template": {"spec": []}},
        {"template": {"spec": {}}},
        {"template": {"spec": {"containers": None}}},
        {"template": {"spec": {"containers": "abc"}}},
        {"template": {"spec": {"containers": {}}}},
        {"template": {"spec": {"containers": []}}},
        {"template": {"spec": {"containers": [None, 5, "x", []]}}},
        {"template": {"spec": {"containers": [{"env": "abc"}]}}},
        {"template": {"spec": {"containers": [{"env": 5}]}}},
        {"template": {"spec": {"containers": [{"env": {"A": "b"}}]}}},
        {"template": {"spec": {"containers": [{"env": [None, 5, {}, {"name": None}, {"name": ["x"]}]}]}}},
        {"template": {"spec": {"initContainers": 5, "containers": [{}]}}},
    ],
)
def test_template_of_odd_shape_is_for_the_api_server_to_refuse(spec):
    """A template that is no JobSpec is rendered without an error, and what is odd in it stays for the API server."""
    rendered = job(make_wanted(parameters={"P": "p"}), build={"jobTemplate": {"spec": spec}})["spec"]
    assert set(rendered) == set(spec)


@pytest.mark.parametrize("env", ["abc", 5, {"A": "b"}])
def test_odd_environment_is_not_mended(env):
    """What stands where variables should is left, so that the API server refuses it as the user wrote it."""
    build = with_pod(containers=[{"name": "c", "env": env}])
    assert env_of(job(build=build)) == env


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, {}),
        ({"branch": "main"}, {"Branch": "main", "BranchName": "main"}),
        (
            {"repository": "group/sub/repo"},
            {"FullRepositoryId": "group/sub/repo", "Owner": "group/sub", "Repo": "repo"},
        ),
    ],
)
def test_values_for_placeholders(source, expected):
    """A BuildTrigger has the keys of a source action for what its source says, and no others."""
    assert find_values(make_buildtrigger(source=source)) == expected
