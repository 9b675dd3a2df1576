"""Keeping the Secret of a BuildTrigger on an API server that others write to, that fails, and that refuses."""

from __future__ import annotations

import asyncio
import base64
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest
from reconcile_world import TRIGGER, Bench

from hookwright.cluster import BUILDTRIGGERS, JOBS, SECRETS
from hookwright.cluster.secrets import SecretReader
from hookwright.cluster.watched_secrets import WatchedSecrets
from hookwright.errors import ClusterError
from hookwright.reconcile.buildtrigger import FORBIDDEN_SECONDS
from hookwright.reconcile.secret_plan import ROTATE
from hookwright.reconcile.trigger_secret import LOOK_AGAIN
from hookwright.reconcile.work import NEVER, Again
from support.waiting import eventually, running

SOURCE = {"provider": "GitLab", "repository": "octo/hello"}
NAME = "hello-hookwright"


@pytest.fixture
def bench():
    made = Bench()
    made.put_target(source=SOURCE)
    return made


def ask(bench, value):
    bench.put_target(source=SOURCE, status=bench.status(TRIGGER), metadata={"annotations": {ROTATE: value}})


def secret(bench):
    return bench.cluster.find(SECRETS, NAME)


def live(bench):
    return [base64.b64decode(value).decode() for value in secret(bench)["data"].values()]


async def test_first_look_makes_a_secret_that_status_names(bench):
    """A BuildTrigger with a provider gets 64 hexadecimal digits, and status says where they are and since when."""
    assert await bench.look_until_still(TRIGGER) == Again(LOOK_AGAIN)
    (value,) = live(bench)
    assert (len(value), int(value, 16) >= 0) == (64, True)
    status = bench.status(TRIGGER)
    assert status["secretRef"] == {"name": NAME, "key": "secret"}
    assert status["lastModifiedSecret"] == "2026-05-01T12:00:00Z"
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    assert bench.events() == [("Normal", "SecretMade"), ("Normal", "Startable")]


async def test_secret_that_is_watched_costs_no_looks(bench):
    """Where each change of the Secret is told, nothing is looked at again before something is due."""
    watched = WatchedSecrets(bench.cluster, clock=bench.seconds)
    reader = SecretReader(bench.cluster, watched=watched, clock=bench.seconds)
    bench.world = replace(bench.world, secrets=reader)
    await bench.look(TRIGGER)
    async with running(watched.informers.run()):
        await eventually(lambda: reader.is_watched("default", NAME))
        assert await bench.look(TRIGGER) == NEVER
        ask(bench, "1")
        assert (await bench.look(TRIGGER)).seconds == 3600


async def test_secret_that_is_watched_is_read_once(bench):
    """It is read again when the watch shows another copy of it, a new one is asked for, or something is due in it."""
    watched = WatchedSecrets(bench.cluster, clock=bench.seconds)
    reader = SecretReader(bench.cluster, watched=watched, clock=bench.seconds)
    bench.world = replace(bench.world, secrets=reader)
    await bench.look(TRIGGER)

    async def look():
        """Look twice, the second time because of a build; give how often the Secret was read by each."""
        reads = [bench.cluster.count("get", SECRETS)]
        for look in (bench.look, bench.look_at_builds):
            await look(TRIGGER)
            reads.append(bench.cluster.count("get", SECRETS))
        return reads[1] - reads[0], reads[2] - reads[1]

    async with running(watched.informers.run()):
        await eventually(lambda: reader.is_watched("default", NAME))
        assert await look() == (1, 0)
        assert await look() == (0, 0)
        copy = reader.find_watched("default", NAME)
        bench.cluster.put(SECRETS, {**secret(bench), "type": "Opaque"})
        await eventually(lambda: reader.find_watched("default", NAME) is not copy)
        assert await look() == (1, 0)
        copy = reader.find_watched("default", NAME)
        ask(bench, "1")
        await bench.look(TRIGGER)
        assert len(live(bench)) == 2
        await eventually(lambda: reader.find_watched("default", NAME) is not copy)
        assert await look() == (1, 0)
        bench.now -= timedelta(hours=1)
        assert await look() == (1, 0)
        bench.now += timedelta(hours=3)
        await eventually(lambda: reader.is_watched("default", NAME))
        assert await look() == (1, 0)


