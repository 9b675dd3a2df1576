"""The worker: whatever happens on the way to the API server, a delivery starts one build or ends with why not."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from worker_bench import PATIENCE, bench_in

from hookwright import reasons
from hookwright.builds.names import name_wanted
from hookwright.builds.wanted import TargetRef
from hookwright.cluster import BUILDTRIGGERS, JOBS
from hookwright.intake.receiver import to_journal
from hookwright.journal import Journal
from support.objects import make_wanted, raw_buildtrigger
from support.waiting import eventually, patience, settle


@pytest.fixture
async def bench(tmp_path):
    async with bench_in(tmp_path) as made:
        yield made


def deliveries(count):
    return [make_wanted(delivery_id=f"d{number}") for number in range(count)]


# ── success ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_accepted_delivery_starts_its_build(bench):
    """What is in the journal becomes a Job, created as the build's ServiceAccount, and leaves the journal."""
    wanted = make_wanted(service_account="builder", parameters={"P": "p"})
    await bench.accept(wanted)
    await bench.until_empty()
    (call,) = bench.cluster.made("create", JOBS)
    assert (call.name, call.namespace, call.service_account) == (name_wanted(wanted), "default", "builder")
    (conclusion,) = bench.reported
    assert (conclusion.reason, conclusion.build.name) == (reasons.BUILD_CREATED, name_wanted(wanted))


async def test_started_delivery_is_remembered(bench):
    """After its build was created, a delivery of the same id is a duplicate that names the build."""
    wanted = make_wanted()
    await bench.accept(wanted)
    await bench.until_empty()
    accept = await bench.journal.accept(to_journal(wanted))
    assert (accept.new, accept.first.build) == (False, name_wanted(wanted))


async def test_what_was_pending_at_the_start_is_started(tmp_path):
    """Deliveries that an earlier process accepted are started by the next one, once each."""
    wanted = deliveries(3)
    journal = await Journal.open(tmp_path)
    await journal.accept_all([to_journal(one) for one in wanted])
    await journal.close()
    async with bench_in(tmp_path) as bench:
        await bench.until_empty()
        assert bench.jobs() == {name_wanted(one) for one in wanted}
        assert bench.cluster.count("create", JOBS) == 3


async def test_worker_that_is_stopped_midway_leaves_its_work_to_the_next(tmp_path):
    """A process that ends while a create is under way has lost nothing: the next one finishes, with one build."""
    async with bench_in(tmp_path) as first:
        first.cluster.gate = asyncio.Event()
        await first.accept(*deliveries(3))
        await eventually(lambda: first.cluster.count("create", JOBS) == 3)
        held = first.cluster
    held.gate = None
    journal = await Journal.open(tmp_path)
    assert await journal.depth() == 3
    await journal.close()
    async with bench_in(tmp_path) as second:
        await second.until_empty()
        assert len(second.jobs()) == 3


async def test_no_more_are_created_at_once_than_asked_for(tmp_path):
    """The API server is asked for at most `concurrency` builds at the same time."""
    async with bench_in(tmp_path, concurrency=2) as bench:
        bench.cluster.gate = asyncio.Event()
        await bench.accept(*deliveries(7))
        await eventually(lambda: bench.cluster.count("create", JOBS) == 2)
        await bench.later()
        assert bench.cluster.count("create", JOBS) == 2
        bench.cluster.gate.set()
        await bench.until_empty()
        assert len(bench.jobs()) == 7


# ── what heals by itself ──────────────────────────────────────────────────────────────────────────────────────────────

TRANSIENT = [
    (0, ""),
    (401, "Unauthorized"),
    (409, "Conflict"),
    (429, "TooManyRequests"),
    (500, "InternalError"),
    (503, ""),
]


@pytest.mark.parametrize(("status", "reason"), TRANSIENT)
async def test_build_is_tried_until_the_api_server_takes_it(bench, status, reason):
    """An API server that is away, busy or broken delays a build, which is said once, and then it starts."""
    bench.cluster.fail("create", JOBS, status=status, reason=reason, times=4)
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert bench.cluster.count("create", JOBS) == 5
    assert bench.reasons() == [reasons.START_DELAYED, reasons.BUILD_CREATED]


