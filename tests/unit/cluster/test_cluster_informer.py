"""Following a resource: what came, changed and went is told in order and once, however a watch ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
import structlog

from hookwright.cluster import CRONJOBS, SECRETS, informer
from hookwright.cluster.informer import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    REFUSED_SECONDS,
    STEADY_SECONDS,
    WATCH_SECONDS,
    Informer,
)
from hookwright.errors import ClusterError
from support.fakecluster import FakeCluster
from support.waiting import eventually, running, settle

BROKEN = ClusterError("the API server does not answer", status=0)
LABELS = {"color": "red"}


def cronjob(name, *, labels=LABELS, namespace="default", **spec):
    return {"metadata": {"name": name, "namespace": namespace, "labels": dict(labels)}, "spec": spec}


@dataclass
class Bench:
    """An informer whose time stands still: it sleeps until `wake`, which moves the clock on."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    now: float = 1000.0
    told: list = field(default_factory=list)
    raws: list = field(default_factory=list)
    waits: list = field(default_factory=list)
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    mistake: Exception | None = None

    def make(self, **more):
        return Informer(
            self.cluster,
            CRONJOBS,
            seen=self.see,
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: 0.0,
            **more,
        )

    def __post_init__(self):
        self.informer = self.make()

    def see(self, event, raw):
        self.told.append((event, raw["metadata"]["name"]))
        self.raws.append(raw)
        if self.mistake is not None:
            raise self.mistake

    async def sleep(self, seconds):
        if seconds == 0:
            await asyncio.sleep(0)
            return
        self.waits.append(seconds)
        self.awake.clear()
        await self.awake.wait()
        self.now += seconds

    async def wake(self):
        """Let the informer sleep out, until it sleeps or watches again."""
        waits = len(self.waits)
        self.awake.set()
        await eventually(lambda: self.is_watched or len(self.waits) > waits)

    @property
    def is_watched(self):
        return bool(self.cluster.watches.open)

    def put(self, name, **more):
        self.cluster.put(CRONJOBS, cronjob(name, **more))

    def take_told(self):
        told, self.told = self.told, []
        return told

    def count(self, verb):
        return self.cluster.count(verb, CRONJOBS)

    async def until_watched(self):
        await eventually(lambda: self.is_watched)

    async def break_off(self, error=BROKEN):
        """Break the watch, and wait until the informer sleeps."""
        waits = len(self.waits)
        self.cluster.watches.end(error)
        await eventually(lambda: len(self.waits) > waits)


@pytest.fixture
async def bench():
    return Bench()


@pytest.fixture
async def watched(bench):
    """One that watches CronJobs a and b, and has told of them."""
    bench.put("a")
    bench.put("b")
    async with running(bench.informer.run()):
        await bench.until_watched()
        assert bench.take_told() == [("ADDED", "a"), ("ADDED", "b")]
        yield bench


# ── in order ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_there_and_what_happens_is_told(watched):
    """First everything that is there is told, then each change, with the object as it is then."""
    watched.put("c")
    watched.put("a", schedule="new")
    watched.cluster.drop(CRONJOBS, "b")
    await settle()
    assert watched.told == [("ADDED", "c"), ("MODIFIED", "a"), ("DELETED", "b")]
    assert watched.raws[-2]["spec"] == {"schedule": "new"}


async def test_nothing_is_missed_between_list_and_watch(bench):
    """What happens after the list and before the watch is told by the watch."""
    bench.cluster.interrupt("watch", CRONJOBS, lambda: bench.put("late"))
    async with running(bench.informer.run()):
        await eventually(lambda: bench.told == [("ADDED", "late")])


async def test_synced_is_after_everything_was_told(bench):
    """Who waits for `synced` has been told of all pages."""
    for number in range(5):
        bench.put(f"n{number}")
    small = bench.make(page_size=2)
    async with running(small.run()):
        await small.synced.wait()
        assert len(bench.told) == 5
        assert await small.settled()
    assert bench.count("list") == 3


async def test_only_what_is_chosen_is_told(bench):
    """An object that loses the label is gone, and one that gets it has come; others are not asked for."""
    bench.put("red")
    bench.put("blue", labels={"color": "blue"})
    chosen = bench.make(label_selector="color=red")
    async with running(chosen.run()):
        await bench.until_watched()
        bench.put("red", labels={})
        bench.put("blue")
        await settle()
    assert bench.told == [("ADDED", "red"), ("DELETED", "red"), ("ADDED", "blue")]
    assert {call.selector for call in bench.cluster.made("list", CRONJOBS)} == {"color=red"}


