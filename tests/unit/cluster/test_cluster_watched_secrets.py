"""Labelled Secrets: known without a request while the watch goes, and read on demand whenever it does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
import structlog

from hookwright.cluster import SECRETS, secrets, watched_secrets
from hookwright.cluster.secret_values import SecretState
from hookwright.cluster.secrets import BURST, KEEP_SECONDS, SecretReader
from hookwright.cluster.watched_secrets import WATCHED_LABEL, WatchedSecrets
from hookwright.errors import ClusterError
from support.fakecluster import FakeCluster
from support.objects import SECRET, raw_secret
from support.waiting import eventually, running, settle

PLACE = ("default", "hello-webhook", "token")
NEW = b"the secret of today"
BROKEN = ClusterError("the API server does not answer", status=0)


def labelled(*, label="true", **changes):
    secret = raw_secret(**changes)
    secret["metadata"]["labels"] = {WATCHED_LABEL: label} if label else {}
    return secret


@dataclass
class Bench:
    """A reader with a watch on a clock that stands still; the watch does not come back before `come_back`."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    now: float = 1000.0
    told: list = field(default_factory=list)
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self):
        self.watched = WatchedSecrets(self.cluster, clock=lambda: self.now)
        self.watched.informers.of("default")._sleep = lambda _: self.awake.wait()
        self.reader = SecretReader(self.cluster, watched=self.watched, clock=lambda: self.now)
        self.watched.subscribe(lambda *place: self.told.append(place))

    def put(self, **changes):
        self.cluster.put(SECRETS, labelled(**changes))

    async def break_off(self, error=BROKEN):
        self.awake.clear()
        self.cluster.watches.end(error)
        await eventually(lambda: self.watched.as_of(self.now + 1, "default") <= self.now)

    async def come_back(self):
        self.awake.set()
        await eventually(lambda: self.cluster.watches.open)

    @property
    def asked(self):
        return self.cluster.count("get", SECRETS)


@pytest.fixture
async def bench(monkeypatch):
    """One whose watch does not run yet."""
    # An answer is not given up by another clock than this one's.
    monkeypatch.setattr(secrets, "PATIENCE_SECONDS", 600.0)
    bench = Bench()
    bench.put()
    return bench


@pytest.fixture
async def watching(bench):
    """One whose watch goes, and has seen the Secret."""
    async with running(bench.watched.informers.run()):
        await eventually(lambda: bench.cluster.watches.open)
        bench.told.clear()
        yield bench


# ── from memory ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_labelled_secret_costs_no_request(watching):
    """While the watch goes, neither deliveries nor the operator ask the API server, however long."""
    for _ in range(3):
        watching.now += 1000
        assert await watching.reader.read(*PLACE) == (SECRET,)
        assert (await watching.reader.find(*PLACE)).values == (SECRET,)
        assert (await watching.reader.find("default", "hello-webhook", "other")).state is SecretState.NO_KEY
    assert watching.asked == 0


async def test_labelled_secret_is_waited_for_by_nobody(watching):
    """A delivery goes on at once with a Secret that is watched."""
    with pytest.raises(StopIteration) as ended:
        watching.reader.read_all([PLACE]).send(None)
    assert ended.value.value == (SECRET,)


async def test_change_is_told_once_and_read_by_nobody(watching):
    """A Secret that changes is told once; a thousand Webhooks that look at it then cost no request."""
    watching.put(value=NEW)
    await settle()
    assert watching.told == [PLACE[:2]]
    for _ in range(1000):
        assert (await watching.reader.find(*PLACE)).values == (NEW,)
    assert await watching.reader.read(*PLACE) == (NEW,)
    assert watching.asked == 0


async def test_change_that_has_come_meanwhile_is_tried_without_a_request(watching):
    """A signature that did not fit is tried with what the watch has brought since."""
    watching.put(value=NEW)
    await settle()
    assert await watching.reader.read_again(*PLACE, than=(SECRET,)) == (NEW,)
    assert watching.asked == 0


async def test_change_of_other_things_is_not_told(watching):
    """A new annotation on a Secret wakes nobody."""
    secret = labelled()
    secret["metadata"]["annotations"] = {"a": "b"}
    watching.cluster.put(SECRETS, secret)
    await settle()
    assert watching.told == []


async def test_who_watches_a_secret_knows_that_changes_are_told(watching):
    """A Secret is watched while it has the label and the watch goes; of all others changes may pass unseen."""
    assert watching.reader.is_watched("default", "hello-webhook")
    assert not watching.reader.is_watched("default", "absent")
    await watching.break_off()
    watching.now += KEEP_SECONDS + 1
    assert not watching.reader.is_watched("default", "hello-webhook")
    await watching.come_back()
    assert watching.reader.is_watched("default", "hello-webhook")
    assert not SecretReader(watching.cluster).is_watched("default", "hello-webhook")


async def test_new_secret_is_told(watching):
    """A labelled Secret that comes wakes who waits for it, and is known."""
    assert (await watching.reader.find("default", "late", "token")).state is SecretState.NO_SECRET
    watching.put(name="late", value=NEW)
    await settle()
    assert watching.told == [("default", "late")]
    assert (await watching.reader.find("default", "late", "token")).values == (NEW,)
    assert watching.asked == 1


