"""Cron schedules: whether a CronJob's schedule can be read, in the words of github.com/robfig/cron `parser.go`."""

from __future__ import annotations

import re
from typing import Final

_FIELDS: Final = (
    (0, 59, ""),
    (0, 23, ""),
    (1, 31, ""),
    (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    (0, 6, "sun mon tue wed thu fri sat"),
)
_DESCRIPTORS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY: Final = "@every "
_DURATION: Final = re.compile(r"[+-]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+)", re.ASCII)


def check_schedule(text: str) -> str:
    """Return what is wrong with a schedule; empty if it can be read."""
    if "TZ" in text:
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    if text.startswith(_EVERY):
        length = text.removeprefix(_EVERY)
        return (
            "" if _DURATION.fullmatch(length) else f'failed to parse duration {text}: time: invalid duration "{length}"'
        )
    if text.startswith("@"):
        return "" if text in _DESCRIPTORS else f"unrecognized descriptor: {text}"
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
    try:
        for field, (low, high, names) in zip(fields, _FIELDS, strict=True):
            for part in filter(None, field.split(",")):
                _check_part(part, low, high, names.split())
    except ValueError as error:
        return str(error)
    return ""


def _check_part(part: str, low: int, high: int, names: list[str]) -> None:
    """Check `START-END/STEP`; raise ValueError for what is wrong in it."""
    bounds, *steps = part.split("/")
    start, *ends = bounds.split("-")
    if start in ("*", "?"):
        first, last = low, high
    else:
        first = last = _number(start, low, names)
        if len(ends) > 1:
            raise ValueError(f"too many hyphens: {part}")
        last = _number(ends[0], low, names) if ends else first
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {part}")
    step = _number(steps[0]) if steps else 1
    # `5/10` means from 5 on.
    last = high if steps and not ends else last
    if first < low:
        raise ValueError(f"beginning of range ({first}) below minimum ({low}): {part}")
    if last > high:
        raise ValueError(f"end of range ({last}) above maximum ({high}): {part}")
    if first > last:
        raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if not step:
        raise ValueError(f"step of range should be a positive number: {part}")


def _number(text: str, low: int = 0, names: list[str] | None = None) -> int:
    if text.lower() in (names or ()):
        return low + (names or []).index(text.lower())
    if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if (number := int(text)) < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number
