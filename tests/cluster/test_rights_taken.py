"""Rights that are taken away from a running Hookwright on a real API server, and given back: said, and found again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from support.accounts import until_refused
from support.controlplane import ControlPlane
from support.deployed import POLL_SECONDS, Deployed, deploy
from support.processes import until
from support.realapi import Object
from support.rights import Rights, read_rules
from support.running import make_buildtrigger, make_secret, make_webhook
from support.taken import TAKEN
from support.triggers import make_trigger
from support.waiting import patience

# To start the processes takes seconds: all tests share these, and each gives back what it has taken.
pytestmark = pytest.mark.asyncio(loop_scope="module")

STARTED = ("started", "BuildCreated")
# What was forbidden is looked at again every 30 seconds; what failed for minutes, after two more of them.
HEALING_SECONDS = 300.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployed]:
    """Receiver and operator with the chart's rights, and a Webhook that works."""
    async with deploy(control_plane, tmp_path_factory.mktemp("taken")) as running:
        put(running, make_secret(), make_buildtrigger(), make_webhook())
        await running.until_judged("hello")
        await running.until_answered("hello", 202)
        yield running


def put(deployed: Deployed, *objects: Object) -> None:
    """Apply objects in the team's namespace; builds wait for ever."""
    for obj in objects:
        if obj["kind"] == "BuildTrigger":
            obj["spec"]["build"]["jobTemplate"]["spec"]["suspend"] = True
        deployed.api.apply({**obj, "metadata": {**obj["metadata"], "namespace": deployed.team}})


@contextmanager
def without(deployed: Deployed, chosen: Callable[[Object], bool]) -> Iterator[None]:
    """Take the rules that are chosen away from our roles, for the length of a `with` block."""
    roles = [one for one in deployed.rights if one["kind"] in ("ClusterRole", "Role")]
    changed = [(one, [rule for rule in one["rules"] if not chosen(rule)]) for one in roles]
    changed = [(one, rules) for one, rules in changed if len(rules) < len(one["rules"])]
    assert changed
    poorer = [{**one, "rules": rules} for one, rules in changed]
    try:
        deployed.api.apply(*poorer)
        until_taken_away(deployed, [*(one for one in deployed.rights if one not in roles), *find_new(roles, poorer)])
        yield
    finally:
        deployed.api.apply(*(one for one, _ in changed))


def find_new(roles: list[Object], changed: list[Object]) -> list[Object]:
    """Give roles as they are after a change of some of them."""
    names = {(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]): one for one in changed}
    return [names.get((one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]), one) for one in roles]


def until_taken_away(deployed: Deployed, left: list[Object]) -> None:
    """Wait until the API server has heard that of the objects that give rights only these are left.

    Until then it may still let somebody do what the test says is refused.
    """

    def read(objects: list[Object]) -> Rights:
        return read_rules(one for one in objects if one["kind"] != "ServiceAccount")

    until_refused(deployed.api, read(deployed.rights), read(left))


def about(*resources: str) -> Callable[[Object], bool]:
    """Choose the rules about resources."""
    return lambda rule: bool(set(resources) & set(rule["resources"]))


def said(deployed: Deployed, role: str, text: str) -> bool:
    """Say whether a process has said something."""
    return text in deployed.processes[role].said()


async def until_counted(deployed: Deployed, test: str) -> None:
    """Wait until the processes count what the alert about the right looks at."""
    for counted in TAKEN[test]:
        process = deployed.processes[counted.role]
        async with patience(HEALING_SECONDS):
            # Each look is a request: there is no event to wait for.
            while not counted.is_shown((await deployed.client.get(process.admin + "/metrics")).text):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)


async def until_taken(deployed: Deployed, name: str, delivery: str) -> None:
    """Deliver until it is taken, and wait until its build is there."""
    await deployed.until_answered(name, 202, delivery=delivery)
    await until(lambda: delivery in built(deployed, name), f"{delivery} is built")


