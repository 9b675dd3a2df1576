"""The journal's volume is full or read-only, at the start and later: what is said, and that it heals by itself.

And who fills it: one namespace refuses only itself.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from test_process import Single, run_process

from hookwright.commands.dev import make_namespace
from hookwright.devcluster import DevCluster
from support.ports import find_port
from support.processes import LONG_PATIENCE, make_environment
from support.running import (
    PATIENCE,
    Running,
    make_buildtrigger,
    make_push,
    make_settings,
    make_webhook,
    prepare_cluster,
)
from support.waiting import patience, within


def command(*words: str | Path) -> str:
    """Run a system command; give what it complains of."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"there is no {words[0]}"
    return "" if done.returncode == 0 else done.stderr.strip() or f"{words[0]} failed"


@contextmanager
def mounted(place: Path, *, size: str) -> Iterator[Path]:
    """Have a volume of this size at a place."""
    place.mkdir()
    wrong = command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
    if wrong:
        pytest.skip(f"needs the right to mount a small volume: {wrong}")
    try:
        yield place
    finally:
        command("umount", "-l", place)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of 4 MiB."""
    with mounted(tmp_path / "volume", size="4m") as place:
        yield place


@pytest.fixture
def larger_volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of 64 MiB, on which 26 may be pending."""
    with mounted(tmp_path / "larger-volume", size="64m") as place:
        yield place


def fill_volume(volume: Path) -> Path:
    """Fill a volume to its last byte; give the file that does it."""
    filler = volume / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass
    return filler