class LateAnswers:
    """An API server whose answers to readings of Secrets arrive after something has happened `meanwhile`."""

    def __init__(self, cluster, meanwhile):
        self._cluster, self._meanwhile = cluster, meanwhile

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    async def get(self, resource, **where):
        found = await self._cluster.get(resource, **where)
        if resource is SECRETS:
            await self._meanwhile()
        return found


async def test_answer_that_the_watch_has_overtaken_settles_nothing(bench):
    """What was changed while the Secret was read is seen by the next look, also where only an annotation was."""
    watched = WatchedSecrets(bench.cluster, clock=bench.seconds)
    reader = SecretReader(bench.cluster, watched=watched, clock=bench.seconds)
    bench.world = replace(bench.world, secrets=reader)
    await bench.look(TRIGGER)
    ask(bench, "1")
    await bench.look(TRIGGER)
    assert len(live(bench)) == 2

    async def end_sooner():
        copy, changed = reader.find_watched("default", NAME), deepcopy(secret(bench))
        changed["metadata"]["annotations"]["hookwright.dev/previous-good-until"] = "2026-05-01T12:00:00Z"
        bench.cluster.put(SECRETS, changed)
        await eventually(lambda: reader.find_watched("default", NAME) is not copy)

    async with running(watched.informers.run()):
        await eventually(lambda: reader.is_watched("default", NAME))
        world, bench.world = bench.world, replace(bench.world, cluster=LateAnswers(bench.cluster, end_sooner))
        await bench.look(TRIGGER)
        bench.world = world
        assert len(live(bench)) == 2
        await bench.look_at_builds(TRIGGER)
        assert len(live(bench)) == 1


async def test_no_two_secrets_are_alike(bench):
    """What is random is random each time."""
    await bench.look(TRIGGER)
    first = live(bench)
    bench.cluster.drop(SECRETS, NAME)
    await bench.look(TRIGGER)
    assert live(bench) != first
    assert ("Warning", "SecretReplaced") in bench.events()


async def test_without_a_provider_there_is_none(bench):
    """A BuildTrigger that only Webhooks start has no secret; one whose provider is taken away names none any more."""
    bench.put_target(status={})
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.cluster.all(SECRETS) == []
    assert bench.cluster.count("get", SECRETS) == 0
    bench.put_target(source=SOURCE)
    await bench.look(TRIGGER)
    bench.put_target()
    await bench.look(TRIGGER)
    assert {"secretRef", "lastModifiedSecret"} & set(bench.status(TRIGGER)) == set()


async def test_wrong_template_keeps_nobody_from_a_secret(bench):
    """The secret is there while the template is still to be mended."""
    bench.cluster.fail("create", JOBS, status=422, message="Required value", times=9)
    await bench.look_until_still(TRIGGER)
    assert len(live(bench)) == 1
    assert bench.status(TRIGGER)["secretRef"]["name"] == NAME
    assert bench.conditions(TRIGGER)["Stalled"] == ("True", "TemplateInvalid")


async def test_rotation_moves_what_status_says(bench):
    """A request to rotate is fulfilled once, in one write, and lastModifiedSecret says when."""
    await bench.look(TRIGGER)
    first = live(bench)
    bench.now += timedelta(minutes=5)
    ask(bench, "1")
    await bench.look_until_still(TRIGGER)
    assert live(bench)[1:] == first
    assert bench.status(TRIGGER)["lastModifiedSecret"] == "2026-05-01T12:05:00Z"
    assert bench.cluster.count("patch", SECRETS) == 1
    assert ("Normal", "SecretRotated") in bench.events()


