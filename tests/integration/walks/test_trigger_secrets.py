"""The Secret of a BuildTrigger: made, lost, replaced by schedule and on demand, somebody else's, without the right."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hookwright.reconcile import buildtrigger
from support.processes import LONG_PATIENCE, until
from support.running import Running, run_hookwright
from support.triggers import deliver, make_trigger, until_url
from support.waiting import patience

NAME = "hello-hookwright"
TRIGGERS = "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers"
SECRETS = "/api/v1/namespaces/default/secrets"
ROTATE = "hookwright.dev/rotate-secret"


@dataclass
class Clock:
    """A clock that goes on, and can be set."""

    wrong_by: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.wrong_by


@dataclass
class Scene:
    """Hookwright with BuildTrigger hello of GitHub, and what can be seen of its Secret."""

    running: Running
    clock: Clock

    def apply(self, request: str = "", **spec: Any) -> None:
        """Apply the BuildTrigger, with a request for a new secret."""
        trigger = make_trigger(**spec)
        trigger["metadata"]["annotations"] = {ROTATE: request} if request else {}
        self.running.apply(trigger)

    @property
    def secret(self) -> dict[str, Any] | None:
        """The Secret as it is now."""
        return self.running.cluster.get("secrets", "default", NAME)

    @property
    def status(self) -> dict[str, Any]:
        """The BuildTrigger's status."""
        found = self.running.cluster.get("buildtriggers.hookwright.dev", "default", "hello") or {}
        return dict(found.get("status", {}))

    @property
    def ready(self) -> tuple[str, str]:
        """Status and reason of the condition Ready."""
        conditions = [one for one in self.status.get("conditions", []) if one["type"] == "Ready"]
        return (conditions[0]["status"], conditions[0]["reason"]) if conditions else ("Unknown", "")

    @property
    def live(self) -> dict[str, str]:
        """The secrets that are good, by their keys."""
        data = (self.secret or {}).get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def events(self) -> list[tuple[str, str]]:
        """Give type and reason of each Kubernetes Event about the BuildTrigger."""
        found = self.running.cluster.list("events", "default")
        return [(one["type"], one["reason"]) for one in found if one["involvedObject"]["kind"] == "BuildTrigger"]

    async def until_live(self, count: int) -> dict[str, str]:
        """Wait until so many secrets are good, and status says when the newest was made."""

        def is_said() -> bool:
            annotations = (self.secret or {"metadata": {}})["metadata"].get("annotations", {})
            made_at = annotations.get("hookwright.dev/secret-made-at", "none")
            return len(self.live) == count and self.status.get("lastModifiedSecret") == made_at

        await self.running.until(is_said, f"{count} secrets are good: {self.status}")
        return self.live

    async def deliver(self, url: str, secret: str) -> int:
        """Deliver a push that is signed with `secret`; give the answer's status."""
        return (await deliver(self.running, url, secret=secret, delivery_id=str(uuid.uuid4()))).status_code

    async def until_refused(self, url: str, secret: str) -> None:
        """Deliver until `secret` proves nothing any more: receivers may know it for some seconds."""
        async with patience(LONG_PATIENCE):
            while await self.deliver(url, secret) != 401:  # noqa: ASYNC110 - each try is a request
                await asyncio.sleep(0.1)

    async def delete(self, path: str) -> None:
        """Delete an object as kubectl does."""
        response = await self.running.client.delete(self.running.cluster.url + path)
        assert response.status_code == 200

    def count_looks(self) -> int:
        """Count how often the Secret was asked for."""
        return sum(one.path == f"{SECRETS}/{NAME}" for one in self.running.cluster.requests)

    def look(self) -> None:
        """Have the operator look at the BuildTrigger, as it would by itself when something is due."""
        trigger = self.running.cluster.get("buildtriggers.hookwright.dev", "default", "hello")
        assert trigger is not None
        metadata = trigger["metadata"]
        looked = {"hookwright.dev/looked-at": str(len(self.running.cluster.requests))}
        annotations = metadata.get("annotations", {}) | looked
        self.running.cluster.apply({**trigger, "metadata": {**metadata, "annotations": annotations}})


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Hookwright with a clock that can be set, which looks again for what was forbidden after moments."""
    monkeypatch.setattr(buildtrigger, "FORBIDDEN_SECONDS", 0.2)
    async with run_hookwright(tmp_path, started=False) as running:
        running.clock = clock = Clock()
        await running.start()
        yield Scene(running, clock)


async def test_secret_is_made_and_goes_with_its_buildtrigger(scene: Scene):
    """A BuildTrigger with a provider gets a Secret, which is deleted with it; the next of its name gets another."""
    scene.apply()
    (value,) = (await scene.until_live(1)).values()
    assert len(bytes.fromhex(value)) == 32
    await scene.running.until(lambda: scene.ready == ("True", "Startable"))
    assert scene.status["secretRef"] == {"name": NAME, "key": "secret"}
    await scene.running.until(lambda: ("Normal", "SecretMade") in scene.events())
    await scene.delete(f"{TRIGGERS}/hello")
    # The garbage collector of a real cluster looks every half minute for kinds that it does not know yet.
    await until(lambda: scene.secret is None, "the Secret goes with its BuildTrigger")
    scene.apply()
    assert list((await scene.until_live(1)).values()) != [value]


async def test_secret_that_is_deleted_is_made_anew(scene: Scene):
    """A Secret that somebody deletes is there again at once, with a warning, since the Git host has the old one."""
    scene.apply()
    before = await scene.until_live(1)
    await scene.delete(f"{SECRETS}/{NAME}")
    await scene.running.until(lambda: scene.secret is not None)
    assert await scene.until_live(1) != before
    await scene.running.until(lambda: ("Warning", "SecretReplaced") in scene.events())


async def test_key_that_is_emptied_is_filled_anew(scene: Scene):
    """Whoever empties the key gets a new secret there."""
    scene.apply()
    before = await scene.until_live(1)
    secret = scene.secret
    assert secret is not None
    scene.running.cluster.apply({**secret, "data": {"secret": ""}})
    await scene.running.until(lambda: len(scene.live.get("secret", "")) == 64)
    assert scene.live != before


async def test_rotation_on_demand_twice_in_a_minute(scene: Scene):
    """Each request makes a new secret; those before stay good for a day, and end then."""
    scene.apply()
    first = (await scene.until_live(1))["secret"]
    scene.apply("1")
    second = (await scene.until_live(2))["secret"]
    scene.apply("2")
    live = await scene.until_live(3)
    assert (live["previous"], live["previous-2"]) == (second, first)
    await scene.running.until(lambda: scene.events().count(("Normal", "SecretRotated")) == 2)
    scene.clock.wrong_by = timedelta(hours=25)
    scene.look()
    assert await scene.until_live(1) == {"secret": live["secret"]}
    await scene.running.until(lambda: ("Normal", "SecretEnded") in scene.events())


async def test_old_secret_is_good_until_its_overlap_is_over(scene: Scene):
    """What is signed with any secret that is good starts builds; with one whose time is over, nothing."""
    scene.apply()
    url = await until_url(scene.running)
    first = scene.live["secret"]
    assert await scene.deliver(url, first) == 202
    scene.apply("1")
    second = (await scene.until_live(2))["secret"]
    scene.apply("2")
    third = (await scene.until_live(3))["secret"]
    assert [await scene.deliver(url, secret) for secret in (first, second, third)] == [202, 202, 202]
    scene.clock.wrong_by = timedelta(hours=25)
    scene.look()
    await scene.until_live(1)
    await scene.until_refused(url, first)
    assert [await scene.deliver(url, secret) for secret in (second, third)] == [401, 202]


async def test_old_secret_ends_though_it_cannot_be_taken_away(scene: Scene):
    """Receivers take no secret whose time is over, also where the operator may not change the Secret."""
    scene.apply()
    url = await until_url(scene.running)
    first = scene.live["secret"]
    scene.apply("1")
    second = (await scene.until_live(2))["secret"]
    # Who has taken the new one knows until when the old one is good.
    assert [await scene.deliver(url, secret) for secret in (second, first)] == [202, 202]
    scene.running.cluster.answer(
        method="PATCH", path=f"{SECRETS}/{NAME}", status=403, reason="Forbidden", message="no", times=None
    )
    scene.clock.wrong_by = timedelta(hours=25)
    assert [await scene.deliver(url, secret) for secret in (second, first)] == [202, 401]
    assert scene.live["previous"] == first


async def test_secret_that_was_made_anew_serves_at_once(scene: Scene):
    """After a loss the next delivery with the new secret starts a build; the old one is refused."""
    scene.apply()
    url = await until_url(scene.running)
    lost = scene.live["secret"]
    assert await scene.deliver(url, lost) == 202
    await scene.delete(f"{SECRETS}/{NAME}")
    await scene.running.until(lambda: scene.live not in ({}, {"secret": lost}))
    assert await scene.deliver(url, scene.live["secret"]) == 202
    await scene.until_refused(url, lost)


async def test_rotation_by_schedule(scene: Scene):
    """With secretRotation a new secret comes in time by itself, and the one before ends after the overlap."""
    scene.apply(secretRotation={"every": "48h", "overlap": "2h"})
    first = (await scene.until_live(1))["secret"]
    scene.clock.wrong_by = timedelta(hours=47)
    scene.look()
    scene.clock.wrong_by = timedelta(hours=49)
    scene.look()
    live = await scene.until_live(2)
    assert live["previous"] == first
    scene.clock.wrong_by = timedelta(hours=52)
    scene.look()
    assert await scene.until_live(1) == {"secret": live["secret"]}


async def test_operator_looks_by_itself_when_a_secret_is_due(scene: Scene):
    """Nobody needs to touch the BuildTrigger for an old secret to end."""
    scene.apply(secretRotation={"every": "24h", "overlap": "2s"})
    await scene.until_live(1)
    scene.apply("1", secretRotation={"every": "24h", "overlap": "2s"})
    await scene.running.until(lambda: ("Normal", "SecretRotated") in scene.events())
    await scene.until_live(1)


async def test_restart_makes_no_other_secret(scene: Scene):
    """What stands in the Secret is all that is to be known: a new process goes on where the last one was."""
    scene.apply()
    await scene.until_live(1)
    scene.apply("1")
    before = await scene.until_live(2)
    await scene.running.stop()
    looks = scene.count_looks()
    scene.clock.wrong_by = timedelta(minutes=1)
    await scene.running.start()
    scene.look()
    await scene.running.until(lambda: scene.count_looks() > looks)
    await scene.until_live(2)
    assert scene.live == before


async def test_foreign_secret_is_not_touched(scene: Scene):
    """A Secret of that name that is somebody else's stays as it is, and status says what to do; marked, it is used."""
    foreign = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME, "namespace": "default"},
        "stringData": {"secret": "mine"},
    }
    scene.running.apply(foreign)
    version = (scene.secret or {})["metadata"]["resourceVersion"]
    scene.apply()
    await scene.running.until(lambda: scene.ready == ("False", "SecretNotOwned"))
    url = scene.status["payloadUrl"]
    assert await scene.deliver(url, "mine") == 503
    assert scene.status["errorCode"] == "InvalidInputException"
    assert "secretRef" not in scene.status
    assert (scene.secret or {})["metadata"]["resourceVersion"] == version
    marked = {**foreign, "metadata": {**foreign["metadata"], "annotations": {"hookwright.dev/buildtrigger": "hello"}}}
    scene.running.apply(marked)
    await scene.running.until(lambda: scene.ready == ("True", "Startable"))
    assert scene.status["secretRef"] == {"name": NAME, "key": "secret"}
    assert scene.live == {"secret": "mine"}
    async with patience(LONG_PATIENCE):
        while await scene.deliver(url, "mine") != 202:  # noqa: ASYNC110 - each try is a request
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("method", "path"), [("POST", SECRETS), ("PATCH", f"{SECRETS}/{NAME}")])
async def test_missing_right_is_said_and_heals(scene: Scene, method: str, path: str):
    """Without the right to make or change it, status says which right and how to give it; with it all goes on."""
    if method == "PATCH":
        scene.apply()
        await scene.until_live(1)
    message = 'secrets is forbidden: User "system:serviceaccount:hookwright-system:hookwright-operator" cannot'
    fault = scene.running.cluster.answer(
        method=method, path=path, status=403, reason="Forbidden", message=message, times=None
    )
    scene.apply("1" if method == "PATCH" else "")
    await scene.running.until(lambda: scene.ready == ("False", "SecretForbidden"))
    said = scene.status["errorMessage"]
    assert message in said
    assert "hookwright grant default --service-account" in said
    assert scene.status["errorCode"] == "ResourceNotFoundException"
    fault.remove()
    await scene.running.until(lambda: scene.ready == ("True", "Startable"))
    await scene.until_live(1 if method == "POST" else 2)


async def test_no_secret_is_told(scene: Scene):
    """Neither status nor Kubernetes Events nor annotations hold a secret."""
    scene.apply()
    await scene.until_live(1)
    scene.apply("1")
    await scene.until_live(2)
    await scene.running.until(lambda: ("Normal", "SecretRotated") in scene.events())
    told = [scene.status, scene.running.cluster.list("events", "default"), (scene.secret or {})["metadata"]]
    for value in scene.live.values():
        assert value not in repr(told)
