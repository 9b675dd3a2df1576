"""Payloads in the form in which Git hosts send them, written by hand: one module per provider, two of GitLab."""

from __future__ import annotations

import copy

ZEROS = "0" * 40
OLD, NEW, TAG, MERGED = (digit * 40 for digit in "1234")


def put(payload, values):
    """Give a copy of a payload with other values at some paths: {"push.changes": []}."""
    changed = copy.deepcopy(payload)
    for path, value in values.items():
        *way, last = path.split(".")
        place = changed
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = copy.deepcopy(value)
    return changed


def drop(payload, *paths):
    """Give a copy of a payload without what stands at some paths."""
    changed = copy.deepcopy(payload)
    for path in paths:
        *way, last = path.split(".")
        place = changed
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        del place[int(last) if isinstance(place, list) else last]
    return changed