async def test_end_of_an_old_secret_is_looked_for_in_time(bench):
    """The look that ends an old secret comes when it is over, not at the next change."""
    await bench.look(TRIGGER)
    ask(bench, "1")
    await bench.look(TRIGGER)
    bench.now += timedelta(hours=24) - timedelta(seconds=42)
    assert await bench.look(TRIGGER) == Again(42.0)
    bench.now += timedelta(seconds=42)
    await bench.look(TRIGGER)
    assert len(live(bench)) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize(("verb", "requests"), [("create", ()), ("patch", ("1",))])
async def test_write_whose_answer_is_lost_is_made_once(bench, verb, requests, after):
    """Whether a write took effect or not before the API server was gone, there is one new secret in the end."""
    if requests:
        await bench.look(TRIGGER)
        ask(bench, *requests)
    bench.cluster.fail(verb, SECRETS, after=after)
    with pytest.raises(ClusterError):
        await bench.look(TRIGGER)
    taken = live(bench) if after else None
    await bench.look_until_still(TRIGGER)
    assert len(live(bench)) == 1 + len(requests)
    assert taken in (None, live(bench))
    assert bench.status(TRIGGER)["secretRef"]["name"] == NAME


async def test_other_operator_that_was_faster_is_believed(bench):
    """A Secret that another has made between our look and our write is the one that counts."""
    other = Bench(cluster=bench.cluster, mirror=bench.mirror)
    made = []

    def be_faster():
        bench.cluster.put(SECRETS, {**manifest, "data": {"secret": base64.b64encode(b"theirs").decode()}})
        made.append(True)

    await other.look(TRIGGER)
    manifest = secret(bench)
    bench.cluster.drop(SECRETS, NAME)
    bench.cluster.interrupt("create", SECRETS, be_faster)
    await bench.look(TRIGGER)
    assert made
    assert live(bench) == ["theirs"]


async def test_edit_between_look_and_write_is_kept(bench):
    """A rotation that meets another write is made anew on what was written."""
    await bench.look(TRIGGER)

    def edit():
        found = secret(bench)
        bench.cluster.put(SECRETS, {**found, "data": {"secret": base64.b64encode(b"mine").decode()}})

    ask(bench, "1")
    bench.cluster.interrupt("patch", SECRETS, edit)
    await bench.look(TRIGGER)
    assert live(bench)[1] == "mine"
    assert bench.cluster.count("patch", SECRETS) == 2


async def test_two_operators_at_once_rotate_once(bench):
    """Two that look at the same time, as when a Lease changes hands, make one new secret for one request."""
    other = Bench(cluster=bench.cluster, mirror=bench.mirror)
    await bench.look(TRIGGER)
    ask(bench, "1")
    await asyncio.gather(*(one.look(TRIGGER) for one in (bench, other) for _ in range(5)))
    assert len(live(bench)) == 2


@pytest.mark.parametrize("verb", ["get", "create"])
async def test_missing_right_is_said_and_heals(bench, verb):
    """Without the right status says which, and how to give it; with it the secret is made, without anybody's help."""
    bench.cluster.fail(verb, SECRETS, status=403, reason="Forbidden", message="User x cannot it", times=99)
    assert await bench.look_until_still(TRIGGER) == Again(FORBIDDEN_SECONDS)
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "SecretForbidden")
    status = bench.status(TRIGGER)
    assert status["errorCode"] == "ResourceNotFoundException"
    assert "User x cannot it" in status["errorMessage"]
    assert "secretRef" not in status
    bench.cluster.heal()
    assert await bench.look_until_still(TRIGGER) == Again(LOOK_AGAIN)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    assert bench.status(TRIGGER)["secretRef"]["name"] == NAME


