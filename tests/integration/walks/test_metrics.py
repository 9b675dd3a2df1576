"""What /metrics of whole processes says of what happens to them; and that no stranger makes a series."""

from __future__ import annotations

import asyncio
import random
import signal
import string
from pathlib import Path

from hookwright.metrics.catalogue import SPECS
from support.clients import make_client
from support.metrics_samples import find_strange, read_metrics, read_samples, read_value
from support.processes import Fleet, run_fleet, until
from support.running import make_buildtrigger, make_push, make_secret, make_webhook
from support.waiting import patience

ROLES = {"operator": "operator", "receiver": "receiver"}


async def scrape(fleet: Fleet, name: str) -> str:
    """Give what /metrics of a process says, at most a second old."""
    answer = await fleet.running.client.get(fleet.processes[name].admin + "/metrics")
    assert answer.status_code == 200
    return answer.text


async def until_some(fleet: Fleet, process: str, name: str, **labels: str) -> None:
    """Wait until a process shows more than nothing."""
    await until_value(fleet, process, None, name, **labels)


async def until_value(fleet: Fleet, process: str, value: float | None, name: str, **labels: str) -> None:
    """Wait until a process shows this value; None stands for any but 0."""
    found = None
    try:
        async with patience():
            # Each try is a request.
            while True:
                found = read_value(await scrape(fleet, process), "hookwright_" + name, **labels)
                if found if value is None else found == value:
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"{name}{labels} is {found}, not {value}") from None


async def begin(fleet: Fleet) -> str:
    """Make Webhook hello; give its URL at the receiver, once that takes deliveries for it."""
    fleet.running.apply(make_secret(), make_buildtrigger(), make_webhook())
    await fleet.running.until_ready()
    return await fleet.until_known("receiver", "hello")


async def test_delivery_is_counted_on_its_way(tmp_path: Path):
    """A delivery counts with its answer, its start, its requests to the API server and its times."""
    async with run_fleet(tmp_path, ROLES) as fleet:
        url = await begin(fleet)
        # Before the receiver knew the URL it may have been asked for it.
        unknown = {"kind": "", "outcome": "refused", "reason": "URLUnknown"}
        strange = read_value(await scrape(fleet, "receiver"), "hookwright_deliveries_total", **unknown) or 0
        assert (await fleet.running.push(url)).status_code == 202
        assert (await fleet.running.push(url, secret="guess")).status_code == 401
        assert (await fleet.running.push(url, make_push("refs/heads/other"))).status_code == 200
        assert (await fleet.running.client.post(url + "x")).status_code == 404
        await until_value(fleet, "receiver", 1, "starts_total", target="BuildTrigger", outcome="started")
        # The journal is looked into before the rest is written.
        await until_value(fleet, "receiver", 0, "journal_pending")
        page = await scrape(fleet, "receiver")
        for kind, outcome, reason in (
            ("Webhook", "started", "Accepted"),
            ("Webhook", "refused", "SignatureMismatch"),
            ("Webhook", "ignored", "FilteredOut"),
        ):
            assert read_value(page, "hookwright_deliveries_total", kind=kind, outcome=outcome, reason=reason) == 1
        assert read_value(page, "hookwright_deliveries_total", **unknown) == strange + 1
        assert read_value(page, "hookwright_deliveries_total", reason="NotAuthentic") == 0
        assert read_value(page, "hookwright_delivery_stage_seconds_count", stage="journal") == 1
        assert read_value(page, "hookwright_delivery_stage_seconds_count", stage="start") == 1
        assert read_value(page, "hookwright_api_requests_total", verb="create", resource="jobs", code="201") == 1
        assert read_value(page, "hookwright_objects", kind="Webhook") == 1
        assert read_value(page, "hookwright_watch_synced", resource="webhooks") == 1
        assert read_value(page, "hookwright_ready") == 1
        assert read_value(page, "hookwright_leader") is None
        await until_value(fleet, "operator", 1, "leader")
        page = await scrape(fleet, "operator")
        assert read_value(page, "hookwright_reconciles_total", kind="Webhook") >= 1
        assert read_value(page, "hookwright_journal_pending") is None


