"""The verdict on a delivery, for people."""

from __future__ import annotations

import json
from typing import Any

from hookwright.commands.explaining.deliveries import STARTING, Answer
from hookwright.commands.manifests import put_on_one_line

LONGEST_FOUND = 200  # a few lines of a terminal


def render(answer: Answer) -> str:
    """Give the answer of `explain_delivery` as lines."""
    lines = [f"{answer['outcome']} ({answer['reason']}): {answer['message']}"]
    for rule in answer["filters"]:
        lines += _render_filter(rule)
    for build in answer["builds"]:
        parameters = ", ".join(f"{name}={value}" for name, value in build["parameters"].items()) or "none"
        account = f" as ServiceAccount {build['serviceAccountName']}" if build["serviceAccountName"] else ""
        lines.append(f"  would start: {build['kind']}{account} with parameters: {parameters}")
    if answer["outcome"] not in STARTING and answer["remedy"]:
        lines.append(f"  what to do: {answer['remedy']}")
    # A payload's values come from strangers.
    return "\n".join(put_on_one_line(line) for line in lines)


def _render_filter(rule: dict[str, Any]) -> list[str]:  # Any: a JSON object
    mark = "matches" if rule["matched"] else "does not match"
    found = json.dumps(rule["found"], ensure_ascii=False)
    lines = [f"  filter {rule['jsonPath'] or '(none)'} {mark}"]
    if rule["expected"] is not None:
        lines.append(f"    expected: {rule['expected']}")
    lines.append(f"    found:    {found if len(found) <= LONGEST_FOUND else found[: LONGEST_FOUND - 3] + '...'}")
    if rule["error"]:
        lines.append(f"    error:    {rule['error']}")
    return lines
