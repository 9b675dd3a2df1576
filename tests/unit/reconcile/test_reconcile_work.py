"""The keyed work queue: one worker for a key, nothing lost, nothing done twice, no mistake that stops it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from hookwright.errors import ClusterError
from hookwright.reconcile.work import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    LOOKS_PER_SECOND,
    MAX_OUTDATED,
    MAX_WAITS,
    MOST_STRETCHED,
    NEVER,
    Again,
    Result,
    WorkQueue,
    find_soonest,
)
from support.waiting import eventually, patience, running, settle


@dataclass
class Work:
    """What a queue does with its keys: counts them, and can be held, made to fail and told when to look again."""

    done: Counter = field(default_factory=Counter)
    running: Counter = field(default_factory=Counter)
    most: Counter = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    errors: list = field(default_factory=list)
    again: Again = NEVER
    now: float = 1000.0

    def __post_init__(self):
        self.gate.set()

    async def __call__(self, key):
        self.running[key] += 1
        self.most[key] = max(self.most[key], self.running[key])
        self.most["all"] = max(self.most["all"], sum(self.running.values()))
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            self.done[key] += 1
            if self.errors:
                raise self.errors.pop(0)
            return self.again
        finally:
            self.running[key] -= 1

    def queue(self, workers=4):
        return WorkQueue(work=self, workers=workers, clock=lambda: self.now)


@pytest.fixture
def work():
    return Work()


def wait_of(queue, key="a"):
    """Give the seconds after which the queue looks at a key by itself."""
    return queue._due[key] - queue.clock()


async def still(queue):
    await eventually(lambda: queue.idle)
    await settle()


async def test_added_key_is_worked_on(work):
    """Whatever was added, before or while the queue runs, is worked on."""
    queue = work.queue()
    queue.add("before")
    async with running(queue.run()):
        await still(queue)
        queue.add_all(["a", "b"])
        await still(queue)
    assert work.done == {"before": 1, "a": 1, "b": 1}


async def test_many_changes_are_one_look(work):
    """A key that was added often before its turn is worked on once."""
    queue = work.queue()
    for _ in range(100):
        queue.add("a")
    async with running(queue.run()):
        await still(queue)
    assert work.done == {"a": 1}


async def test_change_during_the_work_is_looked_at_after_it(work):
    """A key that was added while it is worked on is worked on once more, and not at the same time."""
    queue = work.queue()
    work.gate.clear()
    async with running(queue.run()):
        queue.add("a")
        await eventually(lambda: work.running["a"])
        for _ in range(10):
            queue.add("a")
            await settle()
        assert queue.idle is False
        work.gate.set()
        await still(queue)
    assert (work.done["a"], work.most["a"]) == (2, 1)


async def test_workers_are_bounded_and_busy(work):
    """So many keys are worked on at the same time as there are workers, and no more."""
    queue = work.queue(workers=3)
    work.gate.clear()
    async with running(queue.run()):
        queue.add_all(range(10))
        await eventually(lambda: sum(work.running.values()) == 3)
        await settle()
        work.gate.set()
        await still(queue)
    assert work.most["all"] == 3
    assert len(work.done) == 10


async def test_busy_key_does_not_hold_up_others(work):
    """A key whose work takes long leaves the other workers to the other keys."""
    queue = work.queue(workers=2)
    held = asyncio.Event()

    async def hold(key):
        if key == "slow":
            await held.wait()
        return await work(key)

    queue.work = hold
    async with running(queue.run()):
        queue.add("slow")
        await settle()
        queue.add("slow")
        queue.add_all(range(10))
        await eventually(lambda: len(work.done) == 10)
        held.set()
        await eventually(lambda: work.done["slow"] == 2)


async def test_keys_come_in_the_order_of_their_adding(work):
    """With one worker the first that was added is the first that is worked on."""
    queue = work.queue(workers=1)
    queue.add_all("cab")
    async with running(queue.run()):
        await still(queue)
    assert list(work.done) == ["c", "a", "b"]


# ── later ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_key_is_worked_on_when_its_time_has_come(work):
    """A key that is to be looked at later is left until then."""
    queue = work.queue()
    queue.add_later("a", 10)
    async with running(queue.run()):
        work.now += 9
        queue.add("b")
        await still(queue)
        assert work.done == {"b": 1}
        work.now += 1
        queue.add("b")
        await eventually(lambda: work.done["a"] == 1)


async def test_queue_wakes_by_itself_when_a_time_has_come():
    """Nobody has to add anything for a waiting key to be worked on."""
    done = asyncio.Event()

    async def work(_key):
        done.set()
        return NEVER

    queue = WorkQueue(work=work, workers=1)
    async with running(queue.run()), patience():
        queue.add_later("a", 3600)
        queue.add_later("a", 0.01)
        await done.wait()


@pytest.mark.parametrize(("times", "wait"), [((10, 5), 5), ((5, 10), 5), ((5, 5), 5), ((300, 10, 20), 10)])
def test_sooner_time_wins(work, times, wait):
    """Of several times for one key the soonest counts."""
    queue = work.queue()
    for seconds in times:
        queue.add_later("a", seconds)
    assert wait_of(queue) == wait


async def test_key_that_is_added_does_not_wait(work):
    """Whoever adds a waiting key has it worked on now, and not once more at its time."""
    queue = work.queue()
    queue.add_later("a", 10)
    queue.add("a")
    async with running(queue.run()):
        await still(queue)
        work.now += 100
        queue.add("b")
        await still(queue)
    assert work.done == {"a": 1, "b": 1}


def test_ready_key_needs_no_later(work):
    """A key that is about to be worked on says itself when it is to be looked at again."""
    queue = work.queue()
    queue.add("a")
    queue.add_later("a", 10)
    assert queue._due == {}


async def test_work_says_when_to_look_again(work):
    """What the work answers is the time of the next look, and NEVER is none."""
    queue = work.queue()
    work.again = Again(30)
    async with running(queue.run()):
        queue.add("a")
        await still(queue)
        assert wait_of(queue) == 30
        work.again = NEVER
        work.now += 30
        queue.add("b")
        await eventually(lambda: work.done["a"] == 2)
        await still(queue)
        assert queue._due == {}


async def test_many_that_wait_come_one_after_the_other(work):
    """Ten thousand keys that are to be looked at again are no storm every ten seconds, and none waits for ever."""
    queue = work.queue()
    work.again = Again(10)
    keys = [str(number) for number in range(10_000)]
    async with running(queue.run()):
        queue.add_all(keys)
        await eventually(lambda: work.done.total() == len(keys) and queue.idle)
    waits = sorted(wait_of(queue, key) for key in keys)
    assert waits[0] == 10
    assert waits[400] < 10 * 2
    assert all(after - before > 0.9 / LOOKS_PER_SECOND for before, after in pairwise(waits[:4000]))
    assert waits[-1] <= 10 * MOST_STRETCHED


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED = ClusterError("away", status=503)


@pytest.mark.parametrize("error", [REFUSED, ClusterError("no", status=403), RuntimeError("a mistake"), KeyError("x")])
async def test_error_is_tried_again_with_backoff(work, error):
    """Work that fails, by the API server or by a mistake, is tried again after a wait that doubles to two minutes."""
    queue = work.queue()
    waits = []
    async with running(queue.run()):
        for _ in range(12):
            work.errors.append(error)
            queue.add("a")
            await still(queue)
            waits.append(wait_of(queue))
    for number, wait in enumerate(waits):
        expected = min(FIRST_BACKOFF * 2**number, LONGEST_BACKOFF)
        assert expected <= wait <= expected * 1.25


async def test_success_forgets_failures(work):
    """After a success the next failure waits as short as the first one."""
    queue = work.queue()
    async with running(queue.run()):
        for errors in ([REFUSED], [REFUSED], [REFUSED], [], [REFUSED]):
            work.errors += errors
            queue.add("a")
            await still(queue)
        assert wait_of(queue) <= FIRST_BACKOFF * 1.25


async def test_mistake_in_one_key_stops_no_other(work):
    """An exception that nobody foresaw leaves the queue running."""
    queue = work.queue()
    work.errors += [RuntimeError("a mistake"), ValueError("another")]
    async with running(queue.run()) as task:
        queue.add_all("abc")
        await still(queue)
        assert work.done == {"a": 1, "b": 1, "c": 1}
        assert not task.done()


@pytest.mark.parametrize(
    ("error", "again", "result"),
    [
        (None, NEVER, Result.DONE),
        (None, Again(60.0), Result.LATER),
        (REFUSED, NEVER, Result.RETRIED),
        (RuntimeError("a mistake"), NEVER, Result.FAILED),
    ],
)
async def test_what_came_of_each_look_is_told(work, error, again, result):
    """Whoever counts is told of each look at a key, what came of it and how long it took."""
    told = []
    queue = work.queue()
    queue.done = lambda *done: told.append(done)
    work.errors += [error] if error is not None else []
    work.again = again
    async with running(queue.run()):
        work.gate.clear()
        queue.add("a")
        await eventually(lambda: work.running["a"])
        work.now += 2.0
        work.gate.set()
        await still(queue)
    assert told == [("a", result, 2.0)]


async def test_length_is_what_waits_for_a_worker(work):
    """What is being worked on does not wait any more."""
    queue = work.queue(workers=1)
    work.gate.clear()
    async with running(queue.run()):
        queue.add_all("abc")
        await eventually(lambda: work.running["a"])
        assert len(queue) == 2
        work.gate.set()


async def test_change_that_came_while_work_failed_is_looked_at_at_once(work):
    """A failure does not put off what was added meanwhile."""
    queue = work.queue()
    work.gate.clear()
    work.errors.append(REFUSED)
    async with running(queue.run()):
        queue.add("a")
        await eventually(lambda: work.running["a"])
        queue.add("a")
        work.gate.set()
        await eventually(lambda: work.done["a"] == 2)
        await still(queue)
    assert queue._due == {}


async def test_stopped_queue_leaves_no_task(work):
    """Cancelling the queue ends what is under way, and nobody is told that anything came of it."""
    told = []
    queue = work.queue()
    queue.done = lambda *done: told.append(done)
    work.gate.clear()
    async with running(queue.run()):
        queue.add_all("ab")
        await eventually(lambda: sum(work.running.values()) == 2)
    assert sum(work.running.values()) == 0
    assert told == []


# ── times that are reckoned ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("times", "soonest"),
    [((), None), ((NEVER,), None), ((NEVER, Again(5)), 5), ((Again(7), Again(5), NEVER), 5), ((Again(0),), 0)],
)
def test_soonest_of_several_times_counts(times, soonest):
    """Who has several reasons to look again looks at the first of these times; never is later than any."""
    assert find_soonest(*times) == Again(soonest)


async def test_key_that_is_looked_at_before_its_time_leaves_nothing(work):
    """A key that waits for long, and is looked at each second meanwhile, does not gather times that count no more."""
    queue = work.queue()
    work.again = Again(86_400.0)
    async with running(queue.run()):
        for number in range(3 * MAX_OUTDATED):
            queue.add("a")
            await eventually(lambda number=number: work.done["a"] > number)
    assert len(queue._later) <= MAX_OUTDATED + 2


async def test_key_still_comes_after_times_were_thrown_away(work):
    """What is thrown away are times that count no more: each key comes at its time."""
    queue = work.queue()
    async with running(queue.run()):
        queue.add_later("late", 60.0)
        for number in range(2 * MAX_OUTDATED):
            queue.add_later("often", 3600.0 - number)
        assert len(queue._later) <= MAX_OUTDATED + 4
        work.now += 60.0
        queue.add("now")
        await eventually(lambda: work.done["late"] == 1)
    assert work.done["often"] == 0


async def test_each_wait_may_be_another(work):
    """Waits that are reckoned, so that each is another, are not remembered once they are over."""
    queue = work.queue()
    async with running(queue.run()):
        for number in range(3 * MAX_WAITS):
            work.again = Again(1.0 + number / 1e6)
            queue.add("a")
            await eventually(lambda number=number: work.done["a"] > number)
            work.now += 0.01
    assert len(queue._last) <= 2 * MAX_WAITS
