"""`hookwright run` as a process: killed, stopped, started twice; and what it says to whom."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from support.clients import make_client
from support.processes import Process, make_environment
from support.running import (
    PATIENCE,
    SECRET,
    Running,
    make_buildtrigger,
    make_headers,
    make_push,
    make_secret,
    make_settings,
    make_webhook,
    prepare_cluster,
)
from support.stage import as_role, open_cluster
from support.waiting import within

JOBS = r"/apis/batch/v1/namespaces/default/jobs"


@dataclass(kw_only=True)
class Single(Process):
    """`hookwright run` in a process of its own, and hands to work it with."""

    running: Running


@asynccontextmanager
async def run_process(folder: Path, *, log_to: Path | None = None, **settings: str) -> AsyncIterator[Single]:
    """Run a development cluster and `hookwright run` with Webhook hello."""
    with open_cluster() as cluster:
        kubeconfig = prepare_cluster(cluster, folder)
        chosen = make_settings(folder)
        async with make_client() as client:
            running = Running(cluster=cluster, settings=chosen, kubeconfig=kubeconfig, client=client)
            running.apply(make_secret(), make_buildtrigger(), make_webhook())
            given = {
                "HOOKWRIGHT_PUBLIC_URL": chosen.public_url,
                "HOOKWRIGHT_LISTEN": chosen.listen,
                "HOOKWRIGHT_JOURNAL": str(chosen.journal),
                "HOOKWRIGHT_LOG_LEVEL": "debug",
                "HOOKWRIGHT_DRAIN": "0",
                "HOOKWRIGHT_IDENTITY": "the-one",
            }
            process = Single(
                role="run",
                running=running,
                folder=folder,
                kubeconfig=as_role(cluster, kubeconfig, "run"),
                environment=make_environment(**given | settings),
                log_to=log_to,
            )
            await process.start()
            try:
                await process.until_listening()
                yield process
            finally:
                await process.signal(signal.SIGKILL)


async def test_kill_loses_nothing_and_doubles_nothing(tmp_path: Path):
    """Kill -9 while deliveries stream in, at least 5 times between disk and start: every 2xx is built exactly once."""
    kills, wanted = 6, 500
    ledger: dict[str, str] = {}
    async with run_process(tmp_path) as process:
        running = process.running
        await running.until_ready()
        url = running.status()["url"]
        stop = asyncio.Event()

        async def send(sender: int) -> None:
            """Deliver one after the other, each until it is answered, as a Git host's user redelivers."""
            number = 0
            while not stop.is_set():
                delivery = f"{sender}-{number}"
                body = make_push(number=number)
                try:
                    response = await running.client.post(
                        url, content=body, headers=make_headers(body, delivery=delivery)
                    )
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                assert response.status_code in (200, 202), response.text
                ledger[delivery] = response.json()["builds"][0]["name"]
                number += 1

        senders = [asyncio.create_task(send(sender)) for sender in range(8)]
        killed_with_work_left = 0
        while killed_with_work_left < kills or len(ledger) < wanted:
            # Builds are held back at the API server, so that the kill comes between the disk and the start.
            fault = running.cluster.answer(
                method="POST", path=JOBS, status=503, reason="ServiceUnavailable", times=None
            )
            target = len(ledger) + random.randint(20, 60)
            await running.until(lambda target=target: len(ledger) >= target, "deliveries are accepted")
            names = {job["metadata"]["name"] for job in running.jobs()}
            left = sum(name not in names for name in ledger.values())
            assert await process.signal(signal.SIGKILL) == -signal.SIGKILL
            killed_with_work_left += left > 0
            fault.remove()
            await process.start()
            await process.until_listening()
            target = len(ledger) + random.randint(10, 40)
            await running.until(lambda target=target: len(ledger) >= target, "deliveries are accepted")
            if random.random() < 0.5:
                await process.signal(signal.SIGKILL)
                await process.start()
                await process.until_listening()
        stop.set()
        await asyncio.gather(*senders)
        assert len(ledger) >= wanted
        await running.until(
            lambda: set(ledger.values()) <= {job["metadata"]["name"] for job in running.jobs()}, "all are built"
        )
        made = [
            request
            for request in running.cluster.requests
            if request.method == "POST" and re.fullmatch(JOBS, request.path) and request.status == 201
        ]
        names = [job["metadata"]["name"] for job in running.jobs()]
        # As many Jobs were made as there are: none was made, removed and made again.
        assert len([m for m in made if "dryRun" not in m.query]) <= len(names)
        built = {job["metadata"]["annotations"]["hookwright.dev/delivery"].rpartition("/")[2] for job in running.jobs()}
        assert len(built) == len(names)
        assert set(ledger) <= built
        # What was not answered may have been accepted all the same: at most one per sender and kill.
        assert len(built) - len(ledger) <= 8 * (len(process.logs) + 1)
        assert "Traceback" not in process.said()


async def test_term_ends_cleanly(tmp_path: Path):
    """SIGTERM ends the process with exit code 0, and what it has answered 202 is built now or after the next start."""
    async with run_process(tmp_path) as process:
        await process.running.until_ready()
        url = process.running.status()["url"]
        responses = await asyncio.gather(*(process.running.push(url, delivery=f"d-{index}") for index in range(50)))
        assert {response.status_code for response in responses} == {202}
        assert await process.signal(signal.SIGTERM) == 0
        await process.start()
        await process.until_listening()
        await process.running.until(lambda: len(process.running.jobs()) == 50)
        assert await process.signal(signal.SIGINT) == 0
        assert "Traceback" not in process.said()


