"""A journal whose receiver is gone for good: `hookwright drain` starts what it holds, once, and says what it cannot."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_process import JOBS, Single, run_process

from hookwright.journal import History, Journal
from support.processes import LONG_PATIENCE
from support.running import PATIENCE, make_buildtrigger, make_webhook
from support.waiting import patience, within

BUILDTRIGGER = "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers/hello"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left."""

    code: int | None
    out: str
    err: str


@dataclass(kw_only=True)
class Orphan:
    """A journal with deliveries that were accepted and not started, in a cluster where nobody works on it any more."""

    process: Single
    names: set[str]
    """The builds that were promised."""

    @property
    def folder(self) -> Path:
        """Where the journal is."""
        return self.process.running.settings.journal

    def jobs(self) -> list[str]:
        """Give the names of all Jobs."""
        return sorted(job["metadata"]["name"] for job in self.process.running.jobs())

    async def begin(self, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
        """Start `hookwright drain` on the journal."""
        command = ["-m", "hookwright", "drain", "--kubeconfig", str(self.process.kubeconfig), *arguments]
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env=self.process.environment | settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def drain(self, *arguments: str, **settings: str) -> Ran:
        """Run `hookwright drain` on the journal to its end."""
        return await finish(await self.begin(*arguments, **settings))


async def finish(process: asyncio.subprocess.Process) -> Ran:
    """Wait for the end of a command."""
    out, err = await within(PATIENCE, process.communicate())
    assert b"Traceback" not in err
    return Ran(code=process.returncode, out=out.decode(), err=err.decode())


@asynccontextmanager
async def leave_orphan(folder: Path, *, count: int = 5, **settings: str) -> AsyncIterator[Orphan]:
    """Have a process accept deliveries, start none of them, and die."""
    async with run_process(folder, HOOKWRIGHT_TARGET_PATIENCE="3600", **settings) as process:
        running = process.running
        url = await running.until_ready()
        fault = running.cluster.answer(method="POST", path=JOBS, status=503, reason="ServiceUnavailable", times=None)
        answers = [await running.push(url, delivery=f"d-{number}") for number in range(count)]
        assert {answer.status_code for answer in answers} == {202}
        await process.signal(signal.SIGKILL)
        # Once it has answered this, the API server has read all that came before it: none of that takes effect later.
        (await running.client.get(running.cluster.url + "/version")).raise_for_status()
        fault.remove()
        assert running.jobs() == []
        yield Orphan(process=process, names={answer.json()["builds"][0]["name"] for answer in answers})


@pytest.fixture
async def orphan(tmp_path: Path) -> AsyncIterator[Orphan]:
    """An orphaned journal with five deliveries."""
    async with leave_orphan(tmp_path) as made:
        yield made


async def test_orphan_is_worked_off_once(orphan: Orphan):
    """All that was promised is started, told in status and history, and then never again."""
    ran = await orphan.drain()
    assert (ran.code, ran.out) == (0, f"worked off in {orphan.folder}: 5 started\n")
    assert orphan.jobs() == sorted(orphan.names)
    status = orphan.process.running.status()
    assert status["lastTriggered"]
    assert (status["lastDelivery"]["outcome"], status["lastDelivery"]["reason"]) == ("started", "BuildCreated")
    journal = await Journal.open(orphan.folder)
    assert await journal.depth() == 0
    await journal.close()
    history = History(orphan.folder)
    page = await history.find(namespace="default")
    await history.close()
    assert [record.record.outcome for record in page.records] == ["started"] * 5
    ran = await orphan.drain()
    assert (ran.code, ran.out) == (0, f"nothing to do: nothing waits in the journal in {orphan.folder}\n")
    assert orphan.jobs() == sorted(orphan.names)


async def test_what_cannot_start_is_said_and_kept(orphan: Orphan):
    """What waits for a target is counted, exit code 1, and stays; once the target is there it starts, exactly once."""
    running = orphan.process.running
    gone = await running.client.delete(running.cluster.url + BUILDTRIGGER)
    assert gone.status_code == 200
    async with patience(LONG_PATIENCE):
        # Two seconds may be over before each was tried: those are tried the next time.
        while True:
            ran = await orphan.drain("--timeout", "2", "-o", "json")
            told = json.loads(ran.out)
            pending = told.pop("pending")
            assert (ran.code, told) == (1, {"journal": str(orphan.folder), "found": True, "concluded": {}})
            assert sum(pending.values()) == 5
            if pending == {"TargetMissing": 5}:
                break
    ran = await orphan.drain("--timeout", "1")
    assert ran.code == 1
    assert f"5 builds still wait in {orphan.folder}: 5 TargetMissing." in ran.err
    draining = await orphan.begin()
    running.apply(make_buildtrigger())
    ran = await finish(draining)
    assert ran.code == 0
    assert orphan.jobs() == sorted(orphan.names)


async def test_api_server_that_hangs_loses_nothing(orphan: Orphan):
    """SIGTERM and the timeout end it while the API server hangs, exit code 1; the next one starts all of it."""
    cluster = orphan.process.running.cluster
    cluster.pause()
    draining = await orphan.begin()
    lock = orphan.folder / "journal.lock"
    await orphan.process.running.until(lambda: lock.read_text() == f"{draining.pid}\n", "it has the journal")
    draining.send_signal(signal.SIGTERM)
    stopped = await finish(draining)
    given_up = await orphan.drain("--timeout", "1")
    for ran in (stopped, given_up):
        assert ran.code == 1
        assert "5 builds still wait" in ran.err
    cluster.resume()
    assert (await orphan.drain()).code == 0
    assert orphan.jobs() == sorted(orphan.names)


async def test_journal_of_a_live_process_is_left_alone(orphan: Orphan):
    """A journal on which a receiver works is refused, exit code 1, and the receiver starts what is in it."""
    await orphan.process.start()
    await orphan.process.until_listening()
    ran = await orphan.drain()
    assert (ran.code, ran.out) == (1, "")
    assert f"works on the journal in {orphan.folder}" in ran.err
    await orphan.process.running.until(lambda: set(orphan.jobs()) == orphan.names)


async def test_folder_without_journal_is_left_as_it_is(orphan: Orphan, tmp_path: Path):
    """Where there is no journal there is nothing to do, exit code 0, and none is made."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (empty, tmp_path / "missing"):
        ran = await orphan.drain(HOOKWRIGHT_JOURNAL=str(folder))
        assert (ran.code, ran.out) == (0, f"nothing to do: there is no journal in {folder}\n")
    assert list(empty.iterdir()) == []
    assert not (tmp_path / "missing").exists()


async def test_what_another_receiver_has_started_is_not_started_again(orphan: Orphan):
    """A delivery that was sent again, to a receiver that lives, has its build: the orphan's copy is that same one."""
    running = orphan.process.running
    journal = running.settings.journal
    journal.rename(journal.with_name("left"))
    await orphan.process.start()
    await orphan.process.until_listening()
    again = [await running.push(running.status()["url"], delivery=f"d-{number}") for number in range(5)]
    assert {answer.json()["builds"][0]["name"] for answer in again} == orphan.names
    await running.until(lambda: set(orphan.jobs()) == orphan.names)
    ran = await orphan.drain(HOOKWRIGHT_JOURNAL=str(journal.with_name("left")))
    assert ran.code == 0
    assert orphan.jobs() == sorted(orphan.names)


async def test_refused_builds_end_the_delivery(orphan: Orphan):
    """What the API server refuses for good leaves the journal too, and is counted as failed."""
    orphan.process.running.apply(make_webhook("other"))
    fault = orphan.process.running.cluster.answer(method="POST", path=JOBS, status=422, reason="Invalid", times=None)
    ran = await orphan.drain()
    fault.remove()
    assert (ran.code, ran.out) == (0, f"worked off in {orphan.folder}: 5 failed\n")
    assert orphan.process.running.last() == ("failed", "BuildInvalid")
