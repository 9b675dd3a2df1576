"""The rights of Hookwright, by what it has asked for in all scenarios that were played here.

The API server's audit log tells. This file's name is the last one: it looks back.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pytest

from support.accounts import ACCOUNTS, is_refused, read_asking
from support.controlplane import AuditEvent, ControlPlane
from support.rights import OURS, Account, Allowed, Rights, as_user, compare
from support.stage import Walk

HERE = Path(__file__)
OUR_USERS = {as_user((OURS, account)) for account in ACCOUNTS.values()}
OUR_AGENTS = ("hookwright/", "kopf/")
# What no scenario uses, and why it is given all the same; test_audited_rights.py uses each right of the chart.
NOT_WALKED: dict[tuple[Account, Allowed], str] = {
    (
        ("default", "deployer"),
        Allowed(verb="delete", group="batch", resource="jobs", namespace="default", name=""),
    ): "a grant cannot know whether an account is a BuildTrigger's, as which old builds are deleted, or a Webhook's",
}


class Seen(NamedTuple):
    """A request, and the scenario in which it was made."""

    walk: str
    event: AuditEvent


@pytest.fixture(scope="module")
def seen(control_plane: ControlPlane, walks: list[Walk]) -> list[Seen]:
    """All requests since the first scenario began."""
    with control_plane.access.sync_client() as client:
        client.get("/version", headers={"user-agent": "the last one"})
    control_plane.until_audited(lambda event: event.agent == "the last one")
    first = walks[0].began
    return [
        Seen(walks[bisect_right(walks, number, key=attrgetter("began")) - 1].name, event)
        for number, event in enumerate(control_plane.audit()[first:], first)
    ]


@pytest.fixture(scope="module")
def ours(seen: list[Seen]) -> list[Seen]:
    """Those of Hookwright's accounts."""
    return [one for one in seen if one.event.user in OUR_USERS]


def test_nothing_was_refused(seen: list[Seen], ours: list[Seen]):
    """No account of Hookwright, and none as which it acted, lacked a right in any scenario; all were known."""
    assert [one for one in ours if is_refused(one.event)] == []
    # Of who is not known the log has no name.
    assert [one for one in seen if one.event.code == 401] == []


def test_all_that_was_asked_for_is_a_right_of_the_role(ours: list[Seen], rights: Rights):
    """Each request is allowed by a rule that the chart gives this very account."""
    refused, _ = compare(read_asking(one.event for one in ours), rights)
    walks = {asking: one.walk for one in ours for asking in read_asking([one.event]) if asking in refused}
    assert walks == {}


def test_nobody_else_was_hookwright(seen: list[Seen]):
    """What only Hookwright does, which is to watch by its clients and to act as others, no other user has done."""
    others = [one for one in seen if one.event.user not in OUR_USERS]
    assert [one for one in others if one.event.impersonated] == []
    assert [one for one in others if one.event.verb == "watch" and one.event.agent.startswith(OUR_AGENTS)] == []


def plays_all(config: pytest.Config, walks: list[Walk]) -> bool:
    """Say whether no scenario was left out."""
    option = config.option
    chosen = (
        option.keyword or option.markexpr or option.deselect or option.lf or any("::" in one for one in config.args)
    )
    return not chosen and {path.name for path in HERE.parent.glob("test_real_*.py")} <= {walk.file for walk in walks}


def test_each_right_was_used(request: pytest.FixtureRequest, ours: list[Seen], walks: list[Walk], rights: Rights):
    """Each role, and each account that lets it start builds, needs all its rights, but for those that are named."""
    if not plays_all(request.config, walks):
        pytest.skip("not all scenarios were played")
    _, unused = compare(read_asking(one.event for one in ours), rights)
    assert unused == NOT_WALKED.keys()
