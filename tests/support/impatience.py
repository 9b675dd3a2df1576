"""Have Hookwright look again after moments where users wait for ten seconds, or half a minute."""

from __future__ import annotations

import pytest

from hookwright.cluster import secrets
from hookwright.reconcile import buildtrigger, webhook

SOON = 0.2


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again soon for what was forbidden, missing or not to be tried."""
    for kind, names in (
        (buildtrigger, ("FORBIDDEN_SECONDS", "UNKNOWN_SECONDS")),
        (webhook, ("FORBIDDEN_SECONDS", "MISSING_SECRET_SECONDS", "UNTRIED_SECONDS")),
    ):
        for name in names:
            monkeypatch.setattr(kind, name, SOON)
    monkeypatch.setattr(secrets, "REFUSED_SECONDS", 0.0)
