"""The verdict on a delivery, for people."""

from __future__ import annotations

import json
from typing import Any

from hookwright.commands.explaining.deliveries import STARTING, Answer
from hookwright.commands.manifests import put_on_one_line
from hookwright.reasons import FILTERED_OUT

LONGEST_FOUND = 200  # a few lines of a terminal


def render(answer: Answer) -> str:
    """Give the answer of `explain_delivery` as lines."""
    lines = [f"{answer['outcome']} ({answer['reason']}): {answer['message']}"]
    for rule in answer["filters"]:
        lines += _render_filter(rule, said=answer["message"])
    for build in answer["builds"]:
        parameters = ", ".join(f"{name}={value}" for name, value in build["parameters"].items()) or "none"
        account = f" as ServiceAccount {build['serviceAccountName']}" if build["serviceAccountName"] else ""
        lines.append(f"  would start: {build['kind']}{account} with parameters: {parameters}")
    # Each filter stands above: that is the comparison which the remedy of FilteredOut asks for.
    if answer["outcome"] not in STARTING and answer["remedy"] and answer["reason"] != FILTERED_OUT.name:
        lines.append(f"  what to do: {answer['remedy']}")
    # A payload's values come from strangers.
    return "\n".join(put_on_one_line(line) for line in lines)


def _render_filter(rule: dict[str, Any], *, said: str) -> list[str]:  # Any: a JSON object
    """Give the lines of a filter; an error that was `said` of the whole delivery is not said again."""
    mark = "matches" if rule["matched"] else "does not match"
    found = json.dumps(rule["found"], ensure_ascii=False)
    lines = [f"  filter {rule['jsonPath'] or '(none)'} {mark}"]
    if rule["expected"] is not None:
        lines.append(f"    expected: {rule['expected']}")
    lines.append(f"    found:    {found if len(found) <= LONGEST_FOUND else found[: LONGEST_FOUND - 3] + '...'}")
    if rule["error"] and rule["error"] not in said:
        lines.append(f"    error:    {rule['error']}")
    return lines