async def test_secret_of_a_namespace_that_ends_is_nobodys_to_mend(bench):
    """Where nothing new may come any more, status and Kubernetes Events say nothing of it, and the look comes again."""
    message = (
        f'secrets "{NAME}" is forbidden: unable to create new content in namespace x because it is being terminated'
    )
    bench.cluster.fail("create", SECRETS, status=403, reason="Forbidden", message=message, times=99)
    with pytest.raises(ClusterError, match="terminated"):
        await bench.look(TRIGGER)
    assert bench.cluster.count("patch", BUILDTRIGGERS) == 0
    assert bench.events() == []


async def test_secret_that_may_not_be_replaced_stays_named(bench):
    """Without the right to change it the secret that is there goes on, and status says what is wrong."""
    await bench.look(TRIGGER)
    ask(bench, "1")
    bench.cluster.fail("patch", SECRETS, status=403, reason="Forbidden", times=99)
    assert (await bench.look_until_still(TRIGGER)).seconds == FORBIDDEN_SECONDS
    assert bench.conditions(TRIGGER)["Ready"] == ("False", "SecretForbidden")
    assert bench.status(TRIGGER)["secretRef"]["name"] == NAME
    assert bench.status(TRIGGER)["lastModifiedSecret"]


async def test_creation_that_fails_for_long_is_said(bench):
    """An API server that answers and cannot, as with an admission webhook that is down, is told of in status."""
    bench.cluster.fail("create", SECRETS, status=500, message="failed calling webhook", times=99)
    assert (await bench.look_until_still(TRIGGER)).seconds == FORBIDDEN_SECONDS
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "SecretNotFound")
    assert "failed calling webhook" in bench.status(TRIGGER)["errorMessage"]


async def test_absent_api_server_says_nothing_of_the_secret(bench):
    """If the API server does not answer, status stays as it is."""
    await bench.look(TRIGGER)
    before = bench.status(TRIGGER)
    bench.cluster.fail("get", SECRETS)
    with pytest.raises(ClusterError):
        await bench.look(TRIGGER)
    assert bench.status(TRIGGER) == before


async def test_foreign_secret_is_left_alone_until_it_goes(bench):
    """A Secret of that name that is not ours stays as it is, is said, and gives way to one of ours when it is gone."""
    found = {"metadata": {"name": NAME, "namespace": "default"}, "data": {"secret": "Zm9yZWlnbg=="}, "type": "Opaque"}
    before = bench.cluster.put(SECRETS, found)
    assert (await bench.look_until_still(TRIGGER)).seconds == FORBIDDEN_SECONDS
    assert secret(bench) == before
    assert bench.conditions(TRIGGER)["Ready"] == ("False", "SecretNotOwned")
    assert "secretRef" not in bench.status(TRIGGER)
    bench.cluster.drop(SECRETS, NAME)
    await bench.look(TRIGGER)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    assert live(bench) != ["foreign"]


async def test_secret_of_the_wrong_form_stays_named(bench):
    """What a user has put there and GitLab cannot send is said; status goes on naming where it is, and since when."""
    await bench.look_until_still(TRIGGER)
    secret(bench)["data"]["secret"] = base64.b64encode(b"mine\n").decode()
    await bench.look_until_still(TRIGGER)
    status = bench.status(TRIGGER)
    assert (status["errorCode"], status["secretRef"]["name"]) == ("InvalidInputException", NAME)
    assert status["lastModifiedSecret"] == "2026-05-01T12:00:00Z"
    assert bench.conditions(TRIGGER)["Ready"] == ("False", "SecretMalformed")
    secret(bench)["data"]["secret"] = base64.b64encode(b"mine").decode()
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_buildtrigger_that_is_going_gets_no_secret(bench):
    """What is being deleted is not furnished any more."""
    bench.put_target(source=SOURCE, metadata={"deletionTimestamp": "2026-05-01T12:00:00Z"})
    await bench.look(TRIGGER)
    bench.cluster.drop(BUILDTRIGGERS, "hello")
    await bench.look(TRIGGER)
    assert bench.cluster.all(SECRETS) == []
