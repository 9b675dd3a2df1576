"""The admin port of whole processes: what each role says of itself in each part of its life."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from support.families import BOTH, MISSING
from support.ports import find_port
from support.processes import LEASES, Fleet, run_fleet, until
from support.running import make_buildtrigger, make_root_key, make_secret, make_webhook, run_hookwright
from support.waiting import patience


async def ask(fleet: Fleet, name: str, page: str = "/readyz") -> tuple[int, str]:
    """Give status and text of a page; (0, "") if nobody answers."""
    try:
        answer = await fleet.running.client.get(fleet.processes[name].admin + page)
    except httpx.HTTPError:
        return 0, ""
    return answer.status_code, answer.text.strip()


async def until_says(fleet: Fleet, name: str, status: int, text: str = "") -> str:
    """Wait until /readyz answers this, and give what it says."""
    async with patience():
        while True:
            found, said = await ask(fleet, name)
            if found == status and text in said:
                return said
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("role", ["receiver", "operator", "run"])
async def test_process_is_ready_once_it_works(tmp_path: Path, role):
    """Each role is ready when it does its work, and alive from then on."""
    async with run_fleet(tmp_path, {}) as fleet:
        fleet.running.apply(make_root_key())
        await fleet.add("one", role)
        await until_says(fleet, "one", 200, "ok")
        assert await ask(fleet, "one", "/healthz") == (200, "ok")


@pytest.mark.parametrize("role", ["receiver", "operator"])
async def test_process_says_that_it_waits_for_the_api_server(tmp_path: Path, role):
    """Before the API server answers a process is alive and not ready, and says why; then it becomes ready."""
    async with run_fleet(tmp_path, {}) as fleet:
        fleet.running.apply(make_root_key())
        away = fleet.cluster.answer(status=503, message="etcd is away")
        process = await fleet.add("one", role)
        said = await until_says(fleet, "one", 503, "waiting for the API server: ")
        assert said.splitlines() == ["waiting for the API server: etcd is away"]
        assert await ask(fleet, "one", "/healthz") == (200, "ok")
        away.remove()
        await until_says(fleet, "one", 200)
        assert process.alive


async def test_receiver_stays_ready_without_the_api_server(tmp_path: Path):
    """A receiver takes deliveries while the API server is away, and stays ready for it."""
    async with run_fleet(tmp_path, {"operator": "operator", "receiver": "receiver"}) as fleet:
        fleet.running.apply(make_secret(), make_buildtrigger(), make_webhook())
        await fleet.running.until_ready()
        await fleet.running.until_answered(
            fleet.processes["receiver"].address + "/hooks/" + fleet.running.status()["url"].rpartition("/")[2], 202
        )
        away = fleet.cluster.drop()
        fleet.cluster.close_watches()
        await until(lambda: away.hits > 5, "the receiver knows that the API server is away")
        assert (await fleet.push("receiver", "hello")).status_code == 202
        assert await ask(fleet, "receiver") == (200, "ok")
        assert await ask(fleet, "receiver", "/healthz") == (200, "ok")


@pytest.mark.skipif(not BOTH, reason=MISSING)
async def test_both_ports_are_there_for_both_families(tmp_path: Path):
    """A process that listens at :: takes deliveries, and is asked whether it is ready, by IPv4 and by IPv6."""
    port, admin = find_port(), find_port()
    settings = {"public_url": f"http://127.0.0.1:{port}", "listen": f"[::]:{port}", "admin": f"[::]:{admin}"}
    async with run_hookwright(tmp_path, **settings) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        path = (await running.until_ready()).rpartition(f":{port}")[2]
        for host in ("127.0.0.1", "[::1]"):
            assert (await running.push(f"http://{host}:{port}{path}")).status_code == 202
            assert (await running.client.get(f"http://{host}:{admin}/readyz")).status_code == 200


async def test_receiver_drains_before_it_goes(tmp_path: Path):
    """After SIGTERM a receiver is not ready, says that it drains, and still takes deliveries."""
    roles = {"operator": "operator", "receiver": "receiver"}
    async with run_fleet(tmp_path, roles, HOOKWRIGHT_DRAIN="30") as fleet:
        fleet.running.apply(make_secret(), make_buildtrigger(), make_webhook())
        await fleet.running.until_ready()
        await until_says(fleet, "receiver", 200)
        fleet.processes["receiver"].send(signal.SIGTERM)
        await until_says(fleet, "receiver", 503, "draining")
        assert (await fleet.push("receiver", "hello")).status_code == 202


async def test_operator_that_may_not_have_the_lease_is_not_ready(tmp_path: Path):
    """An operator is ready when it takes part in the election; without the right to it, it says so."""
    async with run_fleet(tmp_path, {}) as fleet:
        fault = fleet.cluster.answer(path=LEASES, status=403, reason="Forbidden", message="leases is forbidden")
        await fleet.add("one", "operator")
        await until_says(fleet, "one", 503, "the Lease hookwright-system/hookwright-operator is refused: ")
        fault.remove()
        await until_says(fleet, "one", 200)
