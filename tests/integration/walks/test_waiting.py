"""What is not there yet when a process starts: said in one line, waited for, and found without another start."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hookwright.app import Role, process
from hookwright.cluster import informers
from hookwright.commands.dev import make_namespace
from hookwright.intake.routes import make_url
from hookwright.kinds import KINDS, crd
from hookwright.reconcile import rootkey
from support.ports import find_port
from support.running import (
    PATIENCE,
    Running,
    make_buildtrigger,
    make_root_key,
    make_secret,
    make_webhook,
    run_hookwright,
)
from support.waiting import patience, within

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KEY = b"k" * 32
OURS = r"/apis/hookwright\.dev/v1alpha1/(webhooks|buildtriggers)"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Hookwright ask again after moments, where users wait for seconds."""
    monkeypatch.setattr(process, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(informers, "SHORTEST_REFUSED_SECONDS", 0.05)


@pytest.fixture(params=[Role.RECEIVER, Role.RUN])
async def unstarted(tmp_path: Path, request) -> AsyncIterator[Running]:
    """A process of either role, not started, in a cluster in which another has made the root key."""
    async with run_hookwright(tmp_path, started=False, admin=f"127.0.0.1:{find_port()}") as running:
        running.apply(make_root_key(), make_secret(), make_buildtrigger(), make_webhook())
        running.role = request.param
        yield running


@asynccontextmanager
async def starting(running: Running, told: str) -> AsyncIterator[list[Any]]:
    """Start a process that has to wait, see that it says why, and that it is there after the block; give its lines."""
    with capture_logs() as lines:
        start = asyncio.create_task(running.start())
        try:
            await running.until(lambda: find(lines, told), f"it says {told}")
            unready = await running.client.get(f"http://{running.settings.admin}/readyz")
            assert (unready.status_code, bool(re.search(told, unready.text))) == (503, True), unready.text
            said = len(running.cluster.requests)
            await running.until(lambda: len(running.cluster.requests) > said + 3, "it asks again")
            assert not start.done()
            yield lines
            await within(PATIENCE, start)
            async with patience(PATIENCE):
                # An operator sees its Lease a moment later. Each try is a request: there is no event to wait for.
                while (await running.client.get(f"http://{running.settings.admin}/readyz")).status_code != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        finally:
            start.cancel()
    assert len(find(lines, told)) == 1


def find(lines: list[Any], told: str) -> list[Any]:
    """Give the log lines that say something."""
    return [line for line in lines if re.search(told, f"{line.get('error')} {line.get('remedy')}")]


async def until_taken(running: Running) -> None:
    """Wait until a delivery to Webhook hello is taken."""
    url = make_url(running.settings.public_url, [KEY], running.webhook()["metadata"]["uid"])
    await running.until_answered(url, 202)


async def test_missing_right_is_waited_for(unstarted: Running):
    """A process that may not list our objects says which right is missing, and takes deliveries once it is given."""
    fault = unstarted.cluster.answer(
        path=OURS, status=403, reason="Forbidden", message="webhooks is forbidden", times=None
    )
    async with starting(unstarted, "webhooks is forbidden"):
        fault.remove()
    await until_taken(unstarted)


@pytest.mark.parametrize("unstarted", [Role.OPERATOR, Role.RUN], indirect=True)
async def test_no_webhook_is_judged_before_its_target_can_be_seen(unstarted: Running):
    """Where BuildTriggers may not be listed at the start, no Webhook is told that its own is not there."""
    fault = unstarted.cluster.answer(
        path=OURS.replace("webhooks|", ""), status=403, reason="Forbidden", message="no buildtriggers", times=None
    )
    async with starting(unstarted, "no buildtriggers"):
        assert unstarted.status() == {}
        fault.remove()
    await unstarted.until_ready()


async def test_missing_crds_are_waited_for(unstarted: Running):
    """A process in a cluster without our CRDs says what installs them, and takes deliveries once they are there."""
    for kind in KINDS:
        url = f"{unstarted.cluster.url}{CRDS}/{kind.PLURAL}.hookwright.dev"
        assert (await unstarted.client.delete(url)).status_code == 200
    async with starting(unstarted, re.escape("kubectl apply -f crds/")):
        for kind in KINDS:
            unstarted.cluster.apply(crd(kind))
        unstarted.apply(make_buildtrigger(), make_webhook())
    await until_taken(unstarted)


async def test_root_key_that_cannot_be_used_is_waited_for(unstarted: Running):
    """A root key that is too short is named, with what is right, and shown to nobody; with a good one all goes on."""
    unstarted.apply(make_root_key(b"hush"))
    async with starting(unstarted, "Secret hookwright-root-key in namespace hookwright-system, .* too short") as lines:
        assert b64encode(b"hush").decode() not in str(lines)
        unstarted.apply(make_root_key())
    await until_taken(unstarted)


async def test_receiver_waits_for_the_root_key_that_an_operator_makes(tmp_path: Path):
    """A receiver in a new cluster makes no root key; it says who does, and takes deliveries once there is one."""
    async with run_hookwright(tmp_path, started=False, admin=f"127.0.0.1:{find_port()}") as running:
        running.role = Role.RECEIVER
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        async with starting(running, "no Secret hookwright-root-key .* the operator makes it"):
            assert not running.cluster.list("secrets", "hookwright-system")
            running.apply(make_root_key())
        await until_taken(running)
        assert {request.method for request in running.cluster.requests if "/secrets" in request.path} == {"GET"}


async def test_operator_waits_for_its_namespace(tmp_path: Path):
    """An operator whose own namespace is not there says how to make it, and makes its root key once it is."""
    async with run_hookwright(
        tmp_path, started=False, admin=f"127.0.0.1:{find_port()}", namespace="elsewhere"
    ) as running:
        async with starting(running, "kubectl create namespace elsewhere"):
            running.cluster.apply(make_namespace("elsewhere"))
        assert running.cluster.get("secrets", "elsewhere", rootkey.NAME)


async def test_stop_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SIGTERM ends a receiver at once that waits for its root key, however long it would have waited."""
    monkeypatch.setattr(process, "FIRST_WAIT_SECONDS", 3600.0)
    async with run_hookwright(tmp_path, started=False, admin=f"127.0.0.1:{find_port()}") as running:
        running.role = Role.RECEIVER
        with capture_logs() as lines:
            start = asyncio.create_task(running.start())
            await running.until(lambda: find(lines, "the operator makes it"))
            await running.stop()
            await start