async def test_what_waits_is_shown_with_its_age(tmp_path: Path):
    """Deliveries that cannot be started are pending, the oldest grows older, and each try counts as one."""
    async with run_fleet(tmp_path, ROLES) as fleet:
        url = await begin(fleet)
        away = fleet.cluster.answer(method="POST", path=r".*/jobs", status=503, message="away")
        for _ in range(3):
            assert (await fleet.running.push(url)).status_code == 202
        await until_value(fleet, "receiver", 3, "journal_pending")
        await until_some(fleet, "receiver", "journal_oldest_pending_seconds")
        await until_some(fleet, "receiver", "start_retries_total", reason="StartDelayed")
        await until_some(fleet, "receiver", "api_requests_total", verb="create", resource="jobs", code="503")
        away.remove()
        await until_value(fleet, "receiver", 0, "journal_pending")
        await until_value(fleet, "receiver", 0, "journal_oldest_pending_seconds")


async def test_one_operator_is_the_leader(tmp_path: Path):
    """Of two operators one shows that it holds the Lease; when it is killed, the other one does."""
    async with run_fleet(tmp_path, {"one": "operator", "two": "operator"}) as fleet:
        holder = await until(fleet.holder, "one of them holds the Lease")
        (other,) = {"one", "two"} - {holder}
        await until_value(fleet, holder, 1, "leader")
        await until_value(fleet, other, 0, "leader")
        await fleet.processes[holder].signal(signal.SIGTERM)
        await until_value(fleet, other, 1, "leader")


async def test_no_stranger_makes_a_series(tmp_path: Path):
    """Whatever is sent, there are the same series after it: no path, method, header, id or address is a label."""
    chance = random.Random(11)

    def invent() -> str:
        return "".join(chance.choices(string.ascii_letters + string.digits + "-_.", k=chance.randint(1, 30)))

    async with run_fleet(tmp_path, ROLES, HOOKWRIGHT_TRUSTED_PROXIES="127.0.0.0/8") as fleet:
        url = await begin(fleet)
        assert (await fleet.running.push(url)).status_code == 202
        await until_value(fleet, "receiver", 1, "starts_total", target="BuildTrigger", outcome="started")
        before = {
            (sample.name, *sorted(sample.labels.items())) for sample in read_samples(await scrape(fleet, "receiver"))
        }
        base = fleet.processes["receiver"].address
        async with make_client() as client:
            for _ in range(300):
                where = chance.choice([url, base + "/hooks/" + invent(), base + "/" + invent(), url + "/" + invent()])
                method = chance.choice(["POST", "GET", "PUT", invent().upper()])
                address = f"10.0.{chance.randint(0, 255)}.{chance.randint(0, 255)}"
                headers = {"x-forwarded-for": address, "x-github-delivery": invent(), "x-github-event": invent()}
                await client.request(method, where, content=invent(), headers=headers | {"user-agent": invent()})
            for _ in range(50):
                await fleet.running.push(
                    url, make_push(chance.choice(["refs/heads/main", invent()])), delivery=invent()
                )
            for _ in range(50):
                await client.get(fleet.processes["receiver"].admin + "/" + invent())
        await asyncio.sleep(1.1)  # the page is kept for a second
        metrics = read_metrics(await scrape(fleet, "receiver"))
        after = {(sample.name, *sorted(sample.labels.items())) for metric in metrics for sample in metric.samples}
        # The API server's codes may be new ones, of the few that there are; nothing else is.
        assert {name for name, *_ in after - before} <= {"hookwright_api_requests_total"}
        assert find_strange(metrics) == []


async def test_every_metric_is_shown_by_some_process(tmp_path: Path):
    """The catalogue has nothing that no process shows, and processes show nothing that it does not have."""
    async with run_fleet(tmp_path, {"one": "run"}) as fleet:
        metrics = read_metrics(await scrape(fleet, "one"))
        ours = {metric.name for metric in metrics if metric.name.startswith("hookwright_")}
        assert ours == {"hookwright_" + name for name in SPECS}
        assert find_strange(metrics) == []
