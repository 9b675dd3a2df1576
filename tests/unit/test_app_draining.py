"""Working off a journal: what counts as done, what is said of the rest, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from hookwright.app import Drained
from hookwright.commands.drain import complain, describe, tell
from hookwright.errors import JournalUnwritable
from hookwright.journal import Journal
from hookwright.reasons import Outcome

FOLDER = Path("/journal")
NOTHING = Drained(concluded={}, pending={})
DONE = Drained(concluded={Outcome.STARTED: 2, Outcome.FAILED: 1}, pending={})
PART = Drained(concluded={Outcome.STARTED: 1}, pending={"TargetMissing": 2, "": 1})


@pytest.mark.parametrize(
    ("drained", "said"),
    [
        (None, "nothing to do: there is no journal in /journal"),
        (NOTHING, "nothing to do: nothing waits in the journal in /journal"),
        (DONE, "worked off in /journal: 2 started, 1 failed"),
        (PART, "worked off in /journal: 1 started"),
        (Drained(concluded={}, pending={"": 1}), "worked off in /journal: nothing"),
    ],
)
def test_what_was_done_is_said(drained, said):
    """One line says what has left the journal, or why there was nothing to do."""
    assert tell(drained, FOLDER) == said


def test_what_waits_is_counted_by_reason():
    """What is left is counted, with what it waits for."""
    assert complain(PART.pending, FOLDER).startswith("3 builds still wait in /journal: 2 TargetMissing, 1 not tried.")


def test_json_says_all():
    """As JSON there are the same counts, and whether there was a journal at all."""
    assert describe(PART, FOLDER) == {
        "journal": "/journal",
        "found": True,
        "concluded": {"started": 1},
        "pending": {"TargetMissing": 2, "NotTried": 1},
    }
    assert describe(None, FOLDER) == {"journal": "/journal", "found": False, "concluded": {}, "pending": {}}


async def test_to_look_for_a_journal_makes_none(tmp_path):
    """A folder without a journal is left as it is, one that is missing too."""
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "missing" / "deeper"):
        assert not await Journal.exists(folder)
    (tmp_path / "file").touch()
    assert not await Journal.exists(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


async def test_journal_is_found(tmp_path):
    """A folder in which a journal was made has one."""
    journal = await Journal.open(tmp_path)
    await journal.close()
    assert await Journal.exists(tmp_path)


async def test_folder_that_cannot_be_read_is_no_empty_one(tmp_path):
    """A folder of which it cannot be said whether it holds a journal is an error, not an absence."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(JournalUnwritable, match="loop"):
        await Journal.exists(loop)
