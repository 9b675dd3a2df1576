"""Leader election: one holds the Lease, none writes without it, whatever happens to clocks, requests and processes."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lease_world import NAMESPACE, NEVER, RENEWED_AT, START, World, in_virtual_time, passed, seconds_of_jitter, until
from structlog.testing import capture_logs

from hookwright.cluster import JOBS, LEASES
from hookwright.errors import ClusterError
from hookwright.reconcile.election import (
    LONGEST_LEASE_SECONDS,
    NAME,
    TERMS,
    Record,
    Terms,
    judge_lease,
    make_spec,
    read_record,
)
from hookwright.reconcile.lease import Lease, measure_time

JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {}}
THEIRS = Record(holder="b", lease=15, renew_time="r1", transitions=2, version="7")


def judge(record, seen=None, now=100.0, **more):
    return judge_lease(record, seen, now, **{"identity": "a", **more})


@pytest.fixture
def world():
    return World()


async def refused(work):
    """Say whether a write is refused for want of the Lease, by an error that passes."""
    with pytest.raises(ClusterError) as refusal:
        await work
    error = refusal.value
    return (error.status, error.transient) == (0, True) and f"{NAMESPACE}/{NAME}" in error.message


# ── judging ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "record",
    [None, Record(), Record(holder="", renew_time="r1"), Record(holder="a", renew_time="r1", lease=15)],
    ids=["absent", "malformed", "released", "predecessor's"],
)
def test_free_at_once(record):
    """A Lease that is absent, empty, released, or of our own name when we start is free at once."""
    assert judge(record).free_at == 100.0


def test_another_s_lease_is_free_after_it_stayed_the_same():
    """Another's Lease is free a lease after it was first seen as it is; looking at it often changes nothing."""
    seen = judge(THEIRS, now=100.0)
    for now in (101.0, 114.9, 300.0):
        assert judge(THEIRS, seen, now) == seen
    assert seen.free_at == 115.0


@pytest.mark.parametrize("change", ["holder", "renew_time", "acquire_time", "transitions"])
def test_change_is_a_sign_of_life(change):
    """Any change of what the holder writes begins the wait anew."""
    changed = Record(**{"holder": "b", "renew_time": "r1", change: 9 if change == "transitions" else "x"})
    before = judge(Record(holder="b", renew_time="r1"), now=100.0)
    assert judge(changed, before, 110.0).free_at == 125.0


def test_label_is_no_sign_of_life():
    """What others do to the object does not prolong its holder's Lease."""
    seen = judge(THEIRS, now=100.0)
    touched = Record(holder="b", lease=15, renew_time="r1", transitions=2, version="8")
    assert judge(touched, seen, 110.0).free_at == 115.0


@pytest.mark.parametrize(
    ("written", "waited"), [(0, 15.0), (1, 15.0), (14, 15.0), (15, 15.0), (60, 60.0), (10**9, LONGEST_LEASE_SECONDS)]
)
def test_duration_in_the_lease_is_heeded_within_bounds(written, waited):
    """A longer Lease is waited for, to a bound; a shorter one is not believed: its holder works until its deadline."""
    assert judge(Record(holder="b", lease=written), now=0.0).free_at == waited


def test_deleted_lease_is_not_free_while_its_holder_may_work():
    """When another's Lease is deleted, it is waited for as if it had stayed; our own, or a released one, is not."""
    assert judge(None, judge(THEIRS, now=100.0), 110.0).free_at == 125.0
    assert judge(None, judge(Record(holder="a"), now=100.0), 110.0).free_at == 110.0
    assert judge(None, judge(Record(), now=100.0), 110.0).free_at == 110.0


def test_own_name_with_another_s_time_is_another_process():
    """Once we have written, a Lease in our name is ours only if its renewTime may be one that we wrote."""
    record = Record(holder="a", renew_time="r2")
    assert judge(record, written=["r1"]).free_at == 115.0
    assert judge(record, written=["r1", "r2"]).free_at == 100.0


