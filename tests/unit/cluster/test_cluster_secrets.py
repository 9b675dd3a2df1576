"""Secrets on demand: kept 10 s, read again within a bound, asked for once by many, kept through an absence.

Those that are watched are in `test_cluster_watched_secrets.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from hookwright.cluster import SECRETS, secrets
from hookwright.cluster.port import Page
from hookwright.cluster.secret_values import CLOCKS_DIFFER, GOOD_UNTIL, MADE_FOR, SecretCopy, SecretState, judge_secret
from hookwright.cluster.secrets import (
    BURST,
    FIND_SECONDS,
    KEEP_SECONDS,
    REFUSED_SECONDS,
    RETRY_SECONDS,
    SecretReader,
)
from support.fakecluster import FakeCluster
from support.objects import NOON, SECRET, raw_secret
from support.waiting import settle

PLACE = ("default", "hello-webhook", "token")
OTHER = ("default", "other", "token")
NEW = b"the secret of today"


@dataclass
class Bench:
    cluster: FakeCluster = field(default_factory=FakeCluster)
    now: float = 1000.0
    today: datetime = NOON
    settling: bool = False

    def __post_init__(self):
        self.reader = SecretReader(
            self.cluster, clock=lambda: self.now, wall=lambda: self.today, settling=lambda: self.settling
        )
        self.cluster.put(SECRETS, raw_secret())

    @property
    def asked(self):
        return self.cluster.count("get", SECRETS)


@pytest.fixture
def bench(monkeypatch):
    # An answer is given up by its clock only where a test says so.
    monkeypatch.setattr(secrets, "PATIENCE_SECONDS", 600.0)
    return Bench()


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_secret_is_kept_for_ten_seconds(bench):
    """Within 10 s the API server is asked once; after that the secret is as it is now."""
    assert await bench.reader.read(*PLACE) == (SECRET,)
    bench.cluster.put(SECRETS, raw_secret(value=NEW))
    bench.now += KEEP_SECONDS
    assert await bench.reader.read(*PLACE) == (SECRET,)
    assert bench.asked == 1
    bench.now += 0.001
    assert await bench.reader.read(*PLACE) == (NEW,)
    assert bench.asked == 2


async def test_age_counts_from_the_asking(bench):
    """A secret is as old as the request that brought it, however long the answer took."""
    bench.cluster.gate = asyncio.Event()
    reading = asyncio.create_task(bench.reader.read(*PLACE))
    await settle()
    bench.now += 5
    bench.cluster.gate.set()
    await reading
    bench.now += KEEP_SECONDS - 4
    await bench.reader.read(*PLACE)
    assert bench.asked == 2


async def test_keys_of_one_secret_are_read_together(bench):
    """Two keys of a Secret cost one request."""
    secret = raw_secret()
    secret["data"]["other"] = raw_secret(value=NEW)["data"]["token"]
    bench.cluster.put(SECRETS, secret)
    assert await bench.reader.read("default", "hello-webhook", "other") == (NEW,)
    assert await bench.reader.read(*PLACE) == (SECRET,)
    assert bench.asked == 1


async def test_old_secret_ends_by_itself(bench):
    """A secret whose end has come is given to nobody for whom it was, though nothing in its Secret has changed."""
    secret = raw_secret(name="hello-hookwright", key="secret")
    secret["data"]["previous"] = raw_secret(value=NEW)["data"]["token"]
    secret["metadata"]["annotations"] = {
        MADE_FOR: "hello",
        GOOD_UNTIL["previous"]: "2026-05-01T12:00:00Z",
    }
    bench.cluster.put(SECRETS, secret)
    refs = [("default", "hello-hookwright", key, (f"{MADE_FOR}=hello",)) for key in ("secret", "previous")]
    assert await bench.reader.read_all(refs) == (SECRET, NEW)
    bench.today += CLOCKS_DIFFER
    assert await bench.reader.read_all(refs) == (SECRET,)
    assert await bench.reader.read_all_again(refs, (SECRET,)) is None


async def test_secrets_of_other_namespaces_are_others(bench):
    """The same name in another namespace is another Secret."""
    assert await bench.reader.read("other", "hello-webhook", "token") is None
    assert await bench.reader.read(*PLACE) == (SECRET,)


async def test_concurrent_readers_share_one_request(bench):
    """However many deliveries wait for a Secret, the API server is asked once."""
    bench.cluster.gate = asyncio.Event()
    readers = [asyncio.create_task(bench.reader.read(*PLACE)) for _ in range(50)]
    await asyncio.sleep(0)
    bench.cluster.gate.set()
    assert await asyncio.gather(*readers) == [(SECRET,)] * 50
    assert bench.asked == 1


async def test_reader_that_is_cancelled_takes_nobody_along(bench):
    """A delivery whose sender hung up does not end the request that others wait for."""
    bench.cluster.gate = asyncio.Event()
    first, second = (asyncio.create_task(bench.reader.read(*PLACE)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    bench.cluster.gate.set()
    assert await second == (SECRET,)


@pytest.mark.parametrize("secret", [None, raw_secret(value=None), raw_secret(value=b""), raw_secret(key="other")])
async def test_secret_that_cannot_be_used_is_none(bench, secret):
    """A Secret that is missing, or empty, or lacks the key, gives nothing to verify with."""
    if secret is None:
        bench.cluster.drop(SECRETS, "hello-webhook")
    else:
        bench.cluster.put(SECRETS, secret)
    assert await bench.reader.read(*PLACE) is None


async def test_secret_that_appears_is_found(bench):
    """A Secret that was missing is looked for again after 10 s."""
    bench.cluster.drop(SECRETS, "hello-webhook")
    assert await bench.reader.read(*PLACE) is None
    bench.cluster.put(SECRETS, raw_secret())
    bench.now += KEEP_SECONDS + 1
    assert await bench.reader.read(*PLACE) == (SECRET,)


@pytest.mark.parametrize("status", [0, 500, 503])
async def test_without_api_server_the_last_known_secret_counts(bench, status):
    """While the API server is away, deliveries are verified with what was read last, however old."""
    await bench.reader.read(*PLACE)
    bench.cluster.fail("get", SECRETS, status=status, times=99)
    bench.now += 100_000
    assert await bench.reader.read(*PLACE) == (SECRET,)
    bench.cluster.heal()
    bench.cluster.put(SECRETS, raw_secret(value=NEW))
    # It is not asked again for each delivery while it is away.
    assert await bench.reader.read(*PLACE) == (SECRET,)
    bench.now += RETRY_SECONDS
    assert await bench.reader.read(*PLACE) == (NEW,)


async def test_secret_that_may_not_be_read_any_more_is_none(bench):
    """A right that was taken away takes the secret away, once it has been refused for a while."""
    await bench.reader.read(*PLACE)
    bench.cluster.fail("get", SECRETS, status=403, times=99)
    bench.now += KEEP_SECONDS + 1
    assert await bench.reader.read(*PLACE) == (SECRET,)
    bench.now += FIND_SECONDS + 0.1
    assert (await bench.reader.find(*PLACE)).state == SecretState.UNKNOWN
    bench.now += REFUSED_SECONDS
    assert await bench.reader.read(*PLACE) is None
    assert (await bench.reader.find(*PLACE)).state == SecretState.FORBIDDEN


async def test_refusal_of_a_moment_takes_nothing_away(bench):
    """An API server that refuses everything while it starts up keeps no sender out, however often it does so."""
    await bench.reader.read(*PLACE)
    for _ in range(3):
        bench.cluster.fail("get", SECRETS, status=403, times=1)
        bench.now += KEEP_SECONDS + 1
        assert await bench.reader.read(*PLACE) == (SECRET,)
        bench.now += RETRY_SECONDS
        assert await bench.reader.read(*PLACE) == (SECRET,)


async def test_refusal_just_after_an_absence_says_nothing(bench):
    """While the API server settles, a refusal is no answer: neither about a known Secret nor about one that is not."""
    bench.settling = True
    bench.cluster.fail("get", SECRETS, status=403, reason="Forbidden", message="no right yet", times=1)
    assert (await bench.reader.find(*PLACE)).state is SecretState.UNKNOWN
    bench.now += RETRY_SECONDS
    assert (await bench.reader.find(*PLACE)).state is SecretState.USABLE


async def test_secret_that_was_never_known_is_none_at_the_first_refusal(bench):
    """Nobody is let in by what was not there: without a secret that could be used a refusal counts at once."""
    bench.cluster.fail("get", SECRETS, status=403, times=1)
    assert await bench.reader.read(*PLACE) is None


async def test_sender_does_not_wait_for_an_api_server_that_hangs(bench, monkeypatch):
    """While there is an older secret, a delivery is verified with it after a moment, not after the timeout."""
    monkeypatch.setattr(secrets, "PATIENCE_SECONDS", 0.01)
    await bench.reader.read(*PLACE)
    bench.now += KEEP_SECONDS + 1
    bench.cluster.gate = asyncio.Event()
    assert await bench.reader.read(*PLACE) == (SECRET,)
    bench.cluster.gate.set()


async def test_without_api_server_an_unknown_secret_is_none(bench):
    """What was never read cannot be used."""
    bench.cluster.fail("get", SECRETS, status=503, times=99)
    assert await bench.reader.read(*PLACE) is None


# ── reading again ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_changed_secret_is_found_at_once(bench):
    """After a signature that does not fit, the new secret is there without waiting, and is kept."""
    known = await bench.reader.read(*PLACE)
    bench.cluster.put(SECRETS, raw_secret(value=NEW))
    assert await bench.reader.read_again(*PLACE, than=known) == (NEW,)
    assert await bench.reader.read(*PLACE) == (NEW,)
    assert bench.asked == 2


async def test_same_secret_is_not_tried_twice(bench):
    """If the Secret is what it was, there is nothing to judge again."""
    known = await bench.reader.read(*PLACE)
    assert await bench.reader.read_again(*PLACE, than=known) is None


async def test_secret_that_went_gives_nothing_to_try(bench):
    """A Secret that was deleted, or an API server that is away, gives no other secret."""
    known = await bench.reader.read(*PLACE)
    bench.cluster.fail("get", SECRETS, status=503)
    assert await bench.reader.read_again(*PLACE, than=known) is None
    bench.cluster.drop(SECRETS, "hello-webhook")
    assert await bench.reader.read_again(*PLACE, than=known) is None


async def test_bad_signatures_cannot_flood_the_api_server(bench):
    """A thousand wrong signatures in a row cause a burst of requests, and then one a second."""
    for _ in range(1000):
        await bench.reader.read_again(*PLACE, than=[SECRET])
    assert bench.asked == BURST
    for second in range(1, 4):
        bench.now += 1
        for _ in range(100):
            await bench.reader.read_again(*PLACE, than=[SECRET])
        assert bench.asked == BURST + second


async def test_bound_recovers_to_the_burst_and_no_further(bench):
    """After a quiet day a burst is possible again, and no more than that."""
    for _ in range(100):
        await bench.reader.read_again(*PLACE, than=[SECRET])
    bench.now += 86_400
    for _ in range(100):
        await bench.reader.read_again(*PLACE, than=[SECRET])
    assert bench.asked == 2 * BURST


async def test_bound_is_per_secret(bench):
    """A stranger who spends the bound of one Secret does not delay another Webhook's new secret."""
    for _ in range(100):
        await bench.reader.read_again(*PLACE, than=[SECRET])
    bench.cluster.put(SECRETS, raw_secret(name="other", value=NEW))
    assert await bench.reader.read_again("default", "other", "token", than=[SECRET]) == (NEW,)


