# ruff: noqa: T201 - a script that prints
"""What it takes to decide by filter groups, in units of `json.loads` of the same body.

Run it as `python tests/bench/groups.py`. The body is a push to GitHub of 8 KB; it is read by the dialect and decided by
five groups of four filters, each evaluated up to its last filter. Exit code 1 if that takes more than 5 times as long
as parsing the body takes in the same round.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import deliveries
from harness.figures import compare, spread, write_table

from hookwright.filters.groups import FilterType, GroupFilter, Source, Start, TriggerFilters, compile_filters, decide
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.github import dialect
from hookwright.scm import Provider, ScmEvent

BOUND = 5.0
FILES_PER_COMMIT = 4
DIALECT = DIALECTS[Provider.GITHUB]
HEADERS = {dialect.EVENT_HEADER: "push"}

# Of each group the last filter decides. Anchored beginnings are compared as texts are; the others need automata.
USUAL = [
    [f"^refs/heads/{branch}$|^refs/heads/main$", "^(583231|21031067)$", path]
    for branch, path in (
        ("dev", "^docs/"),
        ("release", r"^charts/.*\.yaml$"),
        ("next", r"^buildspec\.yml$"),
        ("stable", r"\.proto$"),
    )
]
HARD = [
    ["refs/heads/(?:main|dev)", r"^\d+$", pattern]
    for pattern in (r"(?:[a-z]+/)+absent", r"[^/]+_test\.go$", "(?i)makefile", r"(?:^|/)go\.(?:mod|sum)$")
]


def make_body() -> bytes:
    """Give a push of 8 KB whose commits touch files of their own."""
    payload = json.loads(deliveries.make_push("main"))
    for number, commit in enumerate(payload["commits"]):
        files = [f"services/greeter/internal/part{number}/file{place}.go" for place in range(FILES_PER_COMMIT)]
        payload["commits"][number] = commit | {"added": files[:1], "modified": files[1:], "removed": []}
    while len(body := json.dumps(payload, separators=(",", ":")).encode()) > deliveries.SIZE:
        payload["commits"].pop()
    return body


def make_filters(written: list[list[str]], *, starts: bool, actor: str) -> TriggerFilters:
    """Make five groups of four filters; of the last group the last one passes if a build `starts`."""
    last = ["^refs/heads/main$", f"^{actor}$", r"\.go$" if starts else r"\.rs$"]
    kinds = (FilterType.HEAD_REF, FilterType.ACTOR_ACCOUNT_ID, FilterType.FILE_PATH)
    groups = []
    for patterns in (*written, last):
        named = [patterns[0], patterns[1].replace("583231", actor), patterns[2]]
        filters = [GroupFilter(type=kind, pattern=text) for kind, text in zip(kinds, named, strict=True)]
        groups.append([GroupFilter(type=FilterType.EVENT, pattern="PUSH, PULL_REQUEST_CREATED"), *filters])
    source = Source(provider=Provider.GITHUB, sends=DIALECT.events, api=frozenset({"FILES", "MESSAGE"}))
    return compile_filters(None, groups, source)


def decide_body(document: Any, filters: TriggerFilters) -> bool:
    """Read a payload, and tell whether it starts a build."""
    (event,) = DIALECT.read(HEADERS.get, document)
    return isinstance(event, ScmEvent) and isinstance(decide(filters, event), Start)


def time_of(work: Callable[[], object], times: int) -> float:
    """Give the microseconds of CPU time that one call takes: others may use the machine too."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times * 1e6


def measure(rounds: int, times: int) -> dict[str, list[float]]:
    """Give the microseconds of each round, by what was measured."""
    body = make_body()
    document = json.loads(body)
    actor = str(document["sender"]["id"])
    found: dict[str, list[float]] = {"json.loads": []}
    works: dict[str, Callable[[], object]] = {"dialect alone": lambda: DIALECT.read(HEADERS.get, document)}
    for name, written, starts in (
        ("usual patterns, starts", USUAL, True),
        ("usual patterns, ignored", USUAL, False),
        ("hard patterns, ignored", HARD, False),
    ):
        filters = make_filters(written, starts=starts, actor=actor)
        if decide_body(document, filters) is not starts:
            raise SystemExit(f"{name}: something else was decided")
        works[name] = lambda filters=filters: decide_body(document, filters)
    for _ in range(rounds):
        found["json.loads"].append(time_of(lambda: json.loads(body), times))
        for name, work in works.items():
            found.setdefault(name, []).append(time_of(work, times))
    print(f"a push of {len(body):,} bytes; median (least-most) of {rounds} rounds")
    return found


def main() -> int:
    """Print a table, and write the figures as JSON if asked to; exit code 1 if it takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE")
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured (default 15)")
    parser.add_argument("--times", type=int, default=300, help="how many calls a measurement has (default 300)")
    arguments = parser.parse_args()
    found = measure(arguments.rounds, arguments.times)
    ratios = {name: compare(values, found["json.loads"]) for name, values in found.items()}
    rows = [(name, spread(values).show(1), ratios[name].show(2)) for name, values in found.items()]
    print(write_table(("", "us", "of json.loads"), rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(any(one.median > BOUND for one in ratios.values()))


if __name__ == "__main__":
    sys.exit(main())