def test_predecessor_s_lease_stays_free_after_a_write_that_failed():
    """What was judged ours stays so as long as it stays the same, though we have tried to write since."""
    record = Record(holder="a", renew_time="r1")
    seen = judge(record)
    assert judge(record, seen, 200.0, written=["r2"]).free_at <= 200.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = ["holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime", "leaseTransitions"]
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "spec": JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, JSON)),
        "metadata": JSON | st.fixed_dictionaries({}, optional={"resourceVersion": JSON}),
    },
)


@given(raw=OBJECTS | JSON)
def test_any_object_is_judged_and_written(raw):
    """Whatever stands in the Lease, it is judged within bounds, and what we write of it is right."""
    record = read_record(raw)
    assert 0.0 <= judge(record, now=0.0).free_at <= LONGEST_LEASE_SECONDS
    spec = make_spec(record, identity="a", now=START)
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("a", 15)
    assert 0 <= spec["leaseTransitions"] < 2**31
    assert {type(spec[name]) for name in ("acquireTime", "renewTime")} == {str}


def test_holder_of_a_wrong_type_is_a_holder():
    """A holder that is no text may be alive: its Lease is not free at once."""
    assert judge(read_record({"spec": {"holderIdentity": ["b"]}})).free_at > 100.0


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_first_lease():
    """The first holder acquires and renews at the same time, in MicroTime, with no transition."""
    assert make_spec(None, identity="a", now=START + timedelta(microseconds=42)) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-05-01T12:00:00.000042Z",
        "renewTime": "2026-05-01T12:00:00.000042Z",
        "leaseTransitions": 0,
    }


def test_renewal_keeps_when_it_was_acquired():
    """A renewal moves renewTime alone."""
    spec = make_spec(Record(holder="a", acquire_time="t", renew_time="r", transitions=4), identity="a", now=START)
    assert (spec["acquireTime"], spec["leaseTransitions"]) == ("t", 4)
    assert spec["renewTime"] == "2026-05-01T12:00:00.000000Z"


@pytest.mark.parametrize(("before", "after"), [(0, 1), (4, 5), (2**31 - 1, 2**31 - 1)])
def test_takeover_is_a_transition(before, after):
    """Who takes a Lease over, also a released one, counts a transition, within what the API can hold."""
    for holder in ("", "b"):
        spec = make_spec(Record(holder=holder, acquire_time="t", transitions=before), identity="a", now=START)
        assert (spec["leaseTransitions"], spec["acquireTime"]) == (after, spec["renewTime"])


def test_every_renewal_is_a_change():
    """A renewal in the same microsecond, as by a wall clock that stands still, differs from the one before."""
    first = make_spec(None, identity="a", now=START)
    second = make_spec(read_record({"spec": first}), identity="a", now=START)
    assert second["renewTime"] != first["renewTime"]


@pytest.mark.parametrize("wrong", [{"deadline": 15.0}, {"renew": 10.0}, {"renew": 0.0}, {"lease": 301}])
def test_terms_that_are_not_safe_are_refused(wrong):
    """A deadline that is not before the Lease's end, or after which nothing is renewed, cannot be chosen."""
    with pytest.raises(ValueError, match="renew < deadline < lease"):
        Terms(**wrong)