async def test_each_retry_is_told(bench):
    """Whoever counts is told of each time that a start is put off, also where its reason was known already."""
    told = []
    bench.worker.postponed = told.append
    bench.cluster.fail("create", JOBS, status=503, times=3)
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert told == [reasons.START_DELAYED] * 3
    assert bench.reasons() == [reasons.START_DELAYED, reasons.BUILD_CREATED]


async def test_delayed_delivery_is_not_tried_before_its_time(bench):
    """After a failure nothing is asked until the wait is over, however often the worker is woken."""
    bench.cluster.fail("create", JOBS, status=503, times=9)
    await bench.accept(make_wanted())
    await eventually(lambda: bench.reported)
    for _ in range(5):
        await bench.later(timedelta(0))
    assert bench.cluster.count("create", JOBS) == 1


async def test_lost_answer_is_no_second_build(bench):
    """A create that took effect although its answer was lost is recognised at the next try."""
    bench.cluster.fail("create", JOBS, status=0, after=True)
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert len(bench.jobs()) == 1
    assert bench.reasons() == [reasons.START_DELAYED, reasons.BUILD_CREATED]


async def test_build_that_is_gone_already_is_not_made_again(bench):
    """A name that was taken and is free at the next look was this delivery's: it has started, and starts once."""
    wanted = make_wanted()
    stranger = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name_wanted(wanted), "namespace": "default"},
    }
    bench.cluster.put(JOBS, stranger)
    bench.cluster.interrupt("get", JOBS, lambda: bench.cluster.drop(JOBS, name_wanted(wanted)))
    await bench.accept(wanted)
    await bench.until_empty()
    assert bench.reasons() == [reasons.BUILD_CREATED]
    assert bench.cluster.count("create", JOBS) == 1


async def test_recognising_is_tried_again_too(bench):
    """An API server that goes away between AlreadyExists and the look at the object delays, and decides nothing."""
    bench.cluster.fail("create", JOBS, status=0, after=True)
    bench.cluster.fail("get", JOBS, status=503)
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert bench.reasons() == [reasons.START_DELAYED, reasons.BUILD_CREATED]


async def test_missing_target_that_comes_in_time_starts(tmp_path):
    """A delivery whose target is missing waits, is said to wait, and starts when the target has come."""
    async with bench_in(tmp_path, target=False) as bench:
        await bench.accept(make_wanted())
        await eventually(lambda: bench.reasons() == [reasons.TARGET_MISSING])
        bench.cluster.put(BUILDTRIGGERS, raw_buildtrigger())
        await bench.later(timedelta(seconds=2))
        await eventually(lambda: bench.reasons() == [reasons.TARGET_MISSING, reasons.BUILD_CREATED])


async def test_missing_target_that_does_not_come_ends_the_delivery(tmp_path):
    """After the patience has passed a delivery without a target has failed, and its id is free again."""
    async with bench_in(tmp_path, target=False) as bench:
        wanted = make_wanted()
        await bench.accept(wanted)
        await eventually(lambda: bench.reported)
        await bench.later(PATIENCE)
        await bench.until_empty()
        assert bench.reasons() == [reasons.TARGET_MISSING, reasons.TARGET_STAYED_MISSING]
        assert (await bench.journal.accept(to_journal(wanted))).new
        assert bench.cluster.count("create", JOBS) == 0


async def test_full_disk_at_the_end_is_tried_again(bench):
    """A delivery that the journal cannot conclude stays pending; its build is recognised, and it is concluded later."""
    bench.journal.conclude_failures = 2
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert len(bench.jobs()) == 1
    assert set(bench.reasons()) == {reasons.BUILD_CREATED}


