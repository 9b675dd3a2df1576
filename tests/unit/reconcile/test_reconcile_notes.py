"""Notes about objects: one each, of one generation, for a time."""

from __future__ import annotations

import pytest

from hookwright.cluster.mirror import Key
from hookwright.kinds import ObjectMeta
from hookwright.reconcile.notes import Note, Notes

KEY = Key("BuildTrigger", "default", "hello")
METADATA = ObjectMeta(name="hello", namespace="default", uid="u", generation=1)


class Time:
    now = 100.0


@pytest.fixture
def notes():
    Time.now = 100.0
    return Notes(lambda: Time.now)


def test_note_is_good_for_its_time(notes):
    """A note says for how long it is good yet; then it is none."""
    assert notes.find(KEY, METADATA) is None
    assert notes.keep(KEY, METADATA, "said", 30.0) == Note(value="said", seconds_left=30.0)
    Time.now += 20
    assert notes.find(KEY, METADATA) == Note(value="said", seconds_left=10.0)
    Time.now += 10
    assert notes.find(KEY, METADATA) is None


def test_note_without_end_is_good_until_it_is_forgotten(notes):
    """A note without a time is good until somebody forgets it."""
    notes.keep(KEY, METADATA, "said", None)
    Time.now += 1e9
    assert notes.find(KEY, METADATA) == Note(value="said", seconds_left=None)
    notes.forget(KEY)
    notes.forget(KEY)
    assert notes.find(KEY, METADATA) is None


@pytest.mark.parametrize("change", [{"uid": "another"}, {"generation": 2}])
def test_note_is_about_one_generation(notes, change):
    """Of another object of the name, and of another spec, a note says nothing."""
    notes.keep(KEY, METADATA, "said", None)
    assert notes.find(KEY, METADATA.model_copy(update=change)) is None


def test_all_notes_can_be_forgotten(notes):
    """Whoever begins anew knows nothing of any object."""
    notes.keep(KEY, METADATA, "said", None)
    notes.clear()
    assert notes.find(KEY, METADATA) is None