def test_empty_identity_is_refused(world):
    """An empty identity would mean that the Lease is free."""
    with pytest.raises(ValueError, match="identity"):
        Lease(cluster=world.server, namespace=NAMESPACE, identity="")


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux counts the time of a suspended machine")
def test_time_goes_on_while_the_machine_is_suspended():
    """On Linux time is measured by the clock that counts suspension."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= measure_time() <= time.clock_gettime(time.CLOCK_BOOTTIME)


# ── acquiring and renewing ────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_absent_lease_is_made(world):
    """Where there is no Lease it is made and held, and says whose it is."""
    one = world.start("a")
    assert await until(lambda: one.held) < 0.1
    lease = world.server.find(LEASES, NAME, namespace=NAMESPACE)
    assert lease["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "hookwright"}
    assert (lease["spec"]["holderIdentity"], one.lease.holder) == ("a", "a")


@in_virtual_time
async def test_one_that_was_slower_to_make_it_is_not_refused(world):
    """Of two that make the Lease at the same time one gets it, and nothing keeps the other from the election."""
    both = [world.start(name, delay=lambda: 0.1) for name in "ab"]
    await until(lambda: all("waiting to see" not in one.lease.trouble for one in both))
    troubles = set()
    for _ in range(100):
        await asyncio.sleep(0.01)
        troubles |= {one.lease.trouble for one in both}
    assert world.server.count("create", LEASES) == 2
    assert troubles == {""}


@in_virtual_time
async def test_lease_is_renewed(world):
    """While it is held it is renewed about every 3 seconds, by one request each, and never lost."""
    one = world.start("a")
    await asyncio.sleep(300)
    assert [held for held, _ in one.changes] == [True]
    assert 300 / 3.75 - 2 <= world.server.count("patch", LEASES) <= 300 / 3 + 1
    assert (world.server.count("get", LEASES), world.server.count("create", LEASES)) == (2, 1)
    assert world.spec["leaseTransitions"] == 0


@in_virtual_time
async def test_released_lease_is_taken(world):
    """A Lease without a holder is taken at once, as a transition."""
    world.put(holderIdentity="")
    one = world.start("a")
    assert await until(lambda: one.held) < 0.1
    assert (world.spec["holderIdentity"], world.spec["leaseTransitions"]) == ("a", 4)


@in_virtual_time
async def test_dead_holder_s_lease_is_taken_after_it_ended(world):
    """A Lease that nobody renews is taken 15 seconds after it was seen first, however old its times are."""
    world.put(holderIdentity="b", renewTime="2020-01-01T00:00:00.000000Z")
    one = world.start("a")
    await asyncio.sleep(14.9)
    assert (one.held, one.lease.holder) == (False, "b")
    assert await until(lambda: one.held) < seconds_of_jitter(3)


@in_virtual_time
async def test_live_holder_keeps_its_lease(world):
    """As long as its holder renews a Lease, no other takes it."""
    one = world.start("a")
    await asyncio.sleep(1)
    other = world.start("b")
    await asyncio.sleep(600)
    assert (one.held, other.changes, other.lease.holder) == (True, [], "a")


@in_virtual_time
async def test_predecessor_s_lease_is_taken_at_once(world):
    """A pod that was restarted under its name goes on with its Lease, which is no transition."""
    world.put(holderIdentity="a", acquireTime="then")
    one = world.start("a")
    assert await until(lambda: one.held) < 0.1
    assert (world.spec["acquireTime"], world.spec["leaseTransitions"]) == ("then", 3)
    assert world.spec["renewTime"] != RENEWED_AT


@in_virtual_time
async def test_last_renewal_of_a_predecessor_does_not_delay_its_successor(world):
    """A renewal that the predecessor had under way and that arrives late is still the predecessor's, not a rival's."""
    world.put(holderIdentity="a")
    world.server.interrupt("patch", LEASES, lambda: world.put(holderIdentity="a", renewTime="later"))
    one = world.start("a")
    assert await until(lambda: one.held) < seconds_of_jitter(0.5)


@in_virtual_time
async def test_process_left_behind_under_the_same_name_steps_down(world):
    """Of two processes of one name the newer one holds the Lease; the other takes it for another's."""
    old = world.start("a")
    await asyncio.sleep(5)
    new = world.start("a")
    await until(lambda: new.held, within=1.0)
    await until(lambda: not old.held, within=10.0)
    await asyncio.sleep(300)
    assert (old.held, new.held, [held for held, _ in new.changes]) == (False, True, [True])


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)], ids=["ahead", "back"])
@pytest.mark.parametrize("whose", ["holder's", "other's"])
@in_virtual_time
async def test_wall_clocks_may_jump(world, jump, whose):
    """A wall clock that jumps by a day, whose ever it is, changes nothing."""
    one = world.start("a")
    await asyncio.sleep(1)
    other = world.start("b")
    await asyncio.sleep(20)
    (one if whose == "holder's" else other).skew = jump
    await asyncio.sleep(60)
    assert (one.held, [held for held, _ in one.changes], other.changes) == (True, [True], [])