async def test_start_that_the_journal_takes_late_counts_once(bench):
    """Each try to conclude is reported once, but a delivery counts as concluded only when it has left the journal."""
    told = []
    bench.worker.concluded = told.append
    bench.journal.conclude_failures = 2
    await bench.accept(make_wanted())
    await eventually(lambda: bench.reported)
    await settle()
    assert told == []
    await bench.until_empty()
    assert [conclusion.reason for conclusion in told] == [reasons.BUILD_CREATED]
    assert bench.reasons() == [reasons.BUILD_CREATED] * 3


async def test_journal_that_cannot_be_read_does_not_end_the_worker(bench):
    """A claim that fails is tried again."""
    bench.journal.claim_failures = 2
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert len(bench.jobs()) == 1


# ── what does not heal ────────────────────────────────────────────────────────────────────────────────────────────────

REFUSALS = [
    (403, "Forbidden", 'User "h" cannot impersonate resource "serviceaccounts"', reasons.IMPERSONATION_FORBIDDEN),
    (403, "Forbidden", "denied by policy", reasons.BUILD_FORBIDDEN),
    (422, "Invalid", "spec.template: Required value", reasons.BUILD_INVALID),
    (404, "NotFound", 'namespaces "default" not found', reasons.NAMESPACE_GONE),
]


@pytest.mark.parametrize(("status", "name", "message", "reason"), REFUSALS)
async def test_refusal_for_good_ends_the_delivery(bench, status, name, message, reason):
    """A refusal that time does not mend ends the delivery with its reason, the API server's words and a remedy."""
    bench.cluster.fail("create", JOBS, status=status, reason=name, message=message, times=9)
    await bench.accept(make_wanted())
    await bench.until_empty()
    (conclusion,) = bench.reported
    assert conclusion.reason is reason
    assert message in conclusion.message
    assert conclusion.message.endswith(reason.remedy)
    assert bench.cluster.count("create", JOBS) == 1


async def test_refusal_just_after_an_absence_is_not_believed(bench):
    """An API server that has just come back refuses what it allows: the delivery waits, and starts its build."""
    bench.settling = True
    bench.cluster.fail("create", JOBS, status=403, reason="Forbidden", message="no right yet", times=2)
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert bench.reasons()[-1] is reasons.BUILD_CREATED
    assert reasons.BUILD_FORBIDDEN not in bench.reasons()


async def test_refusal_counts_once_the_api_server_has_settled(bench):
    """A refusal that is none of an API server's that has just come back is one that only a person can mend."""
    bench.settling = True
    bench.cluster.fail("create", JOBS, status=403, reason="Forbidden", message="no right", times=9)
    await bench.accept(make_wanted())
    await bench.until(lambda: bench.cluster.count("create", JOBS) == 2)
    bench.settling = False
    await bench.until_empty()
    assert bench.reasons()[-1] is reasons.BUILD_FORBIDDEN


@pytest.mark.parametrize("annotations", [{}, {"hookwright.dev/delivery": "another"}, None])
async def test_name_of_a_stranger_is_not_success(bench, annotations):
    """An object of the build's name that is not of this delivery ends it, and is left alone."""
    wanted = make_wanted()
    metadata = {"name": name_wanted(wanted), "namespace": "default", "annotations": annotations}
    bench.cluster.put(JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata})
    await bench.accept(wanted)
    await bench.until_empty()
    assert bench.reasons() == [reasons.BUILD_NAME_TAKEN]
    assert bench.reported[0].build is None
    assert len(bench.jobs()) == 1


async def test_name_that_may_not_be_looked_at_is_neither_success_nor_failure(bench):
    """Without the right to look at the object that has the name the delivery waits, and says so, until it is given."""
    bench.cluster.fail("create", JOBS, status=0, after=True)
    bench.cluster.fail("get", JOBS, status=403, reason="Forbidden", message="no right to get jobs", times=2)
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert bench.reasons() == [reasons.START_DELAYED, reasons.BUILD_UNSEEN, reasons.BUILD_CREATED]
    assert "no right to get jobs" in bench.reported[1].message
    assert bench.cluster.count("get", JOBS) == 3
    assert len(bench.jobs()) == 1