# ── what the operator sees ────────────────────────────────────────────────────────────────────────────────────────────


async def test_operator_sees_what_is_there_now(bench):
    """Status is worked out from the Secret as it is, not from what is kept for deliveries."""
    await bench.reader.read(*PLACE)
    bench.cluster.drop(SECRETS, "hello-webhook")
    bench.now += FIND_SECONDS + 0.001
    assert (await bench.reader.find(*PLACE)).state is SecretState.NO_SECRET


async def test_secret_that_the_operator_finds_serves_deliveries(bench):
    """A Secret that the operator has just seen is not asked for by the next delivery, nor is its absence."""
    bench.cluster.drop(SECRETS, "hello-webhook")
    assert await bench.reader.read(*PLACE) is None
    bench.cluster.put(SECRETS, raw_secret())
    bench.now += FIND_SECONDS + 0.001
    await bench.reader.find(*PLACE)
    assert await bench.reader.read(*PLACE) == (SECRET,)


async def test_absent_api_server_is_not_an_absent_secret(bench):
    """If the API server does not say, the state is unknown; it is not asked again for each object."""
    bench.cluster.fail("get", SECRETS, status=503)
    assert (await bench.reader.find(*PLACE)).state is SecretState.UNKNOWN
    for _ in range(1000):
        assert (await bench.reader.find(*PLACE)).state is SecretState.UNKNOWN
    assert bench.asked == 1
    bench.now += FIND_SECONDS + 0.001
    assert (await bench.reader.find(*PLACE)).state is SecretState.USABLE