@in_virtual_time
async def test_wall_clock_may_stand_still(world):
    """A holder whose wall clock stands still is seen to live."""
    one = world.start("a", standing=True)
    await asyncio.sleep(1)
    other = world.start("b", standing=True)
    await asyncio.sleep(120)
    assert (one.held, other.changes) == (True, [])


# ── others write too ──────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_conflict_with_a_stranger_s_label_loses_nothing(world):
    """A write of somebody else just before a renewal costs another request, not the Lease, and no line in the log."""
    one = world.start("a")
    await until(lambda: one.held)
    with capture_logs() as lines:
        for label in ("x", "y"):
            world.server.interrupt("patch", LEASES, lambda label=label: world.touch(label))
            await asyncio.sleep(20)
    assert (one.held, len(one.changes), lines) == (True, 1, [])


@in_virtual_time
async def test_holder_that_sees_another_stops_at_once(world):
    """A holder whose Lease was given to another does not wait for its deadline."""
    one = world.start("a")
    await until(lambda: one.held)
    world.server.interrupt("patch", LEASES, lambda: world.put(holderIdentity="b"))
    assert await until(lambda: not one.held) < seconds_of_jitter(3) + 1
    assert one.lease.holder == "b"


@in_virtual_time
async def test_race_for_an_absent_lease_has_one_winner(world):
    """Who comes second in making the Lease waits for it to end."""
    world.server.interrupt("create", LEASES, lambda: world.put(holderIdentity="b"))
    one = world.start("a")
    await asyncio.sleep(14)
    assert (one.held, one.lease.holder) == (False, "b")


@in_virtual_time
async def test_race_for_a_free_lease_has_one_winner(world):
    """Who comes second in taking a Lease over waits for it to end."""
    world.put(holderIdentity="")
    world.server.interrupt("patch", LEASES, lambda: world.put(holderIdentity="b"))
    one = world.start("a")
    await asyncio.sleep(14)
    assert (one.held, world.spec["holderIdentity"]) == (False, "b")


@in_virtual_time
async def test_deleted_lease_stays_with_its_holder(world):
    """A Lease that somebody deletes is made again by its holder; others leave it that time."""
    one = world.start("a")
    await asyncio.sleep(1)
    other = world.start("b")
    await asyncio.sleep(20)
    world.delete()
    await asyncio.sleep(120)
    assert (one.held, [held for held, _ in one.changes], other.changes) == (True, [True], [])


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"spec": None},
        {"spec": "x"},
        {"spec": {"holderIdentity": 7, "leaseDurationSeconds": "15", "leaseTransitions": -1, "renewTime": {}}},
        {"spec": {"holderIdentity": "b", "leaseDurationSeconds": -5, "acquireTime": 3, "leaseTransitions": True}},
        {"spec": {"holderIdentity": {"a": 1}, "leaseDurationSeconds": 1e300}},
    ],
)
@in_virtual_time
async def test_malformed_lease_is_taken_in_the_end(world, members):
    """A Lease of any form stops nobody for good, and is whole after it was taken."""
    world.put_raw(**members)
    one = world.start("a")
    await until(lambda: one.held)
    assert set(world.spec) == set(MEMBERS)
    await asyncio.sleep(60)
    assert len(one.changes) == 1


