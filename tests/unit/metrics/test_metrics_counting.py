"""The numbers of one process: what is counted, what is shown, and that nobody outside makes a series."""

from __future__ import annotations

import random
import string

import pytest

from hookwright import __version__, reasons
from hookwright.builds.state import BuildPhase
from hookwright.builds.targets import TARGET_KINDS
from hookwright.cluster import JOBS, SECRETS, WEBHOOKS, Resource
from hookwright.metrics import Metrics, catalogue
from hookwright.reasons import CATALOGUE, Outcome
from hookwright.reconcile.work import Result
from support.metrics_samples import find_strange, read_metrics, read_samples, read_value


@pytest.fixture
def metrics():
    return Metrics(role="receiver")


def test_delivery_is_counted_by_kind_outcome_and_reason(metrics):
    """Each answer counts once, with its true reason, and so does how long it took."""
    metrics.count_delivery("Webhook", reasons.SIGNATURE_MISMATCH, 0.002)
    metrics.count_delivery("Webhook", reasons.SIGNATURE_MISMATCH, 0.2)
    metrics.count_delivery("", reasons.URL_UNKNOWN, 0.001)
    page = metrics.write()
    refused = {"outcome": "refused", "reason": "SignatureMismatch"}
    assert read_value(page, "hookwright_deliveries_total", kind="Webhook", **refused) == 2
    assert read_value(page, "hookwright_deliveries_total", kind="", reason="URLUnknown") == 1
    assert read_value(page, "hookwright_deliveries_total") == 3
    assert read_value(page, "hookwright_delivery_stage_seconds_count", stage="answer") == 3
    assert read_value(page, "hookwright_delivery_stage_seconds_bucket", stage="answer", le="0.0025") == 2


def test_start_is_counted_by_target(metrics):
    """What became of an accepted delivery counts by the kind of its target; only builds that exist took time."""
    metrics.count_start("CronJob", reasons.BUILD_CREATED, 0.5)
    metrics.count_start("CronJob", reasons.BUILD_FORBIDDEN, 600.0)
    metrics.count_retry(reasons.START_DELAYED)
    page = metrics.write()
    assert read_value(page, "hookwright_starts_total", target="CronJob", outcome="started", reason="BuildCreated") == 1
    assert read_value(page, "hookwright_starts_total", target="CronJob", outcome="failed", reason="BuildForbidden") == 1
    assert read_value(page, "hookwright_start_retries_total", reason="StartDelayed") == 1
    assert read_value(page, "hookwright_delivery_stage_seconds_sum", stage="start") == 0.5


def test_build_that_has_ended_is_counted(metrics):
    """A build counts once by how it ended; one that never began took no time."""
    metrics.count_build(BuildPhase.SUCCEEDED, 45.0)
    metrics.count_build(BuildPhase.CANCELED, None)
    page = metrics.write()
    assert read_value(page, "hookwright_builds_ended_total", phase="Succeeded") == 1
    assert read_value(page, "hookwright_builds_ended_total", phase="Canceled") == 1
    assert read_value(page, "hookwright_build_seconds_sum", phase="Succeeded") == 45
    assert read_value(page, "hookwright_build_seconds_count", phase="Canceled") == 0


def test_clock_that_was_set_back_takes_nothing_away(metrics):
    """A build that exists before its delivery was accepted, by the clock, took no time."""
    metrics.count_start("CronJob", reasons.BUILD_CREATED, -3600.0)
    assert read_value(metrics.write(), "hookwright_delivery_stage_seconds_sum", stage="start") == 0


def test_request_without_an_answer_has_code_0(metrics):
    """A request to the API server counts by verb, resource and HTTP status."""
    metrics.count_request("get", SECRETS, 200, 0.01)
    metrics.count_request("create", JOBS, 0, 30.0)
    page = metrics.write()
    assert read_value(page, "hookwright_api_requests_total", verb="get", resource="secrets", code="200") == 1
    assert read_value(page, "hookwright_api_requests_total", verb="create", resource="jobs", code="0") == 1
    assert read_value(page, "hookwright_api_request_seconds_count", verb="create") == 1