@pytest.mark.parametrize("missing", [False, True])
async def test_operator_reads_once_for_all_objects_with_one_secret(bench, missing):
    """A thousand Webhooks that look at one Secret in the same moment cost one request, one after the other too."""
    if missing:
        bench.cluster.drop(SECRETS, "hello-webhook")
    found = await asyncio.gather(*(bench.reader.find(*PLACE) for _ in range(500)))
    bench.now += FIND_SECONDS
    found += [await bench.reader.find(*PLACE) for _ in range(500)]
    assert {one.state for one in found} == {SecretState.NO_SECRET if missing else SecretState.USABLE}
    assert bench.asked == 1


# ── several secrets of one object ─────────────────────────────────────────────────────────────────────────────────────


async def test_all_live_secrets_are_given_in_order(bench):
    """The secrets of all references come in their order, and what cannot be used is left out."""
    bench.cluster.put(SECRETS, raw_secret(name="other", value=NEW))
    refs = [OTHER, ("default", "missing", "token"), ("default", "other", "no-key"), PLACE]
    assert await bench.reader.read_all(refs) == (NEW, SECRET)
    assert await bench.reader.read_all(list(reversed(refs))) == (SECRET, NEW)
    assert bench.asked == 3


async def test_no_live_secret_is_none(bench):
    """If no reference can be used there is nothing to verify with."""
    assert await bench.reader.read_all([("default", "missing", "token"), ("default", "hello-webhook", "no")]) is None
    assert await bench.reader.read_all([]) is None