async def test_name_that_cannot_be_looked_at_is_not_success(bench):
    """Who is refused for another reason does not take the object that has the name for its own."""
    bench.cluster.fail("create", JOBS, status=0, after=True)
    bench.cluster.fail("get", JOBS, status=400, reason="BadRequest", message="no such question")
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert bench.reasons()[-1] is reasons.BUILD_NAME_TAKEN
    assert "no such question" in bench.reported[-1].message


async def test_failed_delivery_can_be_redelivered(bench):
    """After what was wrong is mended, the same delivery id starts a build."""
    bench.cluster.fail("create", JOBS, status=403, reason="Forbidden", message="no right")
    await bench.accept(make_wanted())
    await bench.until_empty()
    await bench.accept(make_wanted())
    await bench.until_empty()
    assert bench.reasons() == [reasons.BUILD_FORBIDDEN, reasons.BUILD_CREATED]


# ── mistakes of ours ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_mistake_delays_only_its_delivery(bench):
    """An exception that nobody foresaw delays one delivery and neither ends the worker nor holds up the others."""
    bench.cluster.fail("create", JOBS, error=RuntimeError("hush"), times=1)
    wanted = deliveries(3)
    await bench.accept(*wanted)
    await eventually(lambda: len(bench.jobs()) == 2)
    await bench.until_empty()
    assert bench.jobs() == {name_wanted(one) for one in wanted}
    delayed = [c for c in bench.reported if c.reason is reasons.START_DELAYED]
    assert len(delayed) == 1
    assert "RuntimeError" in delayed[0].message
    assert "hush" not in delayed[0].message


async def test_row_that_cannot_be_read_stays_and_stops_nobody(bench):
    """A row of a later version is kept for one that can read it; the others start."""
    unreadable = to_journal(make_wanted(delivery_id="later"))
    object.__setattr__(unreadable, "work", b'{"of": "a later version"}')
    with capture_logs() as lines:
        await bench.journal.accept(unreadable)
        await bench.accept(make_wanted())
        await eventually(bench.jobs)
        await bench.later()
    assert await bench.journal.depth() == 1
    line = next(line for line in lines if line["event"] == "worker")
    assert (line["delivery"], line["log_level"], "later version" in line["remedy"]) == ("later", "error", True)
    assert "exc_info" not in line


@pytest.mark.parametrize("seed", range(4))
async def test_each_delivery_is_built_once_whatever_fails(tmp_path, seed):
    """Under any mixture of lost requests, lost answers, refusals for now and mistakes, each delivery has one build."""
    rng = random.Random(seed)
    wanted = deliveries(40)
    async with bench_in(tmp_path) as bench:
        for _ in range(60):
            verb = rng.choice(["create", "create", "get"])
            error = RuntimeError("a mistake") if rng.random() < 0.2 else None
            status, reason = rng.choice(TRANSIENT)
            bench.cluster.fail(verb, JOBS, status=status, reason=reason, error=error, after=rng.random() < 0.5)
        bench.journal.conclude_failures = rng.randrange(10)
        await bench.accept(*wanted)
        await bench.until_empty()
        assert bench.jobs() == {name_wanted(one) for one in wanted}
        built = [c.wanted.delivery_id for c in bench.reported if c.reason is reasons.BUILD_CREATED]
        assert set(built) == {one.delivery_id for one in wanted}
        assert {r.outcome for r in bench.reasons()} <= {reasons.Outcome.STARTED, reasons.Outcome.PENDING}


# ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_can_be_started_is_started_before_the_end(bench):
    """Who waits for the worker to settle finds all started that could be, and what cannot be now does not hold it."""
    bench.cluster.gate = asyncio.Event()
    await bench.accept(*deliveries(9))
    missing = TargetRef(api_version="hookwright.dev/v1alpha1", kind="BuildTrigger", name="missing")
    await bench.accept(make_wanted(delivery_id="later", target=missing))
    settling = asyncio.create_task(bench.worker.settle())
    await eventually(lambda: bench.cluster.count("create", JOBS) == 4)
    assert not settling.done()
    bench.cluster.gate.set()
    async with patience():
        await settling
    assert len(bench.jobs()) == 9
    assert await bench.journal.depth() == 1