async def test_only_the_namespace_is_told(bench):
    """With a namespace, the objects of others are not asked for."""
    bench.put("here")
    bench.put("there", namespace="other")
    async with running(bench.make(namespace="default").run()):
        await bench.until_watched()
    assert bench.told == [("ADDED", "here")]


async def test_ended_watch_is_gone_on_with(watched):
    """A watch that ends in its time is gone on with from where it was: nothing is listed, missed, or told again."""
    watched.put("c")
    await settle()
    watched.now += WATCH_SECONDS
    watched.cluster.watches.end()
    watched.put("d")
    await watched.until_watched()
    await settle()
    assert watched.told == [("ADDED", "c"), ("ADDED", "d")]
    assert (watched.count("list"), watched.count("watch"), watched.waits) == (1, 2, [])


async def test_bookmark_says_where_to_go_on(watched):
    """After a bookmark, the next watch goes on from there, so that its version is not too old."""
    watched.cluster.put(SECRETS, cronjob("other"))
    watched.cluster.watches.bookmark(watched.cluster.version)
    await settle()
    watched.now += WATCH_SECONDS
    watched.cluster.watches.end()
    await watched.until_watched()
    assert watched.cluster.made("watch", CRONJOBS)[-1].version == str(watched.cluster.version)
    assert watched.told == []


# ── out of order ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_broken_watch_loses_nothing(watched):
    """What came, changed and went while the watch was broken is told after it; the rest is not told again."""
    await watched.break_off()
    watched.put("b", schedule="new")
    watched.cluster.drop(CRONJOBS, "a")
    watched.put("c")
    await watched.wake()
    assert watched.told == [("MODIFIED", "b"), ("ADDED", "c"), ("DELETED", "a")]


async def test_what_went_unseen_is_told_with_its_uid(watched):
    """Of what nobody saw go, namespace, name and UID are told."""
    uid = watched.cluster.find(CRONJOBS, "a")["metadata"]["uid"]
    await watched.break_off()
    watched.cluster.drop(CRONJOBS, "a")
    await watched.wake()
    assert watched.raws[-1] == {"metadata": {"namespace": "default", "name": "a", "uid": uid}}


async def test_object_that_took_a_name_over_unseen_is_another(watched):
    """An object that was deleted and made anew while nobody watched went first, and then came."""
    await watched.break_off()
    watched.cluster.drop(CRONJOBS, "a")
    watched.put("a")
    await watched.wake()
    assert watched.told == [("DELETED", "a"), ("ADDED", "a")]


@pytest.mark.parametrize("inside", [True, False], ids=["inside the watch", "as its answer"])
async def test_version_that_is_too_old_is_listed_anew_at_once(watched, inside):
    """After a 410, everything is listed anew without waiting, and what was missed is told."""
    if inside:
        watched.cluster.watches.end(ClusterError("too old", status=410, reason="Expired"))
    else:
        watched.now += WATCH_SECONDS
        watched.cluster.watches.end()
        watched.cluster.expire()
    watched.cluster.drop(CRONJOBS, "b")
    await eventually(lambda: watched.count("list") == 2)
    await watched.until_watched()
    assert watched.told == [("DELETED", "b")]
    assert watched.waits == []


async def test_list_that_cannot_be_continued_is_begun_anew(bench):
    """A list whose next page is refused as too old is begun anew, and nothing is told twice."""
    for number in range(3):
        bench.put(f"n{number}")
    small = bench.make(page_size=2)
    bench.cluster.interrupt("list", CRONJOBS, lambda: bench.cluster.interrupt("list", CRONJOBS, bench.cluster.expire))
    async with running(small.run()):
        await bench.until_watched()
    assert bench.told == [("ADDED", "n0"), ("ADDED", "n1"), ("ADDED", "n2")]
    assert (bench.count("list"), bench.waits) == (4, [])


async def test_410_without_end_is_not_a_loop(watched):
    """Versions that are always too old are asked for with pauses that grow."""
    watched.cluster.fail("watch", CRONJOBS, status=410, times=99)
    await watched.break_off()
    for _ in range(3):
        await watched.wake()
    assert watched.waits == [0.5, 1.0, 2.0, 4.0]


