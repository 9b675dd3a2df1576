# ruff: noqa: T201 - a script that prints
"""How many deliveries per second the receiver answers, and how long a sender waits.

Run it as `python tests/bench/intake.py`. The yardsticks, taken in the same round, are the same server with the same
settings that answers a constant, and one that does the least that must be done: check, parse, compare; and, where it is
on PATH, adnanh/webhook, which checks, parses and compares too. 32 connections send GitHub pushes of about 8 KB with
true signatures, to Webhooks, and to a BuildTrigger with two filter groups. What is accepted is on disk when it is
answered, and nothing starts it. Server and generator share this machine, so the server's CPU time per answer says more
about its cost than the rate does.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness import deliveries
from harness.children import BenchmarkError, Child, find_free_port, running
from harness.figures import compare, spread, tell, write_table
from harness.load import CONNECTIONS, Answers, Traffic, put_load
from harness.webhook import find_webhook

MANY = 10_000
BARE = "bare: reads, answers a constant"
LEAST = "least: HMAC, JSON, one comparison"
FILTERED = "filtered out"
ACCEPTED = "accepted, on disk"
TRIGGER_FILTERED = "filtered out, a BuildTrigger"
TRIGGER_ACCEPTED = "accepted, on disk, a BuildTrigger"
FEW_THERE = "filtered out, 10 Webhooks"
PEER = "adnanh/webhook, filtered out"
MANY_THERE = f"filtered out, {MANY:,} Webhooks"
# A BuildTrigger's rates, and a Webhook's beside them.
AT_TRIGGERS = ((TRIGGER_FILTERED, FILTERED), (TRIGGER_ACCEPTED, ACCEPTED))


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is sent to which server: a peer, or the product with so many Webhooks."""

    server: str
    traffic: Traffic


def make_cases() -> list[Case]:
    """Give all cases, in the order of a round; the peer's only where it can be had."""
    other, main = deliveries.make_push("other"), deliveries.make_push("main")
    one = [deliveries.path_of(0)]
    every = [deliveries.path_of(number) for number in range(MANY)]
    signed = deliveries.make_headers(other)

    def filtered(name: str, paths: Sequence[str]) -> Traffic:
        return Traffic(name=name, paths=paths, headers=signed, body=other, status=200, reason="FilteredOut")

    forged = deliveries.make_headers(other, secret=b"a-secret-of-somebody-else")
    refused = Traffic(name="bad signature", paths=one, headers=forged, body=other, status=401, reason="NotAuthentic")
    accepted = Traffic(
        name=ACCEPTED,
        paths=one,
        headers=deliveries.make_headers(main),
        body=main,
        status=202,
        reason="Accepted",
    )
    taker = [deliveries.path_of_taker()]
    by_trigger = [
        replace(filtered(TRIGGER_FILTERED, taker), reason="NoGroupPassed"),
        replace(accepted, name=TRIGGER_ACCEPTED, paths=taker),
    ]
    bare = Traffic(name=BARE, paths=one, headers=signed, body=other, status=200, reason="Constant")
    # It answers in plain text, and as many bytes as it wants.
    peer = replace(bare, name=PEER, reason="")
    return [
        *([Case(server="webhook", traffic=peer)] if find_webhook() is not None else []),
        Case(server="bare", traffic=bare),
        Case(server="least", traffic=replace(bare, name=LEAST)),
        Case(server="1", traffic=filtered(FILTERED, one)),
        Case(server="1", traffic=refused),
        Case(server="1", traffic=accepted),
        *(Case(server="1", traffic=one) for one in by_trigger),
        Case(server="10", traffic=filtered(FEW_THERE, one)),
        Case(server=str(MANY), traffic=filtered(MANY_THERE, one)),
        Case(server=str(MANY), traffic=filtered("the same, each called in turn", every)),
    ]


