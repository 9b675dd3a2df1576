"""The verdict on a delivery to a BuildTrigger, for people: what each filter looked at, and which group came nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hookwright.commands.explaining.deliveries import STARTING, Answer
from hookwright.commands.manifests import put_on_one_line
from hookwright.filters.groups import FilterType
from hookwright.reasons import NO_GROUP_PASSED

MAX_SHOWN = 200  # characters of a value: a few lines of a terminal
MAX_VALUES = 10  # of a value that is several
_SHORT = 12
_SIGNS = {True: "passes", False: "fails", None: "is open"}


class Nearest(NamedTuple):
    """The group that came nearest to passing, and the types of the filters that it failed for."""

    group: int
    failed: tuple[str, ...]


def find_nearest(groups: Sequence[Answer]) -> Nearest | None:
    """Give the group that failed for the fewest filters, of those whose EVENT passes; None if there is none."""
    found: list[tuple[int, Nearest]] = []
    for index, group in enumerate(groups):
        failed = [one for one in group["filters"] if one["matched"] is not True]
        if failed and not any(one["type"] == FilterType.EVENT for one in failed):
            found.append(
                (len(failed), Nearest(group=index, failed=tuple(dict.fromkeys(one["type"] for one in failed))))
            )
    return min(found)[1] if found else None


def render_trigger(answer: Answer) -> str:
    """Give the answer of `explain_trigger_delivery` as lines."""
    lines = [f"{answer['outcome']} ({answer['reason']}): {answer['message']}"]
    changes = answer["changes"]
    for change in changes:
        if len(changes) > 1:
            said = f"{change['outcome']} ({change['reason']}): {change['message']}"
            lines.append(f"  change {change['index']}: {said}")
        lines += [f"{'  ' if len(changes) > 1 else ''}  {line}" for line in _render_change(change)]
    for build in answer["builds"]:
        lines.append(f"  would start: {build['kind']} as ServiceAccount {build['serviceAccountName']}, with")
        lines += [f"    {name}={_cut(value)}" for name, value in build["parameters"].items()]
    # What each group made of it stands above: that is the comparison which this remedy asks for.
    if answer["outcome"] not in STARTING and answer["remedy"] and answer["reason"] != NO_GROUP_PASSED.name:
        lines.append(f"  what to do: {answer['remedy']}")
    # A payload's values come from strangers.
    return "\n".join(put_on_one_line(line) for line in lines)


def _render_change(change: Answer) -> Iterator[str]:
    event = change["event"]
    if event is None:
        yield f"no event: {change['told'] or 'the provider does not say what it is'}"
        return
    yield f"event: {_describe_event(event)}"
    branch = change["branchFilter"]
    if branch is not None:
        value = "no branch" if branch["value"] is None else _cut(branch["value"])
        pattern = _cut(branch["pattern"]) or "''"
        yield f"spec.branchFilter {pattern} {_SIGNS[branch['matched']]}: {value}"
    nearest = find_nearest(change["groups"]) if not any(group["matched"] for group in change["groups"]) else None
    for index, group in enumerate(change["groups"]):
        is_nearest = nearest is not None and nearest.group == index
        yield f"spec.filterGroups[{index}] {_SIGNS[group['matched']]}{', and is the nearest' if is_nearest else ''}"
        for at, one in enumerate(group["filters"]):
            yield f"  [{at}] {_describe_filter(one, event)}"
    if nearest is not None:
        place = f"spec.filterGroups[{nearest.group}]"
        yield f"nearest: {place}, in which only {' and '.join(nearest.failed)} {_agree(nearest)} not pass"
    elif change["groups"] and not any(group["matched"] for group in change["groups"]):
        yield f"nearest: none, since no group has an EVENT that {event['event']} passes"


def _agree(nearest: Nearest) -> str:
    return "does" if len(nearest.failed) == 1 else "do"


def _describe_event(event: Answer) -> str:
    parts = [event["event"]]
    if event["pullRequest"] is not None:
        fork = " from a fork" if event["fork"] else ""
        head = _cut(event["headRef"] or "no branch")
        parts.append(f"{event['pullRequest']}{fork}, {head} into {_cut(event['baseRef'])}")
    elif event["headRef"] is not None:
        parts.append(f"{_cut(event['headRef'])}{' (deleted)' if event['deleted'] else ''}")
    text = " ".join(parts)
    if event["sha"] is not None:
        text += f", commit {event['sha'][:_SHORT]}"
    return f"{text}, in {_cut(event['repository']['fullName'])}, by {_cut(event['actor'] or 'nobody known')}"


def _describe_filter(one: Answer, event: Answer) -> str:
    pattern = f"{'not ' if one['exclude'] else ''}{_cut(one['pattern'])}"
    return f"{one['type']} {pattern} {_SIGNS[one['matched']]}: {_describe_value(one, event)}"


def _describe_value(one: Answer, event: Answer) -> str:
    value = one["value"]
    if value is None:
        return "the payload does not say" if one["matched"] is None else f"{event['event']} has none"
    if isinstance(value, list):
        more = f", and {len(value) - MAX_VALUES} more" if len(value) > MAX_VALUES else ""
        return (", ".join(_cut(each) for each in value[:MAX_VALUES]) or "none") + more
    return _cut(value)


def _cut(text: Any) -> str:  # Any: a value of a payload, which is a text
    shown = str(text)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
