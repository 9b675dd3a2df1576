"""Labelled Secrets over the wire: watched in a development cluster, through all that goes wrong."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from hookwright.cluster import client, informer, secrets, streams
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.cluster.secret_values import SecretState
from hookwright.cluster.secrets import SecretReader
from hookwright.cluster.watched_secrets import PAGE_SIZE, WATCHED_LABEL, WatchedSecrets
from hookwright.devcluster import DevCluster
from hookwright.devcluster.faults import Fault
from support.trust import TRUST_NOBODY
from support.waiting import HTTP_SECONDS, eventually, running

NAME = "hello-webhook"
ALL_SECRETS = "/api/v1/secrets"
ONE_SECRET = f"/api/v1/namespaces/default/secrets/{NAME}"


@dataclass(kw_only=True)
class Bench:
    """A cluster with one labelled Secret, and a reader that watches."""

    cluster: DevCluster
    http: httpx.AsyncClient
    watched: WatchedSecrets
    reader: SecretReader
    told: list[tuple[str, str]] = field(default_factory=list)

    def apply(self, value: str, *, name: str = NAME, labelled: bool = True) -> None:
        """Apply a Secret."""
        labels = {WATCHED_LABEL: "true"} if labelled else {}
        metadata = {"name": name, "namespace": "default", "labels": labels}
        data = {"token": base64.b64encode(value.encode()).decode()}
        self.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})

    async def delete(self) -> None:
        """Delete the Secret as kubectl does."""
        (await self.http.delete(ONE_SECRET)).raise_for_status()

    async def read(self, name: str = NAME) -> str | None:
        """Give the live secret as a delivery gets it."""
        values = await self.reader.read("default", name, "token")
        return values[0].decode() if values else None

    async def until_watch_shows(self, value: str | None, name: str = NAME) -> None:
        """Wait until the watch shows a value; None stands for no labelled Secret."""

        def shows() -> bool:
            copy = self.watched.get(("default", name))
            found = copy.judge("token").values if copy is not None else ()
            return found == ((value.encode(),) if value is not None else ())

        await eventually(shows)

    @property
    def is_watching(self) -> bool:
        """Whether the watch goes."""
        return self.watched.as_of(float("inf"), "default") == float("inf")

    async def break_watch(self) -> Fault:
        """Drop the watch, and what would bring it back until the fault is removed."""
        fault = self.cluster.drop(path=ALL_SECRETS)
        self.cluster.close_watches()
        await eventually(lambda: fault.hits > 1)
        return fault

    def count(self, path: str, query: str = "") -> int:
        """Count the requests of a path whose query has `query` in it."""
        return sum(request.path == path and query in request.query for request in self.cluster.requests)


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for pauses that are made for weeks of running."""
    monkeypatch.setattr(informer, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(informer, "REFUSED_SECONDS", 0.05)
    monkeypatch.setattr(informer, "SHORTEST_WATCH_SECONDS", 0.0)
    # An answer that is late is late, however long this process got no turn.
    monkeypatch.setattr(secrets, "PATIENCE_SECONDS", HTTP_SECONDS)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A reader whose watch goes, and has seen the Secret."""
    cluster = DevCluster()
    await cluster.start()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig())
    access = await load_access(kubeconfig)
    async with (
        KubernetesCluster(access.configuration) as port,
        httpx.AsyncClient(base_url=cluster.url, trust_env=False, verify=TRUST_NOBODY, timeout=HTTP_SECONDS) as http,
    ):
        watched = WatchedSecrets(port)
        bench = Bench(cluster=cluster, http=http, watched=watched, reader=SecretReader(port, watched=watched))
        bench.apply("first")
        watched.subscribe(lambda namespace, name: bench.told.append((namespace, name)))
        async with running(watched.informers.run()):
            await watched.informers.synced()
            bench.told.clear()
            yield bench
    await cluster.stop()


async def test_labelled_secret_is_never_asked_for(bench: Bench):
    """A labelled Secret comes by the watch, and so does each change of it."""
    assert await bench.read() == "first"
    bench.apply("second")
    await bench.until_watch_shows("second")
    assert await bench.read() == "second"
    assert (await bench.reader.find("default", NAME, "token")).values == (b"second",)
    assert bench.told == [("default", NAME)]
    assert bench.count(ONE_SECRET) == 0


async def test_other_secrets_do_not_come_to_us(bench: Bench):
    """A Secret without the label is never sent to us, unless it is asked for."""
    bench.apply("unseen", name="other", labelled=False)
    bench.apply("second")
    await bench.until_watch_shows("second")
    assert bench.told == [("default", NAME)]
    assert bench.watched.get(("default", "other")) is None
    assert await bench.read("other") == "unseen"


async def test_secret_that_loses_and_gets_its_label(bench: Bench):
    """Without its label a Secret is read on demand, with it it is watched again; both are told."""
    bench.apply("second", labelled=False)
    await bench.until_watch_shows(None)
    assert await bench.read() == "second"
    assert bench.count(ONE_SECRET) == 1
    bench.apply("third")
    await bench.until_watch_shows("third")
    assert await bench.read() == "third"
    assert bench.count(ONE_SECRET) == 1
    assert bench.told == [("default", NAME)] * 2


async def test_secret_that_is_deleted_and_made_anew(bench: Bench):
    """A Secret that is deleted is gone at once; made anew, it is there at once."""
    await bench.delete()
    await bench.until_watch_shows(None)
    assert (await bench.reader.find("default", NAME, "token")).state is SecretState.NO_SECRET
    bench.apply("anew")
    await bench.until_watch_shows("anew")
    assert await bench.read() == "anew"
    assert bench.told == [("default", NAME)] * 2


async def test_new_secret_works_before_the_watch_shows_it(bench: Bench):
    """The first delivery that is signed with a new secret is taken, however late the watch is."""
    bench.apply("second")
    known = await bench.reader.read("default", NAME, "token")
    if known == (b"first",):
        assert await bench.reader.read_again("default", NAME, "token", known) == (b"second",)
    assert await bench.read() == "second"


async def test_all_pages_are_seen(bench: Bench):
    """More Secrets than a page holds are all known."""
    names = [f"n{number}" for number in range(2 * PAGE_SIZE)]
    fault = await bench.break_watch()
    for name in names:
        bench.apply(name, name=name)
        bench.apply("unseen", name=f"{name}-other", labelled=False)
    fault.remove()
    before = bench.count(ALL_SECRETS, "limit=")
    await eventually(lambda: bench.is_watching)
    assert [await bench.read(name) for name in names] == names
    assert bench.count(ALL_SECRETS, "limit=") == before + 3
    assert not any(bench.watched.get(("default", f"{name}-other")) for name in names)
    assert not any(bench.count(f"/api/v1/namespaces/default/secrets/{name}") for name in names)


async def test_ended_watch_goes_on(bench: Bench):
    """A watch that the API server ends is gone on with, without a new list."""
    lists = bench.count(ALL_SECRETS, "limit=")
    bench.cluster.close_watches()
    bench.apply("second")
    await bench.until_watch_shows("second")
    assert bench.count(ALL_SECRETS, "limit=") == lists


async def test_broken_watch_is_made_up_for(bench: Bench):
    """While the watch is broken Secrets are read on demand; what was missed is known after it."""
    bench.apply("other", name="other")
    await bench.until_watch_shows("other", "other")
    fault = await bench.break_watch()
    await bench.delete()
    bench.apply("anew")
    bench.apply("second", name="other", labelled=False)
    known = await bench.reader.read("default", NAME, "token")
    assert known == (b"anew",) or await bench.reader.read_again("default", NAME, "token", known) == (b"anew",)
    fault.remove()
    await bench.until_watch_shows("anew")
    await bench.until_watch_shows(None, "other")
    assert await bench.read("other") == "second"


async def test_forgotten_version_is_listed_anew(bench: Bench):
    """An API server that does not remember where we were (410) is listed anew."""
    lists = bench.count(ALL_SECRETS, "limit=")
    bench.cluster.expire_history()
    bench.cluster.close_watches()
    await eventually(lambda: bench.count(ALL_SECRETS, "limit=") == lists + 1)
    bench.apply("second")
    await bench.until_watch_shows("second")


@pytest.mark.parametrize("status", [403, 404])
async def test_missing_right_costs_requests_and_no_secret(bench: Bench, status: int):
    """Who may not list and watch Secrets any more reads them on demand; once the right is back, they are watched."""
    fault = bench.cluster.answer(status=status, path=ALL_SECRETS, message="not allowed")
    bench.cluster.close_watches()
    await eventually(lambda: not bench.watched.informers.available("default"))
    bench.apply("second")
    known = await bench.reader.read("default", NAME, "token")
    assert known == (b"second",) or await bench.reader.read_again("default", NAME, "token", known) == (b"second",)
    assert (await bench.reader.find("default", NAME, "token")).values == (b"second",)
    assert bench.count(ONE_SECRET) >= 1
    fault.remove()
    await bench.until_watch_shows("second")
    await eventually(lambda: bench.watched.informers.available("default"))


async def test_silent_watch_is_replaced(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """A connection that died without a word is given up, and what was missed is known."""
    monkeypatch.setattr(streams, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.5)
    bench.cluster.close_watches()
    bench.cluster.pause()
    await eventually(lambda: not bench.is_watching)
    bench.apply("second")
    assert await bench.read() == "first"
    bench.cluster.resume()
    await bench.until_watch_shows("second")


async def test_api_server_that_restarts_is_found_again(bench: Bench):
    """While the API server is down the last known secret counts; after its restart the watch goes on."""
    await bench.cluster.stop()
    await eventually(lambda: not bench.is_watching)
    assert await bench.read() == "first"
    bench.apply("second")
    await bench.cluster.start()
    await bench.until_watch_shows("second")