async def test_second_process_on_one_journal_is_refused(tmp_path: Path):
    """A second process on the same journal ends with exit code 1 and says why; the first one works on."""
    async with run_process(tmp_path) as process:
        command = [sys.executable, "-m", "hookwright", "run", "--kubeconfig", str(process.kubeconfig)]
        other = make_settings(tmp_path)
        environment = process.environment | {"HOOKWRIGHT_LISTEN": other.listen}
        second = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        _, said = await within(PATIENCE, second.communicate())
        assert second.returncode == 1
        assert str(process.running.settings.journal) in said.decode()
        assert "Traceback" not in said.decode()
        url = await process.running.until_ready()
        assert (await process.running.push(url)).status_code == 202


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"HOOKWRIGHT_PUBLIC_URL": "hooks.example.com"}, "HOOKWRIGHT_PUBLIC_URL=hooks.example.com"),
        ({"HOOKWRIGHT_LISTEN": "8080"}, "HOOKWRIGHT_LISTEN=8080"),
        ({"HOOKWRIGHT_ADMIN": "9090"}, "HOOKWRIGHT_ADMIN=9090"),
        ({"HOOKWRIGHT_NAMESPACES": "team-a,Team-B"}, "HOOKWRIGHT_NAMESPACES=team-a,Team-B: Team-B is no namespace"),
    ],
)
async def test_wrong_setting_is_a_sentence(tmp_path: Path, environment, told):
    """A setting that cannot be ends the process with exit code 2 and one sentence that names it."""
    with open_cluster() as cluster:
        kubeconfig = as_role(cluster, prepare_cluster(cluster, tmp_path), "run")
        settings = make_settings(tmp_path)
        given = make_environment(HOOKWRIGHT_LISTEN=settings.listen, HOOKWRIGHT_JOURNAL=str(settings.journal))
        command = [sys.executable, "-m", "hookwright", "run", "--kubeconfig", str(kubeconfig)]
        process = await asyncio.create_subprocess_exec(
            *command, env=given | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        _, said = await within(PATIENCE, process.communicate())
        assert process.returncode == 2
        assert told in said.decode()
        assert "Traceback" not in said.decode()


async def test_no_secret_leaves_the_process(tmp_path: Path):
    """No secret, signature or payload is in the logs, status, Kubernetes Events or annotations of a whole run."""
    async with run_process(tmp_path, HOOKWRIGHT_LOG_FORMAT="json") as process:
        running = process.running
        inline = "an inline secret"
        running.apply(make_webhook("inline", authenticationConfiguration={"secretToken": inline}))
        both = {"secretToken": "both secret", "secretTokenRef": {"name": "x", "key": "y"}}
        refused = running.try_to_apply(make_webhook("both", authenticationConfiguration=both))
        await running.until_ready()
        url = running.status()["url"]
        payload = make_push(private="payload-content-" + "x" * 20)
        sent: list[str] = []
        for body, secret in ((payload, SECRET), (payload, "guess"), (b"{payload-content-broken", SECRET)):
            headers = make_headers(body, secret=secret)
            sent.append(headers["x-hub-signature-256"].removeprefix("sha256="))
            await running.client.post(url, content=body, headers=headers)
        await running.push(await running.until_ready("inline"), secret=inline)
        await running.until(lambda: len(running.jobs()) == 2)
        if not refused:
            await running.until(lambda: running.ready("both")[1] == "InvalidSpec")
        await process.signal(signal.SIGTERM)
        root_key = running.cluster.get("secrets", "hookwright-system", "hookwright-root-key")
        assert root_key is not None
        secrets = [SECRET, inline, "both secret", "payload-content", *sent, *root_key["data"].values()]
        places = {
            "logs": process.said(),
            "events": json.dumps(running.cluster.list("events")),
            "jobs": json.dumps(running.jobs()),
            "status": json.dumps([running.status(name) for name in ("hello", "inline", "both")]),
        }
        for place, text in places.items():
            for secret in secrets:
                assert secret not in text, place
        for line in places["logs"].splitlines():
            assert isinstance(json.loads(line), dict)


async def test_full_disk_accepts_nothing_until_there_is_room(tmp_path: Path):
    """While the journal's file cannot grow, deliveries get 503 and never start; with room again they are taken."""
    # A limit on the size of files stands for the full disk; the log goes where it cannot meet that limit.
    async with run_process(tmp_path, log_to=Path(os.devnull)) as process:
        running = process.running
        url = await running.until_ready()
        assert process.process is not None
        pid = process.process.pid
        unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
        for number in range(5):
            response = await running.push(url, delivery=f"refused-{number}")
            assert (response.status_code, response.json()["reason"]) == (503, "JournalUnwritable")
            assert int(response.headers["retry-after"]) > 0
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        answers = [await running.push(url, delivery=f"taken-{number}") for number in range(5)]
        assert {answer.status_code for answer in answers} == {202}
        names = {answer.json()["builds"][0]["name"] for answer in answers}
        await running.until(lambda: names <= {job["metadata"]["name"] for job in running.jobs()})
        assert await process.signal(signal.SIGTERM) == 0
        await process.start()
        await process.until_listening()
        assert {job["metadata"]["name"] for job in running.jobs()} == names