@in_virtual_time
async def test_lease_without_a_version_is_not_written(world):
    """What answers as the API server and gives no resourceVersion is not written to: nobody could win or lose."""
    world.put(holderIdentity="")
    world.server.find(LEASES, NAME, namespace=NAMESPACE)["metadata"].pop("resourceVersion")
    one = world.start("a")
    await asyncio.sleep(60)
    assert (one.held, world.server.count("patch", LEASES)) == (False, 0)


# ── an API server that stalls, a process that is stopped ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("moment", [1.0, 5.0, 20.0])
@in_virtual_time
async def test_stalled_api_server_ends_the_term_by_its_deadline(world, moment):
    """When requests hang, the Lease is held for 10 seconds from the last renewal, after more than one try, and is lost.

    Then writes are refused and the loss is told at once; reads still pass.
    """
    one = world.start("a")
    await asyncio.sleep(moment)
    one.wire.hangs_until, asked = NEVER, len(one.wire.travels)
    deadline = world.renewed_at + TERMS.deadline
    await asyncio.sleep(deadline - passed() - 0.01)
    assert one.held
    assert len(one.wire.travels) - asked >= 2
    await asyncio.sleep(0.011)
    assert not one.held
    await asyncio.sleep(0.01)
    assert one.changes == [(True, 0.0), (False, pytest.approx(deadline, abs=0.02))]
    assert await refused(one.cluster.create(JOBS, JOB, namespace="default"))
    assert await refused(one.cluster.patch(JOBS, {}, namespace="default", name="j"))
    assert await refused(one.cluster.delete(JOBS, namespace="default", name="j", uid="u"))
    one.wire.hangs_until = 0.0
    assert await one.cluster.get(JOBS, namespace="default", name="j") is None


@in_virtual_time
async def test_loss_is_told_when_it_comes(world):
    """The loss is told at the deadline: a wait for the next try does not delay the news, nor does a try that hangs."""
    for identity in ("a", "b", "c", "d", "e"):
        world.server.fail("patch", LEASES, status=500, times=NEVER)
        one = world.start(identity)
        await until(lambda one=one: one.held)
        deadline = world.renewed_at + TERMS.deadline
        await asyncio.sleep(deadline - passed() - 0.05)
        one.wire.hangs_until = NEVER
        await until(lambda one=one: len(one.changes) == 2)
        assert one.changes[-1] == (False, pytest.approx(deadline, abs=0.02))
        await one.kill()
        world.server.heal()
        world.delete()


@in_virtual_time
async def test_holder_comes_back_after_the_api_server(world):
    """When the API server answers again within the Lease, its holder is the first to have it."""
    one = world.start("a")
    other = world.start("b")
    await asyncio.sleep(20)
    holder, waiting = (one, other) if one.held else (other, one)
    for each in (one, other):
        each.wire.hangs_until = passed() + 12
    await until(lambda: not holder.held, within=12.0)
    await until(lambda: holder.held, within=12.0)
    await asyncio.sleep(60)
    assert (holder.held, waiting.changes) == (True, [])


@in_virtual_time
async def test_term_counts_from_the_begin_of_a_renewal(world):
    """An answer that comes late gives no more time: the API server may have seen the renewal when it was sent."""
    one = world.start("a", delay=lambda: 1.2)
    await until(lambda: one.held)
    assert passed() == pytest.approx(world.renewed_at + 2.4, abs=0.02)
    one.wire.hangs_until = NEVER
    await until(lambda: not one.held)
    assert passed() == pytest.approx(world.renewed_at + TERMS.deadline, abs=0.02)


@pytest.mark.parametrize("status", [0, 500, 504])
@in_virtual_time
async def test_unheard_renewal_is_recognised(world, status):
    """A renewal that took effect without our hearing so is ours at the next try."""
    one = world.start("a")
    await until(lambda: one.held)
    world.server.fail("patch", LEASES, status=status, after=True)
    await asyncio.sleep(60)
    assert (one.held, len(one.changes), world.server.failures[0].times) == (True, 1, 0)