async def test_half_a_list_deletes_nothing(bench):
    """A list that breaks off says nothing about what it has not shown."""
    bench.put("a")
    bench.put("b")

    def fail_next_page():
        bench.cluster.interrupt("list", CRONJOBS, lambda: bench.cluster.fail("list", CRONJOBS))

    async with running(bench.make(page_size=1).run()):
        await bench.until_watched()
        bench.take_told()
        await bench.break_off()
        bench.cluster.drop(CRONJOBS, "a")
        bench.cluster.interrupt("list", CRONJOBS, fail_next_page)
        bench.put("c")
        await bench.wake()
        assert bench.told == []
        await bench.wake()
        assert bench.told == [("ADDED", "c"), ("DELETED", "a")]


# ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_absent_api_server_is_asked_less_and_less_often(bench):
    """While the API server is away the pauses grow to a bound; when it is back, everything is told."""
    bench.put("a")
    bench.cluster.fail("list", CRONJOBS, status=503, times=99)
    async with running(bench.informer.run()):
        await eventually(lambda: bench.waits)
        for _ in range(9):
            await bench.wake()
        assert bench.waits[:4] == [0.5, 1.0, 2.0, 4.0]
        assert bench.waits[-1] == LONGEST_WAIT_SECONDS
        assert bench.informer.available
        assert not bench.informer.synced.is_set()
        bench.cluster.heal()
        await bench.wake()
        await eventually(lambda: bench.told == [("ADDED", "a")])


async def test_pauses_are_spread(bench):
    """Processes that lose the API server at the same time do not come back at the same time."""
    bench.cluster.fail("list", CRONJOBS, times=99)
    spread = bench.make()
    spread._jitter = lambda: 1.0
    async with running(spread.run()):
        await eventually(lambda: bench.waits)
    assert bench.waits == [FIRST_WAIT_SECONDS * 1.25]


async def test_watch_that_ends_at_once_is_not_a_loop(watched):
    """A server that ends each watch at once is asked with pauses that grow."""
    for _ in range(3):
        await watched.break_off(None)
        await watched.wake()
    assert watched.waits == [0.5, 1.0, 2.0]


async def test_steady_watch_makes_failures_forgotten(watched):
    """After a watch that went well for a while, the pauses begin anew."""
    for _ in range(3):
        await watched.break_off()
        await watched.wake()
    watched.now += STEADY_SECONDS
    watched.cluster.watches.bookmark(watched.cluster.version)
    await watched.break_off()
    assert watched.waits == [0.5, 1.0, 2.0, 0.5]


async def test_trouble_is_what_happens_again(watched):
    """A connection that breaks once is no trouble to warn of; one that cannot be made again is."""
    with structlog.testing.capture_logs() as logs:
        watched.cluster.fail("list", CRONJOBS, status=503)
        await watched.break_off()
        await watched.wake()
    assert [(line["log_level"], line["verb"]) for line in logs] == [("info", "watch"), ("warning", "list")]


# ── rights ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", ["list", "watch"])
@pytest.mark.parametrize("status", [403, 404, 405])
async def test_refusal_is_said_once_and_asked_again(bench, verb, status):
    """A right or a resource that is missing is said once, with what to do, and asked for every 5 minutes."""
    bench.put("a")
    bench.cluster.fail(verb, CRONJOBS, status=status, times=99)
    with structlog.testing.capture_logs() as logs:
        async with running(bench.informer.run()):
            await eventually(lambda: bench.waits)
            assert not await bench.informer.settled()
            for _ in range(3):
                await bench.wake()
                assert not bench.informer.available
                assert bench.informer.as_of(bench.now + 1) <= bench.now
            assert bench.waits == [REFUSED_SECONDS] * 4
    (said,) = logs
    assert (said["log_level"], said["verb"], said["resource"]) == ("warning", verb, "cronjobs")
    assert "cronjobs of batch" in said["remedy"]
    assert ("list and watch" in said["remedy"]) == (status == 403)


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_right_that_is_granted_is_found(bench, verb):
    """Once the right is there everything is told, and that it is there; if it goes again, that is said again."""
    bench.put("a")
    bench.cluster.fail(verb, CRONJOBS, status=403, times=99)
    with structlog.testing.capture_logs() as logs:
        async with running(bench.informer.run()):
            await eventually(lambda: bench.waits)
            bench.cluster.heal()
            await bench.wake()
            await eventually(lambda: bench.informer.available and bench.is_watched)
            assert bench.told == [("ADDED", "a")]
            assert bench.informer.as_of(bench.now) == bench.now
            bench.cluster.fail("list", CRONJOBS, status=403, times=99)
            bench.cluster.watches.end(ClusterError("forbidden", status=403))
            await eventually(lambda: not bench.informer.available)
    assert [line["log_level"] for line in logs] == ["warning", "info", "warning"]


