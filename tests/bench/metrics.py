# ruff: noqa: T201 - a script that prints
"""What counting costs a delivery, and what a scrape costs a receiver under load.

Run it as `python tests/bench/metrics.py`. In each round the same receiver is measured three times: as it would be if it
counted nothing, as it is, and as it is while Prometheus asks every second (fifteen to thirty are usual). Then a call of
each function that counts, and a page, are timed by themselves.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import deliveries
from harness.children import HOST, BenchmarkError, Child, find_free_port, running
from harness.figures import compare, spread, tell, write_table
from harness.load import Answers, Traffic, put_load

from hookwright.cluster import JOBS
from hookwright.metrics import Metrics
from hookwright.reasons import ACCEPTED, BUILD_CREATED

EVERY_SECONDS = 1.0
UNCOUNTED, COUNTED, SCRAPED = "counts nothing", "counts", "counts, scraped every second"
CALLS = 100_000
PAGES = 200


def make_traffic() -> list[Traffic]:
    """Give what is sent: what a filter passes over, and what is accepted."""
    found = []
    for name, branch, status, reason in (
        ("filtered out", "other", 200, "FilteredOut"),
        ("accepted, on disk", "main", 202, "Accepted"),
    ):
        body = deliveries.make_push(branch)
        headers = deliveries.make_headers(body)
        paths = [deliveries.path_of(0)]
        found.append(Traffic(name=name, paths=paths, headers=headers, body=body, status=status, reason=reason))
    return found


@contextmanager
def scraping(port: int) -> Iterator[list[float]]:
    """Ask for the metrics every second for the time of a `with` block; give how long each took, in milliseconds."""
    over, took = threading.Event(), []

    def scrape() -> None:
        while not over.is_set():
            began = time.perf_counter()
            with urllib.request.urlopen(f"http://{HOST}:{port}/metrics") as answer:
                answer.read()
            took.append((time.perf_counter() - began) * 1e3)
            over.wait(EVERY_SECONDS)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def start(stack: ExitStack, folder: Path, *options: str) -> tuple[int, int, Child]:
    """Start a receiver; give its port, its admin port, and its process."""
    port, admin = find_free_port(), find_free_port()
    words = ["--port", str(port), "--admin", str(admin), "--journal", str(folder / str(port)), *options]
    child = stack.enter_context(running("-m", "harness.receiver", *words))
    child.read_line()
    return port, admin, child


def measure(*, seconds: float, rounds: int) -> tuple[dict[tuple[str, str], list[Answers]], list[float]]:
    """Take every case once in each round; give what was answered, and how long the scrapes took."""
    found: dict[tuple[str, str], list[Answers]] = {}
    scrapes: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        counted = start(stack, folder)
        uncounted = start(stack, folder, "--uncounted")
        for number in range(rounds):
            for traffic in make_traffic():
                for case in (UNCOUNTED, COUNTED, SCRAPED):
                    tell(f"round {number + 1} of {rounds}: {traffic.name}, {case}")
                    port, admin, child = uncounted if case == UNCOUNTED else counted
                    with ExitStack() as while_scraped:
                        took = while_scraped.enter_context(scraping(admin)) if case == SCRAPED else []
                        answers = put_load(traffic, port=port, server=child.pid, seconds=seconds)
                    scrapes += took
                    found.setdefault((traffic.name, case), []).append(answers)
    tell("")
    return found, scrapes


def time_call(call: Callable[[], object], times: int) -> float:
    """Give the microseconds of one call: the least of five rounds, which others on the machine disturbed least."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times // 5):
            call()
        best = min(best, (time.perf_counter() - began) / (times // 5))
    return best * 1e6


def report_calls() -> None:
    """Time each function that counts, and a page."""
    metrics = Metrics(role="run")
    calls: dict[str, Callable[[], object]] = {
        "an answer": lambda: metrics.count_delivery("Webhook", ACCEPTED, 0.004),
        "a wait for the disk": lambda: metrics.count_journal_wait(0.002),
        "a start": lambda: metrics.count_start("BuildTrigger", BUILD_CREATED, 0.1),
        "a request to the API server": lambda: metrics.count_request("create", JOBS, 201, 0.01),
    }
    for name, call in calls.items():
        print(f"counting {name}: {time_call(call, CALLS):.1f} us")
    page, took = metrics.write(), time_call(metrics.write, PAGES) / 1e3
    print(f"a page of {page.count(bytes([10]))} lines, {len(page):,} bytes: {took:.1f} ms")


def report(found: dict[tuple[str, str], list[Answers]], scrapes: list[float]) -> None:
    """Print the figures as a table."""
    rows = []
    for (traffic, case), rounds in found.items():
        rates, costs = [one.rate for one in rounds], [one.server_cpu for one in rounds]
        base = found[traffic, UNCOUNTED]
        rows.append(
            (
                traffic,
                case,
                spread(rates).show(),
                compare(rates, [one.rate for one in base]).show(2),
                spread(costs).show(1),
                compare(costs, [one.server_cpu for one in base]).show(2),
                spread([one.p99 for one in rounds]).show(1),
            )
        )
    headings = ("", "", "answers/s", "of uncounted", "server's CPU us", "of uncounted", "p99 ms")
    print(write_table(headings, rows))
    print(f"A scrape under load took {spread(scrapes).show(1)} ms.")


def main() -> int:
    """Print the figures; exit code 1 if something else was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes (default 3)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is taken (default 5)")
    arguments = parser.parse_args()
    report_calls()
    try:
        report(*measure(seconds=arguments.seconds, rounds=arguments.rounds))
    except BenchmarkError as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
