"""Readiness: what a process waits for, in the order in which it matters."""

from __future__ import annotations

import asyncio

from hookwright.app.disk import DiskWatch
from hookwright.app.readiness import DRAINING, MAX_TROUBLE, Readiness
from hookwright.errors import JournalUnwritable
from support.waiting import eventually, running


def test_process_is_not_ready_before_it_says_so():
    """A process begins with something to wait for."""
    readiness = Readiness()
    assert readiness.trouble == "starting"
    readiness.enter("waiting for the API server: no route")
    assert readiness.trouble == "waiting for the API server: no route"
    readiness.live()
    assert readiness.trouble == ""


def test_each_check_can_take_the_process_out():
    """Once it lives, a process is ready while no check has anything to say."""
    said = {"disk": "", "lease": ""}
    readiness = Readiness()
    readiness.require(lambda: said["disk"])
    readiness.require(lambda: said["lease"])
    readiness.live()
    said["lease"] = "waiting to see the Lease"
    assert readiness.trouble == "waiting to see the Lease"
    said["disk"] = "the disk is full"
    assert readiness.trouble == "the disk is full"
    said |= {"disk": "", "lease": ""}
    assert readiness.trouble == ""


def test_draining_comes_before_all_checks():
    """A process that leaves is not ready, although nothing is wrong with it."""
    readiness = Readiness()
    readiness.require(lambda: "")
    readiness.live()
    readiness.enter(DRAINING)
    assert readiness.trouble == "draining"


def test_reason_is_one_line_of_bounded_length():
    """Whatever the API server says, a probe shows one line of it."""
    readiness = Readiness()
    readiness.enter("waiting: a\nb\r\n" + "x" * 10_000)
    assert readiness.trouble.startswith("waiting: a b x")
    assert len(readiness.trouble) == MAX_TROUBLE


class Disk:
    """A journal whose disk fails or hangs as it is told."""

    def __init__(self):
        self.error = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def probe(self):
        await self.answers.wait()
        if self.error is not None:
            raise self.error


async def test_disk_that_fails_is_trouble_until_it_works():
    """A write that fails is told, and forgotten once one succeeds."""
    disk = Disk()
    disk.error = JournalUnwritable("the disk is full")
    watch = DiskWatch(disk, every=0.001)
    async with running(watch.run()):
        await eventually(lambda: watch.trouble == "the disk is full")
        disk.error = None
        await eventually(lambda: watch.trouble == "")


async def test_disk_that_hangs_is_trouble():
    """A write that does not come back is told while it does not."""
    disk = Disk()
    disk.answers.clear()
    watch = DiskWatch(disk, every=0.001, slow=0.001)
    async with running(watch.run()):
        await eventually(lambda: "has not answered" in watch.trouble)
        disk.answers.set()
        await eventually(lambda: watch.trouble == "")