@pytest.mark.parametrize("label", ["", "false"])
async def test_secret_that_loses_its_label_is_read_on_demand(watching, label):
    """A Secret whose label goes is told, and from then on read as others are."""
    watching.put(label=label)
    await settle()
    assert watching.told == [PLACE[:2]]
    assert await watching.reader.read(*PLACE) == (SECRET,)
    assert (await watching.reader.find(*PLACE)).values == (SECRET,)
    assert watching.asked == 1
    watching.put(label=label, value=NEW)
    watching.now += KEEP_SECONDS + 1
    assert await watching.reader.read(*PLACE) == (NEW,)


async def test_answer_from_before_the_label_went_does_not_count(watching):
    """What was read before the watch said more is not what is served after it."""
    await watching.break_off()
    watching.now += KEEP_SECONDS + 1
    assert await watching.reader.read(*PLACE) == (SECRET,)
    await watching.come_back()
    watching.put(value=NEW)
    watching.put(value=NEW, label="")
    await settle()
    assert await watching.reader.read(*PLACE) == (NEW,)


async def test_secret_that_gets_the_label_is_watched(watching):
    """A Secret that gets the label is told, and asked for no more."""
    watching.put(name="other", label="", value=NEW)
    await settle()
    assert watching.told == []
    assert (await watching.reader.find("default", "other", "token")).values == (NEW,)
    watching.put(name="other")
    await settle()
    assert watching.told == [("default", "other")]
    asked = watching.asked
    assert await watching.reader.read("default", "other", "token") == (SECRET,)
    assert watching.asked == asked


async def test_deleted_secret_is_gone(watching):
    """A Secret that is deleted is told; made anew, it is told again, and is what it is then."""
    watching.cluster.drop(SECRETS, "hello-webhook")
    await settle()
    assert watching.told == [PLACE[:2]]
    assert await watching.reader.read(*PLACE) is None
    assert (await watching.reader.find(*PLACE)).state is SecretState.NO_SECRET
    watching.put(value=NEW)
    await settle()
    assert watching.told == [PLACE[:2]] * 2
    assert await watching.reader.read(*PLACE) == (NEW,)


# ── the watch lags, breaks, or is not allowed ─────────────────────────────────────────────────────────────────────────


async def test_new_secret_works_though_the_watch_has_died_without_a_word(watching):
    """After a signature that does not fit, the API server itself is asked: the watch may not know yet."""
    watching.cluster.watches.open.clear()
    watching.put(value=NEW)
    known = await watching.reader.read(*PLACE)
    assert known == (SECRET,)
    assert await watching.reader.read_again(*PLACE, than=known) == (NEW,)
    # From now on the old secret is not taken any more, and the Secret is read as others are.
    assert await watching.reader.read(*PLACE) == (NEW,)
    assert watching.asked == 1
    watching.put(value=b"newer")
    watching.now += KEEP_SECONDS + 1
    assert await watching.reader.read(*PLACE) == (b"newer",)
    assert watching.asked == 2


async def test_watch_is_trusted_again_when_it_has_news(watching):
    """A Secret that the watch was late with is not asked for any more once the watch shows it."""
    (late,) = watching.cluster.watches.open
    watching.cluster.watches.open.clear()
    assert watching.reader.is_watched(*PLACE[:2])
    watching.put(value=NEW)
    await watching.reader.read_again(*PLACE, than=[SECRET])
    assert not watching.reader.is_watched(*PLACE[:2])
    late.show(watching.cluster.watches.history[-1])
    await settle()
    assert watching.reader.is_watched(*PLACE[:2])
    watching.now += 1000
    assert await watching.reader.read(*PLACE) == (NEW,)
    assert watching.asked == 1


async def test_secret_that_went_unseen_is_not_used(watching):
    """If the API server says that a Secret is gone, what the watch still shows is not used."""
    watching.cluster.watches.open.clear()
    watching.cluster.drop(SECRETS, "hello-webhook")
    assert await watching.reader.read_again(*PLACE, than=[SECRET]) is None
    assert await watching.reader.read(*PLACE) is None


async def test_doubt_ends_when_the_api_server_agrees_with_the_watch(watching):
    """A Secret that is again as the watch shows it is served from memory again."""
    watching.cluster.watches.open.clear()
    watching.put(value=NEW)
    await watching.reader.read_again(*PLACE, than=[SECRET])
    watching.put()
    watching.now += KEEP_SECONDS + 1
    assert await watching.reader.read(*PLACE) == (SECRET,)
    watching.now += 1000
    assert await watching.reader.read(*PLACE) == (SECRET,)
    assert watching.asked == 2


async def test_bad_signatures_cannot_flood_the_api_server(watching):
    """What strangers' signatures cost is bounded for a watched Secret too, and it stays in memory."""
    for _ in range(1000):
        assert await watching.reader.read_again(*PLACE, than=[SECRET]) is None
    assert watching.asked == BURST
    watching.now += 1000
    await watching.reader.read(*PLACE)
    assert watching.asked == BURST


