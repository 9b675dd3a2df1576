"""The machine's clock is set back and forward by hours under a running Hookwright."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.clock import Clock
from support.running import Running, make_buildtrigger, make_secret, make_webhook, run_hookwright

JOBS = r"/apis/batch/v1/namespaces/default/jobs"


@pytest.fixture
async def stepping(tmp_path: Path) -> AsyncIterator[tuple[Running, Clock]]:
    """Hookwright with Webhook hello, ready, and its clock."""
    async with run_hookwright(tmp_path, started=False) as running:
        running.clock = clock = Clock()
        await running.start()
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        await running.until_ready()
        yield running, clock


@pytest.mark.parametrize("hours", [-6, 6])
async def test_clock_that_is_set_loses_nothing(stepping: tuple[Running, Clock], hours: int):
    """Across a step what waits is started, once, status goes on, and what was started stays known."""
    running, clock = stepping
    url = running.status()["url"]
    assert (await running.push(url, delivery="before")).status_code == 202
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    fault = running.cluster.answer(method="POST", path=JOBS, status=503, reason="ServiceUnavailable", times=None)
    assert (await running.push(url, delivery="across")).status_code == 202
    await running.until(lambda: running.last() == ("pending", "StartDelayed"))
    clock.wrong_by = timedelta(hours=hours)
    fault.remove()
    await running.until(lambda: len(running.jobs()) == 2, "what waited is started")
    again = [await running.push(url, delivery=delivery) for delivery in ("before", "across")]
    assert [answer.json()["outcome"] for answer in again] == ["duplicate"] * 2
    assert (await running.push(url, delivery="after")).status_code == 202
    await running.until(lambda: len(running.jobs()) == 3)
    await running.until(lambda: running.status()["lastDelivery"]["id"] == "after", "the newest delivery is shown")
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    triggered = datetime.fromisoformat(running.status()["lastTriggered"])
    assert abs(triggered - clock()) < timedelta(minutes=5)


async def test_restart_with_a_clock_that_was_set_back(stepping: tuple[Running, Clock]):
    """A process that starts with an earlier clock than the last one had goes on, and writes no times of the future."""
    running, clock = stepping
    clock.wrong_by = timedelta(hours=6)
    url = running.status()["url"]
    await running.push(url, delivery="before")
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    clock.wrong_by = timedelta(0)
    await running.push(url, delivery="after")
    await running.until(lambda: len(running.jobs()) == 2)
    await running.until(lambda: running.status()["lastDelivery"]["id"] == "after")
    triggered = running.status()["lastTriggered"]
    await running.stop()
    await running.start()
    await running.push(url, delivery="last")
    await running.until(lambda: running.status()["lastDelivery"]["id"] == "last")
    assert running.status()["lastTriggered"] >= triggered
    assert datetime.fromisoformat(running.status()["lastTriggered"]) <= clock()