@in_virtual_time
async def test_unheard_making_of_the_lease_is_recognised(world):
    """A Lease that was made without our hearing so is ours at the next try, not another's."""
    world.server.fail("create", LEASES, status=500, after=True)
    one = world.start("a")
    assert await until(lambda: one.held) < seconds_of_jitter(0.5)


@in_virtual_time
async def test_renewal_that_arrives_late_is_recognised(world):
    """A renewal that was given up and takes effect after it is ours, and no other process's."""
    one = world.start("a")
    await asyncio.sleep(10)
    one.wire.hangs_until = passed() + 30
    await until(lambda: not one.held)
    await until(lambda: one.held)
    assert passed() < one.wire.hangs_until + seconds_of_jitter(0.5)


@in_virtual_time
async def test_process_that_was_stopped_does_not_write_when_it_wakes(world):
    """After SIGSTOP past the deadline not one write is let through, before anything else had its turn."""
    one = world.start("a")
    await until(lambda: one.held)
    await one.cluster.create(JOBS, JOB, namespace="default")
    one.offset += TERMS.deadline  # its clock has gone on, nothing of it has run
    assert not one.held
    assert await refused(one.cluster.patch(JOBS, {}, namespace="default", name="j"))


@in_virtual_time
async def test_write_that_is_not_on_the_wire_is_given_up_at_the_deadline(world):
    """What still waits to be sent when the Lease is over is not sent any more, however long it would have waited."""
    one = world.start("a")
    await until(lambda: one.held)
    sent, gate = [], asyncio.Event()

    async def write(*_, **__):
        await gate.wait()
        sent.append(passed())

    one.wire.create = one.wire.patch = write
    one.wire.hangs_until = NEVER
    deadline = world.renewed_at + TERMS.deadline
    writes = one.cluster.create(JOBS, JOB, namespace="default"), one.cluster.patch(JOBS, {}, name="j")
    waiting = [asyncio.create_task(refused(writing)) for writing in writes]
    await asyncio.sleep(deadline - passed() - 0.01)
    assert not any(task.done() for task in waiting)
    assert await asyncio.gather(*waiting) == [True, True]
    assert passed() == pytest.approx(deadline, abs=0.01)
    gate.set()
    await asyncio.sleep(1)
    assert sent == []


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.3, 2.2, 2.9])
@in_virtual_time
async def test_stopped_holder_has_a_successor_and_steps_back(world, moment):
    """Who wakes after another took over, even with the answer to a renewal under way, does not hold the Lease."""
    one = world.start("a", delay=lambda: 0.4)
    await until(lambda: one.held)
    other = world.start("b")
    await asyncio.sleep(10 + moment)
    one.wire.frozen_until = passed() + 40
    await until(lambda: other.held, within=25.0)
    assert not one.held
    for _ in range(300):
        await asyncio.sleep(0.1)
        assert (one.held, other.held) == (False, True)
    assert [held for held, _ in one.changes] == [True, False]


# ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_waiting_for_the_lease_and_for_its_loss(world):
    """Who waits is woken when the Lease is acquired and when it is lost; who need not wait does not."""
    one = world.candidate("a")
    await one.lease.wait_lost()
    waiting = asyncio.create_task(one.lease.wait_held())
    one.start()
    await asyncio.wait_for(waiting, 1.0)
    await one.lease.wait_held()
    losing = asyncio.create_task(one.lease.wait_lost())
    await asyncio.sleep(30)
    assert not losing.done()
    one.wire.hangs_until = passed() + 20
    await asyncio.wait_for(losing, 12.0)
    assert not one.held
    await asyncio.wait_for(one.lease.wait_held(), 30.0)
    assert one.held


