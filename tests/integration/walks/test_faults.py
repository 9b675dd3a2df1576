"""Bad luck: an API server that is away, refuses, or takes a build without saying so; a disk that is full."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hookwright.app import process, starting
from hookwright.builds import worker
from hookwright.errors import JournalUnwritable
from hookwright.journal import History, Journal
from support.running import Running, make_settings, make_webhook, run_hookwright

JOBS = r"/apis/batch/v1/namespaces/default/jobs"


async def test_accepted_deliveries_wait_for_the_api_server(running: Running):
    """While the API server is away, deliveries are accepted; when it is back, each starts once."""
    url = running.status()["url"]
    assert (await running.push(url, delivery="before")).status_code == 202
    await running.until(running.jobs)
    fault = running.cluster.drop(method="POST", path=JOBS, times=None)
    for index in range(20):
        assert (await running.push(url, delivery=f"d-{index}")).status_code == 202
    await running.until(lambda: running.last() == ("pending", "StartDelayed"))
    assert len(running.jobs()) == 1
    fault.remove()
    await running.until(lambda: len(running.jobs()) == 21)


@pytest.mark.parametrize("status", [429, 500, 503, 504])
async def test_passing_errors_are_tried_again(running: Running, monkeypatch, status):
    """An answer that may pass is tried again until the build exists."""
    monkeypatch.setattr(worker, "backoff", lambda attempts, *, jitter: 0.05)
    running.cluster.answer(method="POST", path=JOBS, status=status, reason="Whatever", times=3)
    assert (await running.push(running.status()["url"])).status_code == 202
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    assert len(running.jobs()) == 1


async def test_build_that_was_made_unheard_is_recognised(running: Running):
    """If the API server makes the Job and its answer is lost, the Job is recognised and none is made twice."""
    running.cluster.drop(method="POST", path=JOBS, times=1, after=True)
    assert (await running.push(running.status()["url"])).status_code == 202
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    assert len(running.jobs()) == 1


@pytest.mark.parametrize(
    ("status", "reason", "message", "outcome"),
    [
        (403, "Forbidden", 'jobs.batch is forbidden: User "x" cannot create resource "jobs"', "BuildForbidden"),
        (403, "Forbidden", 'serviceaccounts "x" is forbidden: User "y" cannot impersonate', "ImpersonationForbidden"),
        (403, "Forbidden", "unable to create new content because it is being terminated", "NamespaceGone"),
        (422, "Invalid", 'Job.batch "x" is invalid: spec.template: Invalid value', "BuildInvalid"),
        (400, "BadRequest", "admission webhook denied the request", "BuildInvalid"),
        (404, "NotFound", 'namespaces "default" not found', "NamespaceGone"),
    ],
)
async def test_final_refusal_ends_the_delivery_with_a_reason(running: Running, status, reason, message, outcome):
    """A refusal that only a person can mend ends the delivery; status says why; a redelivery after it works."""
    # Not for once only: the operator's dry run, which asks at the same path, could use it up.
    fault = running.cluster.answer(method="POST", path=JOBS, status=status, reason=reason, message=message)
    url = running.status()["url"]
    assert (await running.push(url, delivery="once")).status_code == 202
    await running.until(lambda: running.last() == ("failed", outcome))
    fault.remove()
    assert message in running.status()["lastDelivery"]["message"]
    assert "lastTriggered" not in running.status()
    assert (await running.push(url, delivery="once")).status_code == 202
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    assert len(running.jobs()) == 1


async def test_name_taken_by_a_stranger_is_not_success(running: Running):
    """A Job of the same name that is not of this delivery is no success."""
    url = running.status()["url"]
    fault = running.cluster.answer(method="POST", path=JOBS, status=503, reason="ServiceUnavailable", times=None)
    name = (await running.push(url)).json()["builds"][0]["name"]
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}
    running.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"template": {"spec": pod}},
        }
    )
    fault.remove()
    await running.until(lambda: running.last() == ("failed", "BuildNameTaken"))


async def test_unwritable_journal_accepts_nothing(running: Running, monkeypatch):
    """What cannot be put on disk is answered 503 with Retry-After, and never starts."""
    real = Journal.accept_all

    async def fail(self, deliveries):
        raise JournalUnwritable("the disk is full")

    monkeypatch.setattr(Journal, "accept_all", fail)
    url = running.status()["url"]
    response = await running.push(url, delivery="d")
    assert (response.status_code, response.json()["reason"]) == (503, "JournalUnwritable")
    assert int(response.headers["retry-after"]) > 0
    monkeypatch.setattr(Journal, "accept_all", real)
    assert (await running.push(url, delivery="d")).status_code == 202
    await running.until(lambda: len(running.jobs()) == 1)


async def test_pending_deliveries_survive_a_restart(running: Running):
    """What was accepted and not started starts after a restart; what was started does not start again."""
    url = running.status()["url"]
    await running.push(url, delivery="done")
    await running.until(running.jobs)
    fault = running.cluster.answer(method="POST", path=JOBS, status=503, reason="ServiceUnavailable", times=None)
    await running.push(url, delivery="waiting")
    await running.until(lambda: running.last() == ("pending", "StartDelayed"))
    await running.stop()
    fault.remove()
    await running.start()
    await running.until(lambda: len(running.jobs()) == 2)
    assert (await running.push(url, delivery="done")).json()["outcome"] == "duplicate"
    assert len(running.jobs()) == 2


async def test_history_takes_what_comes_until_the_last_build_has_started(tmp_path: Path, monkeypatch):
    """When a process ends, the history is closed after all that writes to it has ended."""
    left: list[str] = []

    @asynccontextmanager
    async def open_and_look(*args: Any) -> AsyncIterator[History]:
        async with starting.open_history(*args) as history:
            yield history
            left.extend(str(task.get_coro()) for task in asyncio.all_tasks())

    monkeypatch.setattr(process, "open_history", open_and_look)
    async with run_hookwright(tmp_path):
        pass
    assert left
    assert not [one for one in left if "Worker.run" in one]


async def test_last_triggered_is_repaired_after_a_crash(running: Running):
    """A start whose time did not reach status, because the process died, is written there after the restart."""
    fault = running.cluster.answer(
        method="PATCH", path=r".*/webhooks/hello/status", status=503, reason="ServiceUnavailable", times=None
    )
    await running.push(running.status()["url"])
    await running.until(running.jobs)
    await running.stop()
    assert "lastTriggered" not in running.status()
    fault.remove()
    await running.start()
    await running.until(lambda: "lastTriggered" in running.status())


async def test_watch_that_ends_loses_nothing(running: Running):
    """When all watches end, as when an API server restarts, later changes are still noticed."""
    running.cluster.close_watches()
    running.apply(make_webhook("later"))
    await running.until_ready("later")
    running.cluster.expire_history()
    running.cluster.close_watches()
    running.apply(make_webhook("last"))
    await running.until_ready("last")


async def test_starts_while_the_api_server_is_away(running: Running):
    """Hookwright that starts while the API server is away waits for it, and then works."""
    await running.stop()
    running.cluster.pause()
    starting = asyncio.create_task(running.start())
    await asyncio.sleep(0.5)
    assert not starting.done()
    running.cluster.resume()
    await starting
    assert (await running.push(running.status()["url"])).status_code == 202


async def test_same_delivery_to_two_processes_starts_once(tmp_path: Path, running: Running):
    """Two processes with a journal each give one URL token; a delivery that reaches both is built once."""
    # One public address for both, as behind one Service: else the two would write different URLs into status.
    settings = make_settings(tmp_path / "second", public_url=running.settings.public_url)
    second = replace(running, settings=settings, _stop=asyncio.Event(), _task=None)
    await second.start()
    try:
        path = "/hooks/" + running.status()["url"].rpartition("/")[2]
        first_url, second_url = (f"http://{each.listen}{path}" for each in (running.settings, settings))
        for number in range(10):
            pair = (running.push(first_url, delivery=f"d-{number}"), second.push(second_url, delivery=f"d-{number}"))
            answers = await asyncio.gather(*pair)
            assert [answer.status_code for answer in answers] == [202, 202]
            assert answers[0].json()["builds"] == answers[1].json()["builds"]
        await running.until(lambda: len(running.jobs()) == 10)

        def count_made() -> int:
            asked = [r for r in running.cluster.requests if r.method == "POST" and re.fullmatch(JOBS, r.path)]
            return len([r for r in asked if r.status == 201 and "dryRun" not in r.query])

        # A Job can be seen before its answer is on record.
        await running.until(lambda: count_made() >= 10)
        assert count_made() == 10
    finally:
        await second.stop()