def built(deployed: Deployed, name: str) -> list[str]:
    """Give the delivery ids of a Webhook's Jobs."""
    mark = f"Webhook/{name}"
    notes = [job["metadata"]["annotations"] for job in deployed.jobs()]
    return [
        note["hookwright.dev/delivery"].rpartition("/")[2]
        for note in notes
        if note["hookwright.dev/started-by"] == mark
    ]


async def test_grant_is_taken_and_given_back(deployed: Deployed):
    """Without the team's grant a delivery fails and the Webhook says what to give; with it the same one starts."""
    bindings = [one for one in deployed.rights if one["kind"] == "RoleBinding"]
    (grant,) = [one for one in bindings if one["metadata"]["name"].endswith("-acts-as-default")]
    deployed.api.remove(grant)
    try:
        until_taken_away(deployed, [one for one in deployed.rights if one is not grant])
        await deployed.until_answered("hello", 202, delivery="granted")
        await until(lambda: deployed.last("hello") == ("failed", "ImpersonationForbidden"), "the delivery fails")
        await deployed.until_judged("hello", "False")
        status = deployed.status("hello")
        assert "hookwright grant" in status["errorMessage"]
        assert "cannot impersonate" in status["lastDelivery"]["message"]
        assert "granted" not in built(deployed, "hello")
        await until_counted(deployed, "test_grant_is_taken_and_given_back")
    finally:
        deployed.api.apply(grant)
    await until(lambda: deployed.ready("hello")[0] == "True", "it is found", patience=HEALING_SECONDS)
    assert "errorMessage" not in deployed.status("hello")
    await until_taken(deployed, "hello", "granted")
    assert built(deployed, "hello").count("granted") == 1


async def test_secrets_are_taken_and_given_back(deployed: Deployed):
    """Without the right to read Secrets deliveries are answered 503 and the Webhook says why; then all is as before."""
    with without(deployed, lambda rule: rule["resources"] == ["secrets"] and "resourceNames" not in rule):
        answer = await deployed.until_answered("hello", 503)
        assert answer.json()["reason"] == "SecretUnusable"
        assert int(answer.headers["retry-after"]) > 0
        await deployed.until_judged("hello", "False", "SecretForbidden")
        assert "verb get" in deployed.status("hello")["errorMessage"]
        await deployed.until_answers("receiver", 200)
        await until_counted(deployed, "test_secrets_are_taken_and_given_back")
    await until_taken(deployed, "hello", "readable")
    await until(lambda: deployed.ready("hello")[0] == "True", "it is found", patience=HEALING_SECONDS)


async def test_right_to_keep_secrets_is_taken_and_given_back(deployed: Deployed):
    """Without it a BuildTrigger says who lacks what, and what prints it; with it, it gets its secret by itself."""
    with without(deployed, lambda rule: rule["resources"] == ["secrets"] and "patch" in rule["verbs"]):
        put(deployed, make_trigger("kept"))
        await until(
            lambda: deployed.ready("kept", "BuildTrigger") == ("False", "SecretForbidden"), "the BuildTrigger says so"
        )
        said = deployed.status("kept", "BuildTrigger")["errorMessage"]
        assert f"system:serviceaccount:{deployed.own}:hookwright-operator" in said
        assert 'cannot create resource "secrets"' in said
        assert f"hookwright grant {deployed.team}" in said
        await until_counted(deployed, "test_right_to_keep_secrets_is_taken_and_given_back")
    await until(lambda: deployed.ready("kept", "BuildTrigger")[0] == "True", "it is found", patience=HEALING_SECONDS)
    await deployed.until_secrets("kept", 1)


