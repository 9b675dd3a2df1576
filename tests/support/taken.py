"""What is counted while a right is taken away, and which alert tells of it: each right that test_rights_taken.py takes.

There it is asked whether the process really counts it; test_prometheus_alerts.py asks whether the alert then fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from support.metrics_samples import read_value


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A sample of one process, and the alert that fires when it grows; a gauge (`down`) tells by being 0."""

    role: str
    name: str
    labels: Mapping[str, str]
    alert: str
    down: bool = False

    def is_shown(self, page: str) -> bool:
        """Say whether a page of metrics shows that the right is gone."""
        value = read_value(page, self.name, **self.labels)
        return value == 0 if self.down else bool(value)

    @property
    def series(self) -> str:
        """The series as Prometheus has it."""
        labels = {"job": "hookwright", "instance": f"{self.role}:9090", **self.labels}
        return self.name + "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _refused(role: str, verb: str, resource: str, alert: str = "HookwrightApiServerRefuses") -> Counted:
    labels = {"verb": verb, "resource": resource, "code": "403"}
    return Counted(role=role, name="hookwright_api_requests_total", labels=labels, alert=alert)


def _down(role: str, name: str, alert: str, **labels: str) -> Counted:
    return Counted(role=role, name=name, labels=labels, alert=alert, down=True)


_UNGRANTED: Final = {"target": "BuildTrigger", "outcome": "failed", "reason": "ImpersonationForbidden"}

TAKEN: Final[Mapping[str, tuple[Counted, ...]]] = {
    "test_grant_is_taken_and_given_back": (
        Counted(role="receiver", name="hookwright_starts_total", labels=_UNGRANTED, alert="HookwrightStartsFailing"),
    ),
    "test_secrets_are_taken_and_given_back": (
        _refused("receiver", "get", "secrets"),
        _refused("operator", "get", "secrets"),
    ),
    "test_right_to_keep_secrets_is_taken_and_given_back": (
        _refused("operator", "create", "secrets", "HookwrightGrantMissing"),
    ),
    "test_status_is_taken_and_given_back": (
        _refused("receiver", "patch", "webhooks"),
        _refused("operator", "patch", "webhooks"),
    ),
    "test_lists_and_watches_are_taken_and_given_back": (
        _refused("receiver", "list", "webhooks"),
        # kopf's watches are not counted; what the operator lists itself when they have ended is.
        _refused("operator", "list", "webhooks"),
        _down("receiver", "hookwright_watch_synced", "HookwrightWatchBroken", resource="webhooks"),
        _down("operator", "hookwright_watch_synced", "HookwrightWatchBroken", resource="jobs"),
    ),
    "test_lease_is_taken_and_given_back": (
        _refused("operator", "patch", "leases"),
        _down("operator", "hookwright_leader", "HookwrightNoLeader"),
        _down("operator", "hookwright_ready", "HookwrightNotReady"),
    ),
    "test_processes_start_without_any_right": (
        _down("receiver", "hookwright_ready", "HookwrightNoReceiver"),
        _down("operator", "hookwright_ready", "HookwrightNotReady"),
    ),
}
"""By the test that takes the right."""
