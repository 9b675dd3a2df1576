"""What a BuildTrigger's status says of its builds, with and without what went while nobody looked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.builds.index import BuildIndex
from hookwright.builds.state import read_job, take_leave
from hookwright.kinds import MAX_ACTIVE, BuildState
from hookwright.reconcile.build_states import describe_builds
from support.jobs import BEGAN, ENDED, raw_job
from support.objects import NOON, TRIGGER_UID

NOW = NOON + timedelta(hours=1)


def build(minute=0, phase="Running", *, name=None, **more):
    created = f"2026-05-01T12:{minute:02}:00Z"
    return read_job(raw_job(name=name or f"b-{minute}", phase=phase, created=created, **more))


def written(name="b-0", phase="Running", *, start=BEGAN, end=None):
    """Give what stands in status."""
    times = {"start_time": start and datetime.fromisoformat(start), "completion_time": end}
    return BuildState(kind="Job", name=name, phase=phase, source_version="0a1b2c", **times)


def describe(builds=(), gone=None, status=None, *, sure=True):
    newest_first = sorted(builds, key=lambda one: (one.created, one.name), reverse=True)
    return describe_builds(newest_first, gone, status, sure=sure, now=NOW)


def last(*args, **kwargs):
    states = describe(*args, **kwargs)
    return (states.last.name, states.last.phase) if states.last is not None else None


def test_nothing_is_said_of_nothing():
    """A BuildTrigger that never had a build has none."""
    assert describe().to_members() == {"lastBuild": None, "active": []}


def test_newest_is_the_last():
    """The last build is the newest one, whatever became of the others."""
    assert last([build(1, "Failed"), build(2, "Pending"), build(0)]) == ("b-2", "Pending")


def test_active_are_those_that_have_not_ended():
    """Builds that wait or run are active, the newest first."""
    builds = [build(0), build(1, "Succeeded"), build(2, "Pending"), build(3, "Failed")]
    assert [(state.name, state.phase) for state in describe(builds).active] == [("b-2", "Pending"), ("b-0", "Running")]


def test_active_are_bounded():
    """Of many only the newest are named."""
    builds = [build(minute) for minute in range(MAX_ACTIVE + 5)]
    assert [state.name for state in describe(builds).active] == [f"b-{minute}" for minute in range(24, 4, -1)]


def test_status_follows_its_build():
    """What status says of a build that is there is replaced by how it stands now."""
    assert last([build(0, "Succeeded")], status=written("b-0", "Running")) == ("b-0", "Succeeded")


def test_newer_build_replaces_the_last():
    """A newer build takes the place of the one that status names, whether that is there or not."""
    assert last([build(0), build(1)], status=written("b-0")) == ("b-1", "Running")
    assert last([build(1)], status=written("b-0")) == ("b-1", "Running")


def test_build_that_was_seen_to_go_is_told():
    """Of a build that was seen to go it is known how it ended, also if status never named it."""
    canceled = take_leave(build(0), NOW)
    assert last(gone=canceled, status=written("b-0")) == ("b-0", "Canceled")
    assert last(gone=canceled) == ("b-0", "Canceled")
    assert last(gone=build(0, "Failed"), status=written("b-0")) == ("b-0", "Failed")


def test_build_that_went_unseen_is_canceled():
    """One that status calls running and that is not there was deleted: it is canceled now."""
    states = describe(status=written("b-0", "Running"))
    assert (states.last.phase, states.last.completion_time, states.last.source_version) == ("Canceled", NOW, "0a1b2c")
    assert not states.doubtful


def test_who_is_not_sure_says_nothing():
    """While the watch is broken nothing is said of a build that is not known, and it is looked at again."""
    states = describe(status=written("b-0", "Running"), sure=False)
    assert (states.last.phase, states.doubtful) == ("Running", True)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed", "Canceled"])
def test_last_build_outlives_its_object(phase):
    """What has ended stays in status after its Job has gone; older builds that are still there do not replace it."""
    status = written("b-5", phase, start="2026-05-01T12:05:01Z", end=datetime.fromisoformat(ENDED))
    assert last(status=status) == ("b-5", phase)
    assert last([build(1), build(2)], status=status, gone=build(3, "Failed")) == ("b-5", phase)
    assert last([build(6)], status=status) == ("b-6", "Running")


def test_build_that_never_began_gives_way():
    """Of one that waited and went unseen no time is known: any other takes its place."""
    assert last([build(0)], status=written("b-9", "Pending", start=None)) == ("b-0", "Running")
    assert last(status=written("b-9", "Pending", start=None)) == ("b-9", "Canceled")


def test_same_status_twice():
    """What was written gives itself again, so that nothing is written."""
    first = describe(status=written("b-0", "Running"))
    assert describe(status=first.last).last == first.last


class Life:
    """A BuildTrigger's builds, who follows them, and its status."""

    def __init__(self):
        self.there = {}  # Jobs by the number of their build
        self.made = 0
        self.index = BuildIndex()
        self.status = None

    def start(self, _):
        began = f"2026-05-01T12:{self.made:02}:00Z"
        self.show(self.made, raw_job(name=f"b-{self.made:02}", created=began, started=began))
        self.made += 1

    def end(self, choice):
        running = sorted(number for number, job in self.there.items() if not job["status"]["conditions"])
        if running:
            number = running[choice % len(running)]
            began = self.there[number]["metadata"]["creationTimestamp"]
            phase = ("Succeeded", "Failed")[choice % 2]
            self.show(number, raw_job(name=f"b-{number:02}", created=began, started=began, phase=phase))

    def show(self, number, job):
        self.there[number] = job
        self.index.put(job, NOW)

    def remove(self, choice):
        if self.there:
            self.index.remove(self.there.pop(sorted(self.there)[choice % len(self.there)]), NOW)

    def restart(self, gone):
        """Follow anew, after the newest builds have gone while nobody looked."""
        for number in sorted(self.there, reverse=True)[: gone % 3]:
            del self.there[number]
        self.index = BuildIndex()
        for job in self.there.values():
            self.index.put(job, NOW)

    def look(self):
        index = self.index
        states = describe_builds(
            index.of("default", TRIGGER_UID), index.gone("default", TRIGGER_UID), self.status, sure=True, now=NOW
        )
        self.status = states.last
        return [state.name for state in states.active]

    @property
    def running(self):
        return [f"b-{number:02}" for number in sorted(self.there, reverse=True) if self.is_running(number)]

    def is_running(self, number):
        return not self.there[number]["status"]["conditions"]


ACTS = st.tuples(st.sampled_from([Life.start, Life.end, Life.remove, Life.restart]), st.integers(0, 5))


@given(st.lists(ACTS, max_size=30))
def test_status_follows_whatever_happens(acts):
    """Whatever happens, also while nobody looks: those that run are active, and the last build is never older."""
    life = Life()
    for act, choice in acts:
        act(life, choice)
        before = life.status
        assert life.look() == life.running
        assert (life.status is None) == (life.made == 0)
        if life.there:
            assert life.status.name >= f"b-{max(life.there):02}"
        if life.status is not None and life.status.phase == "Running":
            assert life.status.name in life.running
        if before is not None:
            assert (life.status.name > before.name) or (
                life.status.name == before.name and (before.phase == "Running" or life.status == before)
            )