async def start_on(folder: Path, journal: Path) -> tuple[int | None, str]:
    """Start a receiver on a journal's folder that cannot be; give its exit code and what it says."""
    with DevCluster.in_thread() as cluster:
        kubeconfig = prepare_cluster(cluster, folder)
        environment = make_environment(
            HOOKWRIGHT_LISTEN=make_settings(folder).listen, HOOKWRIGHT_JOURNAL=str(journal), HOOKWRIGHT_ADMIN="off"
        )
        words = ["-m", "hookwright", "receiver", "--kubeconfig", str(kubeconfig)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        _, said = await within(PATIENCE, process.communicate())
        return process.returncode, said.decode()


async def test_read_only_volume_at_the_start(tmp_path: Path, volume: Path):
    """A process does not start on a read-only volume: exit code 1, and one line that names the folder and the cause."""
    assert command("mount", "-o", "remount,ro", volume) == ""
    for journal in (volume, volume / "deeper"):
        code, said = await start_on(tmp_path, journal)
        assert (code, said.count("\n")) == (1, 1)
        assert f"The journal's folder {journal} cannot be written: Read-only file system." in said


async def test_full_volume_at_the_start(tmp_path: Path, volume: Path):
    """A process does not start on a full volume: exit code 1, and one line that names the folder and the cause."""
    fill_volume(volume)
    code, said = await start_on(tmp_path, volume)
    assert (code, said.count("\n")) == (1, 1)
    assert f"The journal's folder {volume} cannot be written: No space left on device." in said


async def test_file_in_place_of_the_folder(tmp_path: Path):
    """A process does not start where the folder is a file: exit code 1, and one line that says so."""
    (tmp_path / "file").touch()
    code, said = await start_on(tmp_path, tmp_path / "file")
    assert (code, said.count("\n")) == (1, 1)
    assert f"The journal's folder {tmp_path / 'file'} cannot be written: File exists." in said


async def refuses_then_heals(process: Single, heal: Callable[[], object]) -> None:
    """Deliver while the journal takes nothing, and after it was healed; nothing that was refused may start."""
    running = process.running
    url = running.status()["url"]
    for number in range(3):
        answer = await running.push(url, delivery=f"refused-{number}")
        assert (answer.status_code, answer.json()["reason"]) == (503, "JournalUnwritable")
        assert int(answer.headers["retry-after"]) > 0
    heal()
    await running.until_answered(url, 202)
    answer = await running.push(url, delivery="taken")
    assert answer.status_code == 202
    name = answer.json()["builds"][0]["name"]
    await running.until(lambda: name in {job["metadata"]["name"] for job in running.jobs()}, "what was taken is built")
    built = {job["metadata"]["annotations"]["hookwright.dev/delivery"].rpartition("/")[2] for job in running.jobs()}
    assert not any(delivery.startswith("refused") for delivery in built)
    assert "Traceback" not in process.said()


async def test_volume_that_fills_up(tmp_path: Path, volume: Path):
    """While the volume is full deliveries get 503 and start nothing; with room again they are taken, by itself."""
    async with run_process(tmp_path, HOOKWRIGHT_JOURNAL=str(volume)) as process:
        await process.running.until_ready()
        fill_volume(volume)
        # The journal's own files have a little room left: that goes first.
        await process.running.until_answered(process.running.status()["url"], 503)
        await refuses_then_heals(process, (volume / "filler").unlink)


async def test_full_volume_takes_the_process_out_of_its_service(tmp_path: Path, volume: Path):
    """While the volume is full the process is not ready and says why, also without a delivery; then it is again."""
    admin = f"127.0.0.1:{find_port()}"
    async with run_process(tmp_path, HOOKWRIGHT_JOURNAL=str(volume), HOOKWRIGHT_ADMIN=admin) as process:

        async def until_says(status: int, text: str) -> None:
            async with patience(LONG_PATIENCE):
                while True:
                    answer = await process.running.client.get(f"http://{admin}/readyz")
                    if answer.status_code == status and text in answer.text:
                        return
                    await asyncio.sleep(0.2)

        await until_says(200, "ok")
        filler = fill_volume(volume)
        await until_says(503, f"The journal in {volume} cannot be written")
        assert (await process.running.client.get(f"http://{admin}/healthz")).status_code == 200
        filler.unlink()
        await until_says(200, "ok")


async def test_files_that_become_read_only(tmp_path: Path):
    """While its files take no writes deliveries get 503 and start nothing; then they are taken again, by itself."""
    async with run_process(tmp_path) as process:
        await process.running.until_ready()
        log = process.running.settings.journal / "journal.db-wal"
        wrong = command("chattr", "+i", log)
        if wrong:
            pytest.skip(f"needs a file system with the attribute immutable, and the right to set it: {wrong}")
        try:
            url = process.running.status()["url"]
            if (await process.running.push(url)).status_code == 202:
                pytest.skip("needs a file system on which immutable files take no writes from who has them open")
            await refuses_then_heals(process, lambda: command("chattr", "-i", log))
        finally:
            command("chattr", "-i", log)


MIB = 1 << 20


async def let_flood(running: Running) -> str:
    """Have a Webhook in a namespace of its own of which each small delivery waits with 1 MiB; give its URL."""
    parameters = [{"name": f"P{number}", "jsonPath": "$.x"} for number in range(31)]
    webhook = make_webhook(
        targetPipeline={"name": "missing"},
        authentication="UNAUTHENTICATED",
        authenticationConfiguration={},
        filters=[{"jsonPath": "$.ref"}],
        parameters=parameters,
    )
    webhook["metadata"]["namespace"] = "evil"
    running.apply(make_namespace("evil"), webhook)

    def url() -> str:
        found = running.cluster.get("webhooks.hookwright.dev", "evil", "hello") or {}
        return str(found.get("status", {}).get("url", ""))

    return str(await running.until(url, "the other Webhook has a URL"))


async def flood(running: Running, url: str) -> int:
    """Deliver until it is refused for want of room; give how many were accepted."""
    body = make_push(x="y" * 32_000)
    for number in range(100):
        answer = await running.push(url, body)
        if answer.status_code != 202:
            assert (answer.status_code, answer.json()["reason"]) == (503, "JournalCrowded")
            return number
    raise AssertionError("all was accepted")


async def ask(process: Single, page: str) -> str:
    """Give a page of the admin port."""
    return (await process.running.client.get(f"{process.admin}/{page}")).text


async def until_nothing_waits(process: Single) -> None:
    """Wait until the journal holds no delivery."""
    async with patience(LONG_PATIENCE):
        # Each look is a request: there is no event to wait for.
        while "\nhookwright_journal_pending 0.0" not in await ask(process, "metrics"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def run_drain(process: Single) -> int | None:
    """Run `hookwright drain` on the journal; give its exit code."""
    words = ["-m", "hookwright", "drain", "--kubeconfig", str(process.kubeconfig)]
    draining = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=process.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return await within(LONG_PATIENCE, draining.wait())


@pytest.mark.parametrize("healer", ["target", "patience", "drain"])
async def test_flood_of_one_namespace(tmp_path: Path, larger_volume: Path, healer: str):
    """One namespace fills its part; the other is served, and all heals on a volume without a byte left.

    What flooded waits for a target. When that comes it is started; when patience is over it ends, also after a kill.
    """
    settings = {"HOOKWRIGHT_JOURNAL": str(larger_volume), "HOOKWRIGHT_ADMIN": f"127.0.0.1:{find_port()}"}
    async with run_process(tmp_path, **settings, HOOKWRIGHT_TARGET_PATIENCE="3600") as process:
        running = process.running
        good, evil = await running.until_ready(), await let_flood(running)
        accepted = await flood(running, evil)
        assert 8 < accepted <= 14
        for number in range(10):
            assert (await running.push(good, delivery=f"good-{number}")).status_code == 202
        await running.until(lambda: len(running.jobs()) == 10, "the other namespace's builds are started")
        assert "ok" in await ask(process, "readyz")
        assert (await running.push(evil, make_push(x="y" * 32_000))).json()["reason"] == "JournalCrowded"

        filler = fill_volume(larger_volume)
        if healer == "target":
            target = make_buildtrigger("missing")
            target["metadata"]["namespace"] = "evil"
            running.apply(target)
        else:
            await process.signal(signal.SIGKILL)
            process.environment["HOOKWRIGHT_TARGET_PATIENCE"] = "0"
            if healer == "drain":
                assert await run_drain(process) == 0
            await process.start()
            await process.until_listening()
        await until_nothing_waits(process)
        assert len(running.cluster.list("jobs.batch", "evil")) == (accepted if healer == "target" else 0)
        filler.unlink()
        await running.until_answered(good, 202)
        assert (await running.push(evil, make_push(x="y" * 32_000))).status_code == 202
        assert "Traceback" not in process.said()