@in_virtual_time
async def test_loss_is_told_though_the_lease_is_held_again(world):
    """A term that ended while the process was stopped has ended, even if the next one began before anybody looked."""
    one = world.start("a")
    await until(lambda: one.held)
    losing = asyncio.create_task(one.lease.wait_lost())
    await asyncio.sleep(5)
    one.lease._own = None  # so that it asks first, and is stopped between question and answer
    one.wire.delay = lambda: 0.4
    await until(lambda: any(not travel.done() for travel in one.wire.travels))
    one.offset += 12.0
    await asyncio.wait_for(losing, 3.0)
    assert [held for held, _ in one.changes] == [True, False, True]


@in_virtual_time
async def test_log_says_who_holds(world):
    """Waiting, acquiring and losing are one line each, with identity and holder."""
    with capture_logs() as lines:
        world.put(holderIdentity="b")
        one = world.start("a")
        await until(lambda: one.held)
        one.wire.hangs_until = NEVER
        await until(lambda: not one.held)
    told = [(line["state"], line["identity"], line["holder"]) for line in lines if line["state"] != "failing"]
    assert told == [("waiting", "a", "b"), ("acquired", "a", "a"), ("lost", "a", "a")]
    assert {(line["event"], line["lease"]) for line in lines} == {("lease", f"{NAMESPACE}/{NAME}")}


@pytest.mark.parametrize("verb", ["get", "create", "patch"])
@in_virtual_time
async def test_missing_right_is_named_once_a_minute(world, verb):
    """A right that is missing is named with verb, resource and namespace, once a minute and no oftener."""
    if verb == "patch":
        world.put(holderIdentity="")
    world.server.fail(verb, LEASES, status=403, reason="Forbidden", message="no", times=NEVER)
    with capture_logs() as lines:
        one = world.start("a")
        await asyncio.sleep(179)
    assert not one.held
    assert [line["missing_right"] for line in lines] == [
        f"{verb} leases.coordination.k8s.io in namespace {NAMESPACE}"
    ] * 3
    world.server.heal()
    await until(lambda: one.held, within=12.0)


@in_virtual_time
async def test_errors_are_tried_again_ever_more_slowly(world):
    """While the API server is away it is asked at growing intervals, of 5 seconds in the end."""
    world.server.fail("get", LEASES, times=NEVER)
    one = world.start("a")
    await asyncio.sleep(300)
    assert 300 / 6.25 <= world.server.count("get", LEASES) <= 300 / 5 + 6
    world.server.heal()
    await until(lambda: one.held, within=6.3)


# ── handing on ────────────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_released_lease_goes_to_the_next_at_once(world):
    """Who stops cleanly hands the Lease on: it writes no more from then, and the next one has it when it looks."""
    one = world.start("a")
    await asyncio.sleep(1)
    other = world.start("b")
    await asyncio.sleep(20)
    await one.kill()
    assert one.held
    await one.lease.release()
    assert (one.held, one.changes[-1][0]) == (False, False)
    assert (world.spec["holderIdentity"], world.spec["leaseDurationSeconds"]) == ("", 1)
    assert await until(lambda: other.held) < seconds_of_jitter(3)
    assert world.spec["leaseTransitions"] == 1
    await one.lease.release()
    assert world.spec["holderIdentity"] == "b"


@in_virtual_time
async def test_release_does_not_wait_for_a_stalled_api_server(world):
    """A release that hangs is given up after 2 seconds, raises nothing, and the Lease is not held all the same."""
    one = world.start("a")
    await until(lambda: one.held)
    await one.kill()
    one.wire.hangs_until = NEVER
    began = passed()
    await one.lease.release()
    assert (passed() - began, one.held) == (pytest.approx(2.0), False)


@pytest.mark.parametrize("verb", ["get", "patch"])
@in_virtual_time
async def test_release_that_is_refused_raises_nothing(world, verb):
    """A release that the API server refuses leaves the Lease to end by itself."""
    one = world.start("a")
    await until(lambda: one.held)
    await one.kill()
    world.server.fail(verb, LEASES, status=403, reason="Forbidden")
    await one.lease.release()
    assert (one.held, world.spec["holderIdentity"]) == (False, "a")