async def test_secrets_of_one_object_are_asked_for_at_the_same_time(bench):
    """Several Secrets take as long as the slowest one, and one Secret with several keys is asked for once."""
    bench.cluster.put(SECRETS, raw_secret(name="other", value=NEW))
    bench.cluster.gate = asyncio.Event()
    reading = asyncio.create_task(bench.reader.read_all([PLACE, OTHER, ("default", "other", "x")]))
    await settle()
    assert bench.asked == 2
    bench.cluster.gate.set()
    assert await reading == (SECRET, NEW)


async def test_fresh_secrets_wait_for_nothing(bench):
    """While everything is fresh, a delivery does not even let others go on: nothing is waited for."""
    bench.cluster.put(SECRETS, raw_secret(name="other", value=NEW))
    await bench.reader.read_all([PLACE, OTHER])
    with pytest.raises(StopIteration) as ended:
        bench.reader.read_all([PLACE, OTHER]).send(None)
    assert ended.value.value == (SECRET, NEW)


async def test_one_known_secret_is_enough_to_go_on_with(bench, monkeypatch):
    """If the API server hangs, a delivery is verified with the secrets that are known."""
    monkeypatch.setattr(secrets, "PATIENCE_SECONDS", 0.01)
    await bench.reader.read(*PLACE)
    bench.cluster.gate = asyncio.Event()
    assert await bench.reader.read_all([OTHER, PLACE]) == (SECRET,)
    bench.cluster.gate.set()


async def test_any_changed_secret_is_found_at_once(bench):
    """After a signature that does not fit, each of the Secrets is read again."""
    refs = [PLACE, OTHER]
    known = await bench.reader.read_all(refs)
    bench.cluster.put(SECRETS, raw_secret(name="other", value=NEW))
    assert await bench.reader.read_all_again(refs, than=known) == (SECRET, NEW)
    assert await bench.reader.read_all(refs) == (SECRET, NEW)


async def test_what_another_delivery_found_is_not_asked_for_again(bench):
    """If others secrets are known by now than were tried, they are given without a request."""
    known = await bench.reader.read(*PLACE)
    bench.cluster.put(SECRETS, raw_secret(value=NEW))
    await bench.reader.read_again(*PLACE, than=known)
    asked = bench.asked
    assert await bench.reader.read_again(*PLACE, than=known) == (NEW,)
    assert bench.asked == asked


