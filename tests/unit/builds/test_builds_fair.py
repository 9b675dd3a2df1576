"""The worker among several namespaces: whatever one of them has waiting, or failing, others start their builds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from worker_bench import PATIENCE, bench_in

from hookwright import reasons
from hookwright.cluster import BUILDTRIGGERS, JOBS
from support.objects import make_wanted
from support.waiting import eventually, patience

QUOTA = 'jobs.batch "x" is forbidden: exceeded quota: few, requested: count/jobs.batch=1, used: 9, limited: 9'
SECOND = timedelta(seconds=1)
ALWAYS = float("inf")


@pytest.fixture
async def bench(tmp_path):
    async with bench_in(tmp_path) as made:
        made.found("noisy", "quiet")
        yield made


def deliveries(namespace, count):
    return [make_wanted(namespace=namespace, delivery_id=f"{namespace}-{number}") for number in range(count)]


async def settle(bench):
    async with patience():
        await bench.worker.settle()


async def pass_time(bench, by):
    async with patience():
        await bench.pass_time(by)


async def test_backlog_of_a_namespace_delays_another_by_one_turn(bench):
    """A delivery that comes while another namespace has every slot, and hundreds waiting, is next but for a turn."""
    bench.cluster.gate = asyncio.Event()
    await bench.accept(*deliveries("noisy", 200))
    await eventually(lambda: bench.started_in("noisy") == bench.concurrency)
    await bench.accept(*deliveries("quiet", 1))
    bench.cluster.gate.set()
    await bench.until_empty()
    order = [call.namespace for call in bench.cluster.made("create", JOBS)]
    assert order.index("quiet") <= 2 * bench.concurrency
    assert len(order) == 201


async def test_quota_is_not_asked_for_each_build_that_waits(bench):
    """What a quota has refused is not asked anew for each of hundreds that wait: a namespace asks, with one build."""
    bench.cluster.fail("create", JOBS, status=403, message=QUOTA, times=ALWAYS, namespace="noisy")
    await bench.accept(*deliveries("noisy", 200))
    await settle(bench)
    assert bench.started_in("noisy") == bench.concurrency
    for number in range(1, 4):
        await pass_time(bench, 4 * SECOND)
        assert bench.started_in("noisy") == bench.concurrency + number
    assert {reason.name for reason in bench.reasons()} == {"QuotaExceeded"}
    assert await bench.journal.waiting() == {"": 197 - bench.concurrency, "QuotaExceeded": bench.concurrency + 3}


async def test_others_start_while_a_quota_is_used_up(bench):
    """Another namespace starts at once, and nothing of the one that waits for its quota goes before it."""
    bench.cluster.fail("create", JOBS, status=403, message=QUOTA, times=ALWAYS, namespace="noisy")
    await bench.accept(*deliveries("noisy", 200))
    await settle(bench)
    before = bench.started_in("noisy")
    await bench.accept(*deliveries("quiet", 20))
    await settle(bench)
    assert (bench.jobs_in("quiet"), bench.started_in("noisy")) == (20, before)


async def test_quota_that_is_free_again_is_used(bench):
    """Once a quota lets builds in, all that waited for it start, with the slots that there are."""
    bench.cluster.fail("create", JOBS, status=403, message=QUOTA, times=ALWAYS, namespace="noisy")
    await bench.accept(*deliveries("noisy", 50))
    await settle(bench)
    bench.cluster.heal()
    await pass_time(bench, 4 * SECOND)
    assert bench.jobs_in("noisy") == 50
    assert bench.reasons().count(reasons.QUOTA_EXCEEDED) == bench.concurrency


async def test_quota_is_named(bench):
    """Who waits for a quota is told which one, how much of it is used, and what to do."""
    bench.cluster.fail("create", JOBS, status=403, message=QUOTA, times=ALWAYS, namespace="noisy")
    await bench.accept(*deliveries("noisy", 1))
    await settle(bench)
    (conclusion,) = bench.reported
    assert conclusion.reason is reasons.QUOTA_EXCEEDED
    assert "exceeded quota: few" in conclusion.message
    assert conclusion.message.endswith(reasons.QUOTA_EXCEEDED.remedy)


async def test_namespace_whose_starts_fail_keeps_one_slot_from_others(bench):
    """Where starts fail slowly, as behind a webhook that does not answer, others have all slots but one."""
    first, *others = deliveries("noisy", 201)
    bench.cluster.fail("create", JOBS, status=500, reason="InternalError", namespace="noisy")
    await bench.accept(first)
    await settle(bench)
    bench.cluster.gate, bench.cluster.gated = asyncio.Event(), "noisy"
    await bench.accept(*others)
    await bench.accept(*deliveries("quiet", 20))
    await eventually(lambda: bench.jobs_in("quiet") == 20)
    assert bench.started_in("noisy") <= 2
    bench.cluster.gate.set()
    await bench.until_empty()
    assert bench.jobs_in("noisy") == 201


async def test_all_that_waits_is_tried_though_starts_fail(bench):
    """A namespace with one slot works off what waits for its first try, without waiting for a clock in between."""
    bench.cluster.fail("create", JOBS, status=503, times=ALWAYS, namespace="noisy")
    await bench.accept(*deliveries("noisy", 30))
    await settle(bench)
    assert bench.started_in("noisy") == 30
    assert bench.reasons() == [reasons.START_DELAYED] * 30


async def test_missing_target_of_many_delays_nobody(bench):
    """Hundreds that wait for a target are looked at in turn with others, and asked of the API server by none."""
    bench.cluster.drop(BUILDTRIGGERS, "hello", namespace="noisy")
    await bench.accept(*deliveries("noisy", 200))
    await bench.accept(*deliveries("quiet", 20))
    await eventually(lambda: bench.jobs_in("quiet") == 20)
    assert bench.started_in("noisy") == 0
    await bench.later(PATIENCE)
    await bench.until_empty()
    assert bench.reasons().count(reasons.TARGET_STAYED_MISSING) == 200
