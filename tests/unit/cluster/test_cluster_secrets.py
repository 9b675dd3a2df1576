"""Secrets on demand: kept 10 s, read again within a bound, asked for once by many, kept through an absence."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from hookwright.cluster import SECRETS, secrets
from hookwright.cluster.secret_values import SecretState, judge_secret
from hookwright.cluster.secrets import BURST, KEEP_SECONDS, RETRY_SECONDS, SecretReader
from support.fakecluster import FakeCluster
from support.objects import SECRET, raw_secret
from support.waiting import settle

PLACE = ("default", "hello-webhook", "token")
NEW = b"the secret of today"


@dataclass
class Bench:
    cluster: FakeCluster = field(default_factory=FakeCluster)
    now: float = 1000.0

    def __post_init__(self):
        self.reader = SecretReader(self.cluster, clock=lambda: self.now)
        self.cluster.put(SECRETS, raw_secret())

    @property
    def asked(self):
        return self.cluster.count("get", SECRETS)


@pytest.fixture
def bench():
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
        bench.cluster.delete(SECRETS, "hello-webhook")
    else:
        bench.cluster.put(SECRETS, secret)
    assert await bench.reader.read(*PLACE) is None


async def test_secret_that_appears_is_found(bench):
    """A Secret that was missing is looked for again after 10 s."""
    bench.cluster.delete(SECRETS, "hello-webhook")
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
    """A right that was taken away takes the secret away."""
    await bench.reader.read(*PLACE)
    bench.cluster.fail("get", SECRETS, status=403, times=99)
    bench.now += KEEP_SECONDS + 1
    assert await bench.reader.read(*PLACE) is None
    assert (await bench.reader.find(*PLACE)).state == SecretState.FORBIDDEN


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
    bench.cluster.delete(SECRETS, "hello-webhook")
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
    """Status is worked out from the Secret as it is, not from what is kept."""
    await bench.reader.read(*PLACE)
    bench.cluster.delete(SECRETS, "hello-webhook")
    assert (await bench.reader.find(*PLACE)).state is SecretState.NO_SECRET


async def test_secret_that_the_operator_finds_serves_deliveries(bench):
    """A Secret that the operator has just seen is not asked for by the next delivery, nor is its absence."""
    bench.cluster.delete(SECRETS, "hello-webhook")
    assert await bench.reader.read(*PLACE) is None
    bench.cluster.put(SECRETS, raw_secret())
    await bench.reader.find(*PLACE)
    assert await bench.reader.read(*PLACE) == (SECRET,)


async def test_absent_api_server_is_not_an_absent_secret(bench):
    """If the API server does not say, the state is unknown."""
    bench.cluster.fail("get", SECRETS, status=503)
    assert (await bench.reader.find(*PLACE)).state is SecretState.UNKNOWN


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


def test_secret_is_not_printed():
    """What was found does not show its value in a log line."""
    assert "hush" not in repr(judge_secret(raw_secret(value=b"hush"), "token"))