def measure(*, seconds: float, rounds: int, folder: str | None) -> dict[str, list[Answers]]:
    """Take every case once in each round."""
    cases = make_cases()
    found: dict[str, list[Answers]] = {case.traffic.name: [] for case in cases}
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        servers = {name: _start(stack, name, temporary) for name in dict.fromkeys(case.server for case in cases)}
        for number in range(rounds):
            for case in cases:
                port, child = servers[case.server]
                tell(f"round {number + 1} of {rounds}: {case.traffic.name}")
                answers = put_load(case.traffic, port=port, server=child.pid, seconds=seconds)
                found[case.traffic.name].append(answers)
    tell("")
    return found


def _start(stack: ExitStack, name: str, folder: Path) -> tuple[int, Child]:
    port = find_free_port()
    if name == "webhook":
        child = stack.enter_context(running("-m", "harness.webhook", "--port", str(port), "--folder", str(folder)))
        child.wait_for_answer(port, "/", status=200)
        return port, child
    options = ["--webhooks", name] if name.isdecimal() else ["--kind", name]
    journal = str(folder / f"journal-{name}")
    child = stack.enter_context(running("-m", "harness.receiver", "--port", str(port), "--journal", journal, *options))
    child.read_line()
    return port, child


def report(found: Mapping[str, Sequence[Answers]]) -> None:
    """Print the figures as a table."""
    statuses = {case.traffic.name: case.traffic.status for case in make_cases()}
    rates = {name: [one.rate for one in rounds] for name, rounds in found.items()}
    rows = [
        (
            name,
            spread(rates[name]).show(),
            *(compare(rates[name], rates[peer]).show(2) for peer in (BARE, LEAST, FILTERED)),
            spread([one.p50 for one in rounds]).show(1),
            spread([one.p99 for one in rounds]).show(1),
            spread([one.server_cpu for one in rounds]).show(),
            f"{sum(one.count for one in rounds):,} x {statuses[name]}",
        )
        for name, rounds in found.items()
    ]
    headings = ("", "answers/s", "of bare", "of least", "of filtered", "p50 ms", "p99 ms", "server's CPU us", "answers")
    number = len(rates[BARE])
    print(f"{CONNECTIONS} connections, bodies of {deliveries.SIZE:,} bytes; median (least-most) of {number} rounds")
    print(write_table(headings, rows))
    costs = compare([one.server_cpu for one in found[MANY_THERE]], [one.server_cpu for one in found[FEW_THERE]])
    print(f"With {MANY:,} Webhooks a delivery costs {costs.show(2)} of the CPU time that it costs with 10.")
    shares = [compare(rates[one], rates[other]).show(2) for one, other in AT_TRIGGERS]
    print(f"A BuildTrigger filters out {shares[0]} times, and accepts {shares[1]} times as many as a Webhook.")
    cpu = {name: [one.server_cpu for one in rounds] for name, rounds in found.items()}
    shares = [compare(cpu[one], cpu[other]).show(2) for one, other in AT_TRIGGERS]
    print(f"It takes {shares[0]} times, and {shares[1]} times the CPU time for each.")
    if PEER in found:
        times = compare(rates[FILTERED], rates[PEER]).show(2)
        delays = compare([one.p99 for one in found[FILTERED]], [one.p99 for one in found[PEER]]).show(2)
        print(f"The receiver filters out {times} times as many as adnanh/webhook, at {delays} of its p99.")
    else:
        print("adnanh/webhook was not measured: it is not on PATH.")
    busy = spread([one.generator_busy for one in found[BARE]])
    print(f"The generator used {busy.show(2)} of one core against the bare server; near 1 it is what limits the rate.")


def main() -> int:
    """Print a table, and write the figures as JSON if asked to; exit code 1 if something else was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each measurement takes (default 1)")
    parser.add_argument("--rounds", type=int, default=9, help="how often each is taken (default 9)")
    parser.add_argument("--folder", help="where the journal is: the disk matters (default: the temporary folder)")
    arguments = parser.parse_args()
    try:
        found = measure(seconds=arguments.seconds, rounds=arguments.rounds, folder=arguments.folder)
    except BenchmarkError as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 1
    report(found)
    if arguments.json:
        figures = {name: [asdict(one) for one in rounds] for name, rounds in found.items()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