@in_virtual_time
async def test_only_our_own_lease_is_released(world):
    """Another's Lease is left alone, also one of our name; a candidate that never wrote asks nothing."""
    never = world.candidate("a")
    await never.lease.release()
    assert world.server.count("get", LEASES) == 0
    for holder in ("b", "a"):
        one = world.start("a")
        await until(lambda one=one: one.held)
        await one.kill()
        world.put(holderIdentity=holder)
        await one.lease.release()
        assert world.spec["holderIdentity"] == holder
        world.delete()


# ── the Cluster that needs the Lease ──────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_writes_pass_as_they_are_while_the_lease_is_held(world):
    """With the Lease every argument of a write arrives, and so does its answer."""
    one = world.start("a")
    await until(lambda: one.held)
    await one.cluster.create(JOBS, JOB, namespace="default", service_account="sa", dry_run=True)
    (made,) = world.server.made("create", JOBS, dry_run=True)
    assert (made.body, made.namespace, made.service_account) == (JOB, "default", "sa")
    await one.cluster.create(JOBS, JOB, namespace="default")
    answer = await one.cluster.patch(JOBS, {"status": {"x": 1}}, namespace="default", name="j", subresource="status")
    assert (answer["status"], world.server.made("patch", JOBS)[0].subresource) == ({"x": 1}, "status")


@in_virtual_time
async def test_nothing_is_written_without_the_lease(world):
    """Without the Lease no write reaches the API server."""
    one = world.candidate("a")
    assert await refused(one.cluster.create(JOBS, JOB, namespace="default"))
    assert await refused(one.cluster.patch(JOBS, {}, namespace="default", name="j"))
    assert await refused(one.cluster.delete(JOBS, namespace="default", name="j", uid="u"))
    assert world.server.calls == []


# ── never two ─────────────────────────────────────────────────────────────────────────────────────────────────────────

EVILS = ["hang", "mute", "break", "freeze", "wall", "touch", "kill", "stop"]
STORIES = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 2), st.sampled_from(EVILS), st.floats(0.1, 45)))


async def befall(world, one, evil, seconds):
    """Let something evil happen to one candidate for so many seconds."""
    match evil:
        case "hang":
            one.wire.hangs_until = passed() + seconds
        case "mute":
            one.wire.mute_until = passed() + seconds
        case "break":
            one.wire.broken_until = passed() + seconds
        case "freeze":
            one.wire.frozen_until = passed() + seconds
        case "wall":
            one.skew = timedelta(days=1 if seconds < 20 else -1)
        case "touch":
            world.touch(str(seconds))
        case "kill" | "stop":
            await one.kill()
            if evil == "stop":
                await one.lease.release()
            await asyncio.sleep(seconds)
            world.start(one.identity, rate=one.rate, offset=seconds, delay=one.delay)


@settings(max_examples=150, deadline=None)
@given(story=STORIES, seed=st.integers(0, 2**32))
@in_virtual_time
async def test_two_never_hold_the_lease(story, seed):
    """Whatever befalls candidates with clocks of different speed, no two hold the Lease; when all is well, one does."""
    world, chance = World(), random.Random(seed)
    for identity, rate in (("a", 0.96), ("b", 1.0), ("c", 1.04)):
        delay = lambda: chance.choice([0.001] * 6 + [0.2, 1.0, 2.4, 7.0])  # noqa: E731 - it is an argument
        world.start(identity, rate=rate, offset=chance.uniform(-1e6, 1e6), delay=delay)
    async with asyncio.TaskGroup() as group:
        for pause, who, evil, seconds in story:
            await asyncio.sleep(pause)
            if world.alive:
                one = world.alive[who % len(world.alive)]
                group.create_task(befall(world, one, evil, seconds))
    for one in world.alive:
        one.wire.delay = lambda: 0.001
    await asyncio.sleep(120)
    assert world.overlaps == []
    assert world.holders == [world.spec["holderIdentity"]]
