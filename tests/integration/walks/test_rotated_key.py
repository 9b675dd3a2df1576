"""A root key that is rotated, or lost, while an operator and a receiver run, each of its own.

In a file of its own: on a real API server no other operator may be alive beside these two.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hookwright.app import App, Role, process
from hookwright.cluster.client import load_access
from hookwright.reconcile import rootkey
from support.running import Running, make_buildtrigger, make_root_key, make_secret, make_webhook, run_hookwright
from support.stage import as_role
from support.waiting import PATIENCE_SECONDS, within


@asynccontextmanager
async def live(role: Role, running: Running, folder: Path, *, name: str = "") -> AsyncIterator[None]:
    """Live as a process of this role does, in the test's own."""
    settings = running.settings.model_copy(update={"journal": folder / role, "identity": name or role})
    stop, ready = asyncio.Event(), asyncio.Event()
    configuration = (await load_access(as_role(running.cluster, running.kubeconfig, role))).configuration
    app = asyncio.create_task(
        App(settings=settings, configuration=configuration, role=role).run(stop=stop, ready=ready.set)
    )
    await asyncio.wait({app, waiting := asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
    finally:
        stop.set()
        await within(PATIENCE_SECONDS, app)


def put_keys(running: Running, *lines: bytes) -> None:
    """Have these lines of base64 in the Secret."""
    running.apply({**make_root_key(), "stringData": {"keys": b"\n".join(lines).decode()}})


def told(running: Running) -> list[str]:
    """Give the types of the Kubernetes Events of a URL that has changed."""
    return [event["type"] for event in running.cluster.list("events") if event["reason"] == "UrlChanged"]


def find_line(running: Running) -> bytes:
    """Give what is in the Secret, which has one line."""
    (line,) = b64decode(running.cluster.get("secrets", "hookwright-system", rootkey.NAME)["data"]["keys"]).split()
    return line


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often, and wait shorter until a key is used."""
    monkeypatch.setattr(rootkey, "FOLLOW_SECONDS", 0.2)
    monkeypatch.setattr(process, "RIPEN_SECONDS", 1.0)


async def test_rotated_root_key_gives_urls_that_the_receiver_knows(tmp_path: Path):
    """A key put before the old one makes new URLs without a restart; they work from their first moment, the old too."""
    async with (
        run_hookwright(tmp_path, started=False) as running,
        live(Role.OPERATOR, running, tmp_path),
        live(Role.RECEIVER, running, tmp_path),
    ):
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        old = await running.until_ready()
        await running.until_answered(old, 202)
        put_keys(running, b64encode(b"n" * 32), find_line(running))
        new = await running.until(lambda: (url := running.status()["url"]) != old and url, "there is a new URL")
        assert [(await running.push(url)).status_code for url in (new, old)] == [202, 202]
        assert running.ready()[0] == "True"
        await running.until(lambda: told(running) == ["Normal"], "the new URL is announced")


async def test_lost_root_key_is_survived_until_an_operator_starts(tmp_path: Path):
    """URLs work from memory; an operator that starts makes others, and says so; with the old key the old work again."""
    async with (
        run_hookwright(tmp_path, started=False) as running,
        live(Role.OPERATOR, running, tmp_path),
        live(Role.RECEIVER, running, tmp_path),
    ):
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        old = await running.until_ready()
        await running.until_answered(old, 202)
        line = find_line(running)
        path = f"/api/v1/namespaces/hookwright-system/secrets/{rootkey.NAME}"
        with capture_logs() as lines:
            assert (await running.client.delete(running.cluster.url + path)).status_code == 200
            await running.until(lambda: sum("is gone" in one.get("error", "") for one in lines) > 3, "it was missed")
            assert (await running.push(old)).status_code == 202
            assert running.status()["url"] == old
            async with live(Role.OPERATOR, running, tmp_path, name="standby"):
                await running.until_answered(old, 404)
                new = await running.until(lambda: (url := running.status()["url"]) != old and url, "there is a new URL")
            await running.until_answered(new, 202)
        await running.until(lambda: told(running) == ["Warning"], "the loss is announced")
        assert "put the old one back" in str([one.get("remedy") for one in lines])
        put_keys(running, line, find_line(running))
        await running.until(lambda: running.status()["url"] == old, "the old URL is there again")
        assert [(await running.push(url)).status_code for url in (old, new)] == [202, 202]
