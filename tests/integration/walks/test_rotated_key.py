"""A root key that is rotated while an operator and a receiver run, each of its own.

In a file of its own: on a real API server no other operator may be alive beside these two.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hookwright.app import App, Role, process
from hookwright.cluster.client import load_access
from hookwright.reconcile import rootkey
from support.running import Running, make_buildtrigger, make_secret, make_webhook, run_hookwright
from support.waiting import PATIENCE_SECONDS, within


@asynccontextmanager
async def live(role: Role, running: Running, folder: Path) -> AsyncIterator[None]:
    """Live as a process of this role does, in the test's own."""
    settings = running.settings.model_copy(update={"journal": folder / role, "identity": role})
    stop, ready = asyncio.Event(), asyncio.Event()
    configuration = (await load_access(running.kubeconfig)).configuration
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


async def test_rotated_root_key_gives_urls_that_the_receiver_knows(tmp_path: Path, monkeypatch):
    """A key put before the old one makes new URLs without a restart; they work from their first moment, the old too."""
    monkeypatch.setattr(rootkey, "FOLLOW_SECONDS", 0.2)
    monkeypatch.setattr(process, "RIPEN_SECONDS", 1.0)
    async with (
        run_hookwright(tmp_path, started=False) as running,
        live(Role.OPERATOR, running, tmp_path),
        live(Role.RECEIVER, running, tmp_path),
    ):
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        old = await running.until_ready()
        await running.until_answered(old, 202)
        secret = running.cluster.get("secrets", "hookwright-system", rootkey.NAME)
        keys = b64encode(b64encode(b"n" * 32) + b"\n" + b64decode(secret["data"]["keys"])).decode()
        running.apply({**secret, "data": {"keys": keys}})
        new = await running.until(lambda: (url := running.status()["url"]) != old and url, "there is a new URL")
        assert [(await running.push(url)).status_code for url in (new, old)] == [202, 202]
        assert running.ready()[0] == "True"
