"""The end of a receiver, and of connections: whoever sends is served or can go elsewhere, and nobody is cut off."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from test_process import run_process

from hookwright.app import intake
from hookwright.intake.server import IntakeServer
from support.rawhttp import RawAnswer, RawConnection
from support.running import make_buildtrigger, make_headers, make_push, make_secret, make_webhook, run_hookwright
from support.waiting import patience

HALF = 20
DRAIN = 60  # seconds: each test ends it when it has seen enough


@pytest.fixture
def enough(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Have a receiver in the test's own process drain until this is set."""
    event = asyncio.Event()
    monkeypatch.setattr(intake, "IntakeServer", partial(IntakeServer, sleep=lambda _: event.wait()))
    return event


def make_request(path: str, delivery: str) -> bytes:
    """Give a signed push as bytes."""
    body = make_push()
    headers = make_headers(body, delivery=delivery) | {"host": "x", "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def ends(answer: RawAnswer) -> bool:
    """Say whether the sender is asked to connect anew."""
    return answer.headers.get("connection") == "close"


async def deliver(connection: RawConnection, delivery: str) -> RawAnswer:
    """Send a signed push, and give the answer."""
    await connection.send(make_request(connection.path, delivery))
    return await connection.answer()


async def until_draining(url: str) -> None:
    """Deliver on new connections until the answer asks to go elsewhere."""
    number = 0
    async with patience():
        while True:
            connection = await RawConnection.open(url)
            answer = await deliver(connection, f"probe-{number}")
            connection.close()
            assert answer.status == 202
            if ends(answer):
                return
            number += 1


@dataclass(kw_only=True)
class Sender:
    """Somebody who delivers without a pause on one connection, and takes another when told so; then goes elsewhere."""

    name: str
    url: str
    accepted: list[str] = field(default_factory=list)
    told: int = 0

    async def run(self) -> None:
        """Deliver until it has been told twice to go elsewhere; anything but an answer is a failure."""
        while self.told < 2:
            connection = await RawConnection.open(self.url)
            answer = None
            while answer is None or not ends(answer):
                delivery = f"{self.name}-{len(self.accepted)}"
                answer = await deliver(connection, delivery)
                assert answer.status == 202
                self.accepted.append(delivery)
            assert await connection.rest() == b""
            connection.close()
            self.told += 1


async def test_term_cuts_nobody_off(tmp_path: Path):
    """SIGTERM while deliveries stream in: each that was sent is answered, and each 202 is built exactly once."""
    async with run_process(tmp_path, HOOKWRIGHT_DRAIN=str(DRAIN)) as process:
        running = process.running
        url = await running.until_ready()
        senders = [Sender(name=f"s{number}", url=url) for number in range(8)]
        sending = [asyncio.create_task(sender.run()) for sender in senders]
        slow = await RawConnection.open(url)
        request = make_request(slow.path, "slow")
        await slow.send(request[:-HALF])
        idle = await RawConnection.open(url)
        assert (await deliver(idle, "idle")).status == 202
        await running.until(lambda: all(len(sender.accepted) > 5 for sender in senders), "deliveries stream in")
        ending = asyncio.create_task(process.signal(signal.SIGTERM))
        await asyncio.gather(*sending)
        process.send(signal.SIGUSR1)
        # The kept connection that nobody used is closed at the latest when no more are taken.
        assert await idle.rest() == b""
        await slow.send(request[-HALF:])
        answer = await slow.answer()
        assert (answer.status, ends(answer)) == (202, True)
        assert await ending == 0
        accepted = {"slow", "idle", *(delivery for sender in senders for delivery in sender.accepted)}
        await process.start()
        await process.until_listening()
        await running.until(lambda: len(running.jobs()) >= len(accepted), "all that was accepted is built")
        built = [job["metadata"]["annotations"]["hookwright.dev/delivery"] for job in running.jobs()]
        assert sorted(delivery.rpartition("/")[2] for delivery in built) == sorted(accepted)
        assert "Traceback" not in process.said()


async def test_kept_connections_are_served_while_draining(tmp_path: Path, enough: asyncio.Event):
    """While it drains, requests on kept and on new connections are served and told to go; after it none is taken."""
    async with run_hookwright(tmp_path, drain=DRAIN) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        url = await running.until_ready()
        kept = await RawConnection.open(url)
        assert not ends(await deliver(kept, "before"))
        stopping = asyncio.create_task(running.stop())
        await until_draining(url)
        answer = await deliver(kept, "meanwhile")
        assert (answer.status, ends(answer)) == (202, True)
        assert await kept.rest() == b""
        assert not stopping.done()
        enough.set()
        await stopping
        try:
            await RawConnection.open(url)
        except OSError:
            return
        raise AssertionError("a connection was taken after the end")


async def test_refused_senders_are_told_to_go_too(tmp_path: Path, enough: asyncio.Event):
    """While it drains, every answer ends its connection, and says so once."""
    async with run_hookwright(tmp_path, drain=DRAIN) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        url = await running.until_ready()
        stopping = asyncio.create_task(running.stop())
        await until_draining(url)
        for secret, status in (("wrong", 401), (None, 401)):
            response = await running.push(url, secret=secret)
            assert (response.status_code, response.headers.get_list("connection")) == (status, ["close"])
        response = await running.client.get(url)
        assert (response.status_code, response.headers.get_list("connection")) == (405, ["close"])
        enough.set()
        await stopping


async def test_receiver_that_ends_says_what_stays_in_its_journal(tmp_path: Path):
    """What waits when a receiver ends is counted in its last words, with what to do; else it says nothing of it."""
    async with run_process(tmp_path, HOOKWRIGHT_LOG_FORMAT="json") as process:
        running = process.running
        running.apply(make_webhook("late", targetPipeline={"name": "late"}))
        url = await running.until(lambda: running.status("late").get("url"), "Webhook late has a URL")
        for number in range(3):
            assert (await running.push(url, delivery=f"late-{number}")).status_code == 202
        assert await process.signal(signal.SIGTERM) == 0
        said = process.last_said("journal")
        assert (said["level"], said["left"]) == ("warning", 3)
        assert "adoptJournals" in said["remedy"]
        running.apply(make_buildtrigger("late"))
        await process.start()
        await process.until_listening()
        await running.until(lambda: len(running.jobs()) == 3, "all is built")
        await running.until(lambda: running.last("late")[0] == "started", "the status says so")
        assert await process.signal(signal.SIGTERM) == 0
        assert process.last_said("journal") == {}


async def test_trusted_proxies_connect_anew_for_each_delivery(tmp_path: Path):
    """A trusted proxy's connection ends with its answer, so that it keeps none that may end under a delivery."""
    async with run_hookwright(tmp_path, trusted_proxies="127.0.0.0/8") as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        url = await running.until_ready()
        for number in range(2):
            connection = await RawConnection.open(url)
            answer = await deliver(connection, f"proxied-{number}")
            assert (answer.status, ends(answer)) == (202, True)
            assert await connection.rest() == b""
            connection.close()
