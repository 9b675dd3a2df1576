"""Other processes, and what a kill -9 leaves behind."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from journal_samples import NOON, delivery

import hookwright
from hookwright.errors import JournalLocked
from hookwright.journal import Journal

CHILD = Path(__file__).with_name("journal_child.py")


def start(folder, prefix="d", *, in_flight=1, rows=0, under=()):
    """Start a process that accepts, and wait until it has opened the journal."""
    package = Path(hookwright.__file__).parent.parent
    process = subprocess.Popen(
        [*under, sys.executable, CHILD, folder, prefix, str(in_flight), str(rows)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package)},
    )
    assert process.stdout.readline() == "open\n"
    return process


async def pending_ids(folder):
    journal = await Journal.open(folder)
    claimed = await journal.claim(1_000_000, now=NOON)
    assert len(claimed) == await journal.depth()
    await journal.close()
    return Counter(pending.key.delivery_id for pending in claimed)


async def test_every_acknowledged_id_survives_kill_9(tmp_path):
    """After six kills at random moments, each id that was acknowledged is pending exactly once."""
    acknowledged = []
    for attempt in range(6):
        process = start(tmp_path, f"life-{attempt}", in_flight=16)
        acknowledged += [process.stdout.readline().strip() for _ in range(random.randrange(1, 800))]
        process.kill()
        acknowledged += process.stdout.read().split()
        process.wait()
    found = await pending_ids(tmp_path)
    assert len(acknowledged) >= 6
    assert not set(acknowledged) - found.keys()
    assert set(found.values()) == {1}


async def test_second_process_waits_for_the_end_of_the_first(tmp_path):
    """A journal is refused with the pid of the process that has it; after a kill -9 it opens as it is."""
    process = start(tmp_path)
    with pytest.raises(JournalLocked, match=rf"pid {process.pid}\b"):
        await Journal.open(tmp_path)
    process.kill()
    process.wait()
    await (await Journal.open(tmp_path)).close()


def traced(*options):
    """Return a command that runs another under strace, or skip where that cannot be."""
    strace = shutil.which("strace")
    if (
        strace is None
        or subprocess.run([strace, "-o", os.devnull, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("needs strace, and the right to use it")
    return [strace, "-f", *options]


async def test_log_is_synced_before_each_answer(tmp_path):
    """Between the write of a row into the log and its answer there is always a sync of the log."""
    log = tmp_path / "strace"
    process = start(
        tmp_path / "journal", rows=20, under=traced("-y", "-e", "pwrite64,write,fdatasync,fsync", "-o", log)
    )
    process.communicate(timeout=180)
    calls = re.findall(r"(pwrite64\(\d+<[^>]*-wal>|sync\(\d+<[^>]*-wal>|write\(1<[^>]*>, \"d-)", log.read_text())
    order = "".join({"w": "A", "s": "S", "p": "W"}[call[0]] for call in calls)
    assert order.count("A") == 20
    assert re.fullmatch(r"[WS]*(W+S+A)+[WS]*", order)


async def test_new_folders_are_synced_before_opening_returns(tmp_path):
    """A crash right after the start cannot lose the names of the journal's files, or of the folders made for them."""
    log = tmp_path / "strace"
    process = start(tmp_path / "deep" / "journal", rows=1, under=traced("-y", "-e", "write,fsync", "-o", log))
    process.communicate(timeout=180)
    before, _, _ = log.read_text().partition('"open')
    assert set(re.findall(r"fsync\(\d+<([^>]*)>", before)) >= {
        str(tmp_path),
        str(tmp_path / "deep"),
        str(tmp_path / "deep" / "journal"),
    }


async def test_row_whose_sync_failed_does_not_rise_from_the_log(tmp_path):
    """A row that was refused because a sync failed is not there after a crash, although the log had taken its bytes."""
    folder = tmp_path / "journal"
    log = f"{folder}/journal.db-wal"
    # strace counts for each thread: the opening one syncs the log twice, then the writer's thread fails at its third.
    under = traced("-o", os.devnull, "-P", log, "-e", "inject=fdatasync:error=EIO:when=3+")
    process = start(folder, rows=5, under=under)
    answered = process.communicate(timeout=180)[0].split()
    assert answered == ["d-0", "d-1"]
    assert set(await pending_ids(folder)) == {"d-0", "d-1"}
    journal = await Journal.open(folder)
    assert (await journal.accept(delivery("d-2"))).new
    await journal.close()