async def test_status_is_taken_and_given_back(deployed: Deployed):
    """Without the right to write status builds start all the same, the log says so, and later status is right again."""
    with without(deployed, about("webhooks/status")):
        await until_taken(deployed, "hello", "unsaid")
        refusal = 'cannot patch resource \\"webhooks/status\\"'
        await until(lambda: said(deployed, "receiver", refusal), "the receiver says so")
        # Not hello: the receiver may hear later than the operator of what becomes of it, and of what it was again.
        put(deployed, make_webhook("untold", targetPipeline={"name": "absent"}))
        await until(lambda: said(deployed, "operator", refusal), "the operator says so")
        assert deployed.status("untold") == {}
        await until_counted(deployed, "test_status_is_taken_and_given_back")
    await until(
        lambda: deployed.ready("untold") == ("False", "TargetNotFound"), "status is right", patience=HEALING_SECONDS
    )
    await until_taken(deployed, "hello", "said")
    await until(lambda: deployed.last("hello") == STARTED, "the delivery is told of")


async def test_lists_and_watches_are_taken_and_given_back(deployed: Deployed):
    """Without the right to see our objects, what is known is served on; what came meanwhile is found with the right.

    So it is without the operator's right to see builds.
    """
    with without(deployed, lambda rule: about("webhooks", "jobs")(rule) and "watch" in rule["verbs"]):
        # A watch that goes is not judged again: it has to break first.
        deployed.control_plane.restart_api_server()
        for role in ("receiver", "operator"):
            text = 'cannot list resource \\"webhooks\\"'
            await until(lambda role=role, text=text: said(deployed, role, text), f"the {role} says so")
        text = 'cannot list resource \\"jobs\\"'
        await until(lambda: said(deployed, "operator", text), "the operator says so of builds")
        await deployed.until_answers("receiver", 200)
        await until_taken(deployed, "hello", "known")
        put(deployed, make_webhook("new"))
        await until_counted(deployed, "test_lists_and_watches_are_taken_and_given_back")
    await until(lambda: deployed.ready("new")[0] == "True", "the new one is seen", patience=HEALING_SECONDS)
    await until_taken(deployed, "new", "found")
    await until(lambda: said(deployed, "receiver", "followed again"), "the receiver says so")
    assert not any(said(deployed, role, "Traceback") for role in deployed.processes)


async def test_lease_is_taken_and_given_back(deployed: Deployed):
    """Without the right to its Lease the operator says which right it lacks and is not ready; given it, it goes on."""
    with without(deployed, about("leases")):
        await until(lambda: said(deployed, "operator", "missing_right"), "it says so")
        async with patience(HEALING_SECONDS):
            # Each look is a request: there is no event to wait for.
            while await deployed.ask("operator") == 200:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
        await until_counted(deployed, "test_lease_is_taken_and_given_back")
        await until_taken(deployed, "hello", "operatorless")
        put(deployed, make_webhook(suspend=True))
    await until(lambda: deployed.ready("hello")[1] == "Suspended", "it works again", patience=HEALING_SECONDS)
    await deployed.until_ready("operator")
    put(deployed, make_webhook(suspend=False))
    await until(lambda: deployed.ready("hello")[1] == "Listening", "it works on")


async def test_processes_start_without_any_right(deployed: Deployed):
    """Started with no right at all, each process says what it lacks and is not ready; given all, it works."""
    bindings = [one for one in deployed.rights if one["kind"] in ("ClusterRoleBinding", "RoleBinding")]
    bindings = [one for one in bindings if one["subjects"][0]["namespace"] == deployed.own]
    deployed.api.remove(*bindings)
    try:
        until_taken_away(deployed, [one for one in deployed.rights if one not in bindings])
        for role, process in deployed.processes.items():
            assert await process.signal(signal.SIGTERM) == 0
            await process.start()
            await until(
                lambda process=process: "hookwright-root-key" in process.last_said("waiting").get("error", ""),
                f"the {role} says what it waits for",
            )
            assert "rights" in process.last_said("waiting")["remedy"]
            await deployed.until_answers(role, 503)
        await until_counted(deployed, "test_processes_start_without_any_right")
    finally:
        deployed.api.apply(*bindings)
    await deployed.until_ready()
    await until_taken(deployed, "hello", "anew")
