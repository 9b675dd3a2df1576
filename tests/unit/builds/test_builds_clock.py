"""A wall clock that is set back or forward by hours: no build waits for it, ends by it, or is started twice by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from worker_bench import bench_in

from hookwright import reasons
from hookwright.builds.names import name_wanted
from hookwright.cluster import BUILDTRIGGERS, JOBS
from hookwright.intake.receiver import to_journal
from hookwright.journal import Journal
from support.objects import NOON, make_wanted, raw_buildtrigger
from support.waiting import eventually

BACK = [timedelta(minutes=-5), timedelta(hours=-1), timedelta(hours=-12)]
STEPS = [*BACK, timedelta(hours=1), timedelta(hours=12)]


@pytest.fixture
async def bench(tmp_path):
    async with bench_in(tmp_path) as made:
        yield made


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_postponed_build_does_not_wait_for_the_clock(bench, step):
    """What was put off for a minute is tried at the next look after a step, and not hours later."""
    bench.cluster.fail("create", JOBS, status=503, times=7)
    await bench.accept(make_wanted())
    await bench.until(lambda: bench.cluster.count("create", JOBS) == 7)
    await bench.later(step)
    await eventually(lambda: len(bench.jobs()) == 1)
    assert bench.cluster.count("create", JOBS) == 8


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_delivery_of_before_the_step_is_started(bench, step):
    """What was accepted and not yet tried when the clock was set is started at the next look."""
    bench.clock.now = NOON + step
    await bench.accept(make_wanted())
    await eventually(lambda: len(bench.jobs()) == 1)


async def test_restart_after_a_step_back(tmp_path):
    """A process that finds rows of the future in its journal starts them at once."""
    journal = await Journal.open(tmp_path)
    await journal.accept(to_journal(make_wanted()))
    (pending,) = await journal.claim(1, now=NOON)
    await journal.postpone(pending.key, due=NOON + timedelta(hours=1), reason="StartDelayed", attempts=9)
    await journal.close()
    async with bench_in(tmp_path) as bench:
        await eventually(lambda: bench.jobs() == {name_wanted(make_wanted())})


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_missing_target_is_waited_for_across_a_step(tmp_path, step):
    """A step, forward too, does not end the patience with a missing target: it starts when the target has come."""
    async with bench_in(tmp_path, target=False) as bench:
        await bench.accept(make_wanted())
        await eventually(lambda: bench.reasons() == [reasons.TARGET_MISSING])
        await bench.later(step)
        await eventually(lambda: bench.journal.claimed > 1)
        bench.cluster.put(BUILDTRIGGERS, raw_buildtrigger())
        await bench.until(lambda: len(bench.reasons()) > 1)
        assert bench.reasons() == [reasons.TARGET_MISSING, reasons.BUILD_CREATED]


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_started_ids_are_remembered_across_a_step(bench, step):
    """A step of hours, and the purge after it, do not make a started delivery new."""
    wanted = make_wanted()
    await bench.accept(wanted)
    await bench.until_empty()
    await bench.journal.purge(now=NOON + step)
    assert not (await bench.journal.accept(to_journal(wanted))).new