async def test_spent_bound_of_one_secret_does_not_hide_the_other(bench):
    """Of several Secrets, those are read again whose bound allows it."""
    for _ in range(BURST):
        await bench.reader.read_again(*PLACE, than=[SECRET])
    known = await bench.reader.read_all([PLACE, OTHER])
    bench.cluster.put(SECRETS, raw_secret(name="other", value=NEW))
    assert await bench.reader.read_all_again([PLACE, OTHER], than=known) == (SECRET, NEW)


async def test_what_is_remembered_is_bounded(bench, monkeypatch):
    """However many Secrets are named, only so many are remembered."""
    monkeypatch.setattr(secrets, "MAX_KEPT", 10)
    for number in range(100):
        await bench.reader.read_again("default", f"n{number}", "token", than=None)
        bench.cluster.fail("get", SECRETS)
        await bench.reader.read("default", f"m{number}", "token")
    assert max(map(len, (bench.reader._kept, bench.reader._failed_at, bench.reader._budgets))) <= 11
    assert bench.reader._reading == {}


# ── what is at a key ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("secret", "state", "values"),
    [
        (None, SecretState.NO_SECRET, ()),
        ({}, SecretState.NO_KEY, ()),
        ({"data": None}, SecretState.NO_KEY, ()),
        ({"data": {"token": None}}, SecretState.NO_KEY, ()),
        ({"data": {"other": "eA=="}}, SecretState.NO_KEY, ()),
        ({"data": {"token": ""}}, SecretState.EMPTY, ()),
        ({"data": {"token": "IAo="}}, SecretState.EMPTY, ()),
        ({"data": {"token": "***"}}, SecretState.EMPTY, ()),
        ({"data": {"token": 5}}, SecretState.EMPTY, ()),
        ({"data": {"token": "eA=="}}, SecretState.USABLE, (b"x",)),
        ({"data": {"token": "eAo="}}, SecretState.USABLE, (b"x\n",)),
    ],
)
def test_states_of_a_secret(secret, state, values):
    """Missing, without the key, empty or blank, and usable are told apart; a usable secret is its exact bytes."""
    found = judge_secret(secret, "token")
    assert (found.state, found.values) == (state, values)
    assert SecretCopy.of(secret).judge("token") == found


def test_secret_is_not_printed():
    """What was found, and what is kept of it, does not show its value in a log line."""
    secret = raw_secret(value=b"hush")
    kept = secrets._Kept(copy=SecretCopy.of(secret), read_at=0.0)
    found = kept.copy.judge("token")
    for shown in (repr(found), repr(kept), repr(Page(items=[secret], resource_version="1"))):
        assert "hush" not in shown
        assert secret["data"]["token"] not in shown


def test_value_is_decoded_once():
    """A copy of a Secret gives the same answer for a key each time, and remembers no keys that are not there."""
    copy = SecretCopy.of(raw_secret())
    assert copy.judge("token") is copy.judge("token")
    for number in range(1000):
        assert copy.judge(str(number)).state is SecretState.NO_KEY
    assert list(copy._found) == ["token"]


async def test_what_is_kept_is_bounded_in_bytes(bench, monkeypatch):
    """However large Secrets are, no more than a bound of them is kept; those read first are forgotten first."""
    monkeypatch.setattr(secrets, "MAX_BYTES", 11_000)
    for name in "abcde":
        large = raw_secret(value=b"x" * 3000)
        large["metadata"] |= {"name": name, "uid": name}
        bench.cluster.put(SECRETS, large)
        assert await bench.reader.read("default", name, "token") == (b"x" * 3000,)
        assert bench.reader._bytes <= 11_000
    assert set(bench.reader._kept) == {("default", "d"), ("default", "e")}
    asked = bench.asked
    assert await bench.reader.read("default", "e", "token") is not None
    assert bench.asked == asked
    bench.now += KEEP_SECONDS + 1
    for name in "de":
        await bench.reader.read("default", name, "token")
    assert len(bench.reader._kept) == 2


async def test_all_who_come_at_once_get_the_new_secret(bench):
    """Of a hundred deliveries that are signed anew in the same moment each is checked with the new secret."""
    old = await bench.reader.read(*PLACE)
    bench.cluster.put(SECRETS, raw_secret(value=NEW))
    bench.cluster.gate = asyncio.Event()
    waiting = [asyncio.create_task(bench.reader.read_again(*PLACE, old)) for _ in range(100)]
    await settle()
    bench.cluster.gate.set()
    assert set(await asyncio.gather(*waiting)) == {(NEW,)}
    assert bench.asked <= 1 + BURST
