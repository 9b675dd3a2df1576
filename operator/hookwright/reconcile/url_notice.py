"""The Kubernetes Event that tells of a URL that has changed: senders must be told. Pure; it shows no URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookwright.intake.routes import find_token, make_token
from hookwright.reconcile.secret_notices import Notice

URL_CHANGED = "UrlChanged"
URLS = ("url", "payloadUrl")  # of a Webhook, of a BuildTrigger


def tell_new_url(
    before: Mapping[str, Any],  # Any: a status, and members of one
    now: Mapping[str, Any],
    *,
    uid: str,
    root_keys: Sequence[bytes],
) -> Notice | None:
    """Tell that an object's URL has become another, and what becomes of the old one; None if it has not."""
    for member in URLS:
        old, new = before.get(member), now.get(member)
        if not isinstance(old, str) or not new or old == new:
            continue
        token = find_token(old)
        # What stands in a status may have been written by anybody: of what was no URL there is nothing to say.
        if token is None:
            continue
        known = token in {make_token(key, uid) for key in root_keys}
        if not known:
            fate = "the old URL answers 404"
        elif token == find_token(new):
            fate = "the address before /hooks is another one"
        else:
            fate = "the old URL works until the root key that it was made of is taken away"
        message = f"status.{member} has changed: if the old URL was entered at a sender, enter this one there; {fate}"
        return Notice(reason=URL_CHANGED, message=message, warning=not known)
    return None