async def test_expired_credentials_are_tried_again_soon(bench):
    """A 401 is about our own token, which is renewed: no right is missing."""
    bench.cluster.fail("list", CRONJOBS, status=401)
    async with running(bench.informer.run()):
        await eventually(lambda: bench.waits)
        await bench.wake()
        assert bench.informer.available
    assert bench.waits == [FIRST_WAIT_SECONDS]


async def test_missing_right_takes_nothing_back(watched):
    """What was told stays true until the API server says otherwise: a right that goes deletes no object."""
    watched.cluster.fail("list", CRONJOBS, status=403, times=99)
    await watched.break_off()
    await watched.wake()
    assert watched.told == []


# ── what is known ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_as_of_is_now_while_the_watch_goes_and_then_when_it_last_spoke(watched):
    """How old what was told may be is known: not at all, or as old as the watch's last word."""
    assert watched.informer.as_of(watched.now + 5) == watched.now + 5
    watched.now += 60
    watched.cluster.watches.bookmark(watched.cluster.version)
    await settle()
    heard_at, watched.now = watched.now, watched.now + 50
    await watched.break_off()
    assert watched.informer.as_of(watched.now) == heard_at
    await watched.wake()
    assert watched.informer.as_of(watched.now) == watched.now


async def test_watch_that_ended_in_order_had_left_out_nothing(watched):
    """Between two watches, what was told is as old as the end of the first one."""
    watched.now += WATCH_SECONDS
    watched.cluster.gate = asyncio.Event()
    watched.cluster.watches.end()
    await settle()
    assert watched.informer.as_of(watched.now + 5) == watched.now
    watched.cluster.gate.set()
    await eventually(lambda: watched.informer.as_of(watched.now + 5) == watched.now + 5)


async def test_nothing_is_known_before_the_first_list(bench):
    """Before anything was told, nothing is known of any time, and afterwards not of the time after the end."""
    assert bench.informer.as_of(bench.now) == float("-inf")
    async with running(bench.informer.run()):
        await bench.until_watched()
    assert bench.informer.as_of(bench.now + 5) == bench.now


async def test_mistake_of_the_listener_hides_nothing(bench):
    """If the listener fails on one object, it is told of the others, and the watch goes on."""
    bench.put("a")
    bench.put("b")
    bench.mistake = KeyError("spec")
    async with running(bench.informer.run()):
        await bench.until_watched()
        bench.put("c")
        await settle()
    assert bench.told == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]


async def test_mistake_in_reading_does_not_end_it(bench, monkeypatch):
    """An answer that nobody thought of is tried again as an absence is."""

    async def broken(*args, **more):
        raise KeyError("items")
        yield

    monkeypatch.setattr(bench.cluster, "list_pages", broken)
    async with running(bench.informer.run()):
        await eventually(lambda: bench.waits)
        await bench.wake()
    assert bench.waits == [0.5, 1.0]


async def test_watch_is_asked_to_end_before_the_server_would(bench, monkeypatch):
    """Each watch has an end, so that a connection that died without a word is not waited for for ever."""
    asked = []
    watch = bench.cluster.watch

    def note(*args, **more):
        asked.append(more["seconds"])
        return watch(*args, **more)

    monkeypatch.setattr(bench.cluster, "watch", note)
    async with running(bench.informer.run()):
        await bench.until_watched()
    assert asked == [informer.WATCH_SECONDS]


async def test_ending_gives_the_watch_back(bench):
    """An informer that is cancelled leaves no watch open."""
    async with running(bench.informer.run()):
        await bench.until_watched()
    assert not bench.is_watched


async def test_refusal_of_what_is_needed_is_asked_again_sooner(bench):
    """Whoever cannot do without a resource says how often to ask for it."""
    bench.cluster.fail("list", CRONJOBS, status=403)
    async with running(bench.make(refused_seconds=7).run()):
        await eventually(lambda: bench.waits == [7])


async def test_each_complete_list_is_told(bench):
    """Whoever must know when everything is known is told after each list that was not broken off."""
    told = []
    bench.put("a")
    bench.cluster.fail("list", CRONJOBS)
    async with running(bench.make(listed=lambda: told.append(list(bench.told))).run()):
        await eventually(lambda: bench.waits)
        assert told == []
        bench.awake.set()
        await bench.until_watched()
        assert told == [[("ADDED", "a")]]
        await bench.break_off()
        await bench.wake()
        await bench.until_watched()
    assert len(told) == 2