def test_series_are_there_before_anything_happens(metrics):
    """What can be foretold is there with 0 from the beginning: what appears with 1 has no rate."""
    page = metrics.write()
    for reason in CATALOGUE.values():
        if reason.status is not None:
            for kind in ("Webhook", "BuildTrigger"):
                assert read_value(page, "hookwright_deliveries_total", kind=kind, reason=reason.name) == 0, reason
        elif reason.outcome is not Outcome.PENDING:
            assert read_value(page, "hookwright_starts_total", target="BuildTrigger", reason=reason.name) == 0, reason
    assert read_value(page, "hookwright_start_retries_total", reason="StartDelayed") == 0
    assert read_value(page, "hookwright_reconciles_total", kind="Webhook", result="failed") == 0


def test_page_says_which_version_runs(metrics):
    """build_info has version and role; process and Python metrics are there too."""
    page = metrics.write()
    assert read_value(page, "hookwright_build_info", version=__version__, role="receiver") == 1
    assert read_value(page, "process_resident_memory_bytes") > 0
    assert read_value(page, "python_info", implementation="CPython") == 1
    assert read_value(page, "python_gc_collections_total", generation="0") is not None


def test_no_time_of_making_is_shown(metrics):
    """No series says when another one was made."""
    assert not [sample.name for sample in read_samples(metrics.write()) if sample.name.endswith("_created")]


def test_mistake_in_one_number_hides_no_other(metrics):
    """A number that cannot be given is left out."""
    metrics.show(catalogue.PENDING, lambda: 1 / 0)
    metrics.show(catalogue.OLDEST, lambda: 7)
    page = metrics.write()
    assert read_value(page, "hookwright_journal_pending") is None
    assert read_value(page, "hookwright_journal_oldest_pending_seconds") == 7


def test_two_processes_have_nothing_in_common():
    """What one process counts is not in another's numbers, though both be in one Python."""
    one, other = Metrics(role="run"), Metrics(role="run")
    one.count_delivery("", reasons.URL_UNKNOWN, 0.0)
    assert read_value(other.write(), "hookwright_deliveries_total") == 0


# ── no series from outside ────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_can_be_counted_is_in_the_catalogue(metrics):
    """However each function that counts is called, no label has a value that the catalogue does not list."""
    for reason in CATALOGUE.values():
        for kind in ("Webhook", "BuildTrigger", ""):
            metrics.count_delivery(kind, reason, 0.1)
        for target in TARGET_KINDS:
            metrics.count_start(target, reason, 0.1)
        metrics.count_retry(reason)
    for kind in ("Webhook", "BuildTrigger"):
        for result in Result:
            metrics.count_reconcile(kind, result, 0.1)
    for verb in catalogue.VERBS:
        for status in range(600):
            metrics.count_request(verb, WEBHOOKS, status, 0.1)
    assert find_strange(read_metrics(metrics.write())) == []


def test_strange_values_make_no_series(metrics):
    """A flood of kinds, targets, resources and codes that nobody foresaw adds one series each at most."""
    chance = random.Random(7)

    def invent():
        return "".join(chance.choices(string.printable, k=chance.randint(0, 40)))

    def flood():
        for _ in range(500):
            metrics.count_delivery(invent(), reasons.URL_UNKNOWN, 0.1)
            metrics.count_start(invent(), reasons.BUILD_CREATED, 0.1)
            resource = Resource(group=invent(), version=invent(), plural=invent(), kind=invent())
            metrics.count_request("get", resource, chance.randint(1000, 10**9), 0.1)
        return len(list(read_samples(metrics.write())))

    before = len(list(read_samples(metrics.write())))
    once = flood()
    assert before < once <= before + 3
    assert flood() == once


@pytest.mark.parametrize(
    ("spec", "labels"),
    [
        (catalogue.OBJECTS, {"kind": "Pod"}),
        (catalogue.OBJECTS, {}),
        (catalogue.LEADER, {"pod": "hookwright-operator-0"}),
    ],
)
def test_label_that_is_not_in_the_catalogue_cannot_be_shown(metrics, spec, labels):
    """What is shown has the labels of its metric, and values that they may have."""
    with pytest.raises(ValueError, match=spec.name):
        metrics.show(spec, lambda: 1, **labels)