async def test_before_the_first_list_secrets_are_read(bench):
    """Until the watch has begun, labelled Secrets are read as others are."""
    assert await bench.reader.read(*PLACE) == (SECRET,)
    assert (await bench.reader.find(*PLACE)).values == (SECRET,)
    assert bench.asked == 1


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_without_the_right_to_watch_secrets_are_read(bench, verb):
    """Who may not list or watch Secrets loses nothing but requests."""
    bench.cluster.fail(verb, SECRETS, status=403, times=99)
    async with running(bench.watched.informers.run()):
        await eventually(lambda: not bench.watched.informers.available("default"))
        bench.now += KEEP_SECONDS + 1
        assert await bench.reader.read(*PLACE) == (SECRET,)
        bench.put(value=NEW)
        bench.now += KEEP_SECONDS + 1
        assert await bench.reader.read(*PLACE) == (NEW,)
        assert bench.asked == 2


async def test_while_the_watch_is_broken_secrets_are_read(watching):
    """While the watch is broken a Secret is at most 10 s old, as others are; then the watch counts again."""
    await watching.break_off()
    watching.put(value=NEW)
    assert await watching.reader.read(*PLACE) == (SECRET,)
    watching.now += KEEP_SECONDS + 0.001
    for _ in range(100):
        assert await watching.reader.read(*PLACE) == (NEW,)
    assert watching.asked == 1
    watching.put(value=b"newer")
    watching.cluster.put(SECRETS, labelled(name="other"))
    await watching.come_back()
    assert watching.told == [PLACE[:2], ("default", "other")]
    assert await watching.reader.read(*PLACE) == (b"newer",)
    assert watching.asked == 1


async def test_operator_does_not_trust_a_watch_that_is_broken(watching):
    """What the operator says in status is at most 1 s old, whatever the watch does."""
    await watching.break_off()
    watching.cluster.drop(SECRETS, "hello-webhook")
    watching.now += 1.001
    assert (await watching.reader.find(*PLACE)).state is SecretState.NO_SECRET


async def test_without_api_server_what_the_watch_saw_last_counts(watching):
    """While the API server is away, deliveries are verified with what the watch showed last."""
    await watching.break_off()
    watching.cluster.fail("get", SECRETS, times=99)
    watching.now += 100_000
    assert await watching.reader.read(*PLACE) == (SECRET,)
    assert (await watching.reader.find(*PLACE)).state is SecretState.UNKNOWN


async def test_right_that_is_taken_away_takes_the_secret_away(watching):
    """If Secrets may be neither watched nor read any more, what was seen of them is not used."""
    await watching.break_off(ClusterError("forbidden", status=403))
    watching.cluster.fail("get", SECRETS, status=403, times=99)
    watching.now += KEEP_SECONDS + 1
    assert await watching.reader.read(*PLACE) is None
    assert (await watching.reader.find(*PLACE)).state is SecretState.FORBIDDEN


async def test_right_to_watch_is_right_enough(watching):
    """Who may watch Secrets and not get them loses none to a bad signature."""
    watching.cluster.fail("get", SECRETS, status=403, times=99)
    await watching.reader.read_again(*PLACE, than=[SECRET])
    assert await watching.reader.read(*PLACE) == (SECRET,)


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("bound", "value"), [("MAX_SECRETS", 3), ("MAX_BYTES", 3 * 1300)])
async def test_what_is_kept_is_bounded(watching, monkeypatch, bound, value):
    """What is beyond the bound is read on demand, told all the same, and said once."""
    monkeypatch.setattr(watched_secrets, bound, value)
    with structlog.testing.capture_logs() as logs:
        for number in range(10):
            watching.put(name=f"n{number}", value=b"x" * 40)
        await settle()
    assert len(watching.told) == 10
    assert [line["log_level"] for line in logs] == ["warning"]
    for number in range(10):
        assert (await watching.reader.find("default", f"n{number}", "token")).values == (b"x" * 40,)
    assert watching.asked == 8


async def test_room_that_is_given_back_is_used(watching, monkeypatch):
    """Secrets that grow, shrink, change and go leave no room behind."""
    monkeypatch.setattr(watched_secrets, "MAX_BYTES", 20_000)
    for number in range(100):
        watching.put(value=b"x" * (100 * number))
        watching.put(name="other", value=b"x" * number)
        watching.cluster.drop(SECRETS, "other")
    watching.put(value=NEW)
    await settle()
    assert await watching.reader.read(*PLACE) == (NEW,)
    assert watching.asked == 0
    watching.cluster.drop(SECRETS, "hello-webhook")
    await settle()
    assert (watching.watched._bytes, watching.watched._copies) == (0, {})


async def test_pages_of_secrets_are_small(watching):
    """A list of Secrets comes in small pages: each may have a megabyte."""
    await watching.break_off()
    for number in range(watched_secrets.PAGE_SIZE):
        watching.put(name=f"n{number}")
    before = watching.cluster.count("list", SECRETS)
    await watching.come_back()
    assert watching.cluster.count("list", SECRETS) == before + 2
