"""The numbers of one process, in a registry of their own, and the functions that count.

What happens often finds its series in a dictionary: a delivery pays a few microseconds for all of its counting.
What can be asked for is not counted but shown: it is asked when Prometheus asks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

import prometheus_client
import structlog
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from hookwright import __version__
from hookwright.builds.state import BuildPhase
from hookwright.cluster import Resource
from hookwright.kinds import BuildTrigger, Webhook
from hookwright.metrics import catalogue
from hookwright.metrics.catalogue import ANY_VALUE, OTHER, PREFIX, Spec, Stage, Type
from hookwright.reasons import ADDRESS_LIMITED, CATALOGUE, UNEXPECTED, URL_UNKNOWN, Outcome, Reason
from hookwright.reconcile.work import Result

log = structlog.get_logger()

# A second series for each, of when it was made, would tell nobody anything. The library knows it as a switch only.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # as it is

# What can become of a request for which no object is found.
_NOBODYS = (URL_UNKNOWN, ADDRESS_LIMITED, UNEXPECTED)

S = TypeVar("S", Counter, Histogram)
K = TypeVar("K", bound=Hashable)


class Metrics:
    """What one process counts and shows; `role` is the process's."""

    def __init__(self, *, role: str) -> None:
        self._registry = CollectorRegistry()
        self._shown = _Shown()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(self._shown)
        self._deliveries = self._counters(catalogue.DELIVERIES, _describe_delivery)
        self._starts = self._counters(catalogue.STARTS, _describe_delivery)
        self._retries: _Series[Reason, Counter] = self._counters(catalogue.RETRIES, lambda reason: (reason.name,))
        self._stages: _Series[Stage, Histogram] = self._histograms(catalogue.STAGES, lambda stage: (stage.value,))
        self._builds: _Series[BuildPhase, Counter] = self._counters(catalogue.BUILDS_ENDED, lambda one: (one.value,))
        self._build_seconds: _Series[BuildPhase, Histogram] = self._histograms(
            catalogue.BUILD_SECONDS, lambda one: (one.value,)
        )
        self._reconciles: _Series[tuple[str, Result], Counter] = self._counters(
            catalogue.RECONCILES, lambda key: (key[0], key[1].value)
        )
        self._reconcile_seconds: _Series[str, Histogram] = self._histograms(
            catalogue.RECONCILE_SECONDS, lambda kind: (kind,)
        )
        self._requests: _Series[tuple[str, str, str], Counter] = self._counters(catalogue.REQUESTS, lambda key: key)
        self._request_seconds: _Series[str, Histogram] = self._histograms(
            catalogue.REQUEST_SECONDS, lambda verb: (verb,)
        )
        self._begin_with_zero()
        self.show(catalogue.BUILD_INFO, lambda: 1, version=__version__, role=role)

    def show(self, spec: Spec, give: Callable[[], float], **labels: str) -> None:
        """Show what `give` gives whenever Prometheus asks; it must be quick, and bounded.

        Raises:
            ValueError: a label is not the metric's, or may not have that value.
        """
        if labels.keys() != spec.labels.keys():
            raise ValueError(f"{spec.name} has the labels {sorted(spec.labels)}")
        for label, value in labels.items():
            if spec.labels[label] is not ANY_VALUE and value not in spec.labels[label]:
                raise ValueError(f"{spec.name}: the label {label} may not be {value}")
        self._shown.add(spec, tuple(labels[label] for label in spec.labels), give)

    def write(self) -> bytes:
        """Write all of it in Prometheus' text format."""
        return generate_latest(self._registry)

    def count_delivery(self, kind: str, reason: Reason, seconds: float) -> None:
        """Count an answer, and how long it took."""
        self._deliveries[kind, reason].inc()
        self._stages[Stage.ANSWER].observe(seconds)

    def count_journal_wait(self, seconds: float) -> None:
        """Count a wait for the journal's disk."""
        self._stages[Stage.JOURNAL].observe(seconds)

    def count_start(self, target: str, reason: Reason, seconds: float) -> None:
        """Count what became of an accepted delivery, `seconds` after it was accepted."""
        self._starts[target, reason].inc()
        if reason.outcome is Outcome.STARTED:
            # By the wall clock, which may have been set back meanwhile.
            self._stages[Stage.START].observe(max(seconds, 0.0))

    def count_retry(self, reason: Reason) -> None:
        """Count a start that is put off."""
        self._retries[reason].inc()

    def count_build(self, phase: BuildPhase, seconds: float | None) -> None:
        """Count a build that has ended, and how long it took; None: it never began."""
        self._builds[phase].inc()
        if seconds is not None:
            self._build_seconds[phase].observe(seconds)

    def count_reconcile(self, kind: str, result: Result, seconds: float) -> None:
        """Count a look at an object."""
        self._reconciles[kind, result].inc()
        self._reconcile_seconds[kind].observe(seconds)

    def count_request(self, verb: str, resource: Resource, status: int, seconds: float) -> None:
        """Count a request to the API server; `status` is 0 where there was no answer."""
        self._requests[verb, resource.plural, str(status)].inc()
        self._request_seconds[verb].observe(seconds)

    def _begin_with_zero(self) -> None:
        """Have the series there that can be foretold: what appears with 1 has no rate."""
        for stage in Stage:
            _ = self._stages[stage]
        for phase in BuildPhase:
            if phase.is_over:
                _ = self._builds[phase], self._build_seconds[phase]
        for verb in sorted(catalogue.VERBS):
            _ = self._request_seconds[verb]
        for kind in sorted(catalogue.RECONCILES.labels["kind"]):
            _ = self._reconcile_seconds[kind]
            for result in Result:
                _ = self._reconciles[kind, result]
        for reason in _NOBODYS:
            _ = self._deliveries["", reason]
        for reason in CATALOGUE.values():
            self._begin_reason(reason)

    def _begin_reason(self, reason: Reason) -> None:
        late, pending = reason.status is None, reason.outcome is Outcome.PENDING
        if not late:
            for kind in (Webhook.KIND, BuildTrigger.KIND):
                _ = self._deliveries[kind, reason]
        if late or pending:
            _ = self._retries[reason]
        if late and not pending:
            for target in sorted(catalogue.STARTS.labels["target"]):
                _ = self._starts[target, reason]

    def _counters(self, spec: Spec, describe: Callable[[K], tuple[str, ...]]) -> _Series[K, Counter]:
        counter = Counter(PREFIX + spec.name, spec.meaning, tuple(spec.labels), registry=self._registry)
        return _Series(counter, spec, describe)

    def _histograms(self, spec: Spec, describe: Callable[[K], tuple[str, ...]]) -> _Series[K, Histogram]:
        name, labels = PREFIX + spec.name, tuple(spec.labels)
        histogram = Histogram(name, spec.meaning, labels, buckets=spec.buckets, registry=self._registry)
        return _Series(histogram, spec, describe)


def _describe_delivery(key: tuple[str, Reason]) -> tuple[str, ...]:
    kind, reason = key
    return kind, reason.outcome.value, reason.name


class _Series(dict[K, S], Generic[K, S]):
    """The series of one metric by what they count; a value that a label may not have becomes `other`."""

    def __init__(self, metric: S, spec: Spec, describe: Callable[[K], tuple[str, ...]]) -> None:
        super().__init__()
        self._metric: S = metric
        self._allowed = tuple(spec.labels.values())
        self._describe = describe

    def __missing__(self, key: K) -> S:
        values = self._describe(key)
        known = [value if value in allowed else OTHER for value, allowed in zip(values, self._allowed, strict=True)]
        series = self._metric.labels(*known)
        if OTHER not in known:
            self[key] = series
        return series


class _Shown(Collector):
    """What is asked for when Prometheus asks."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[Spec, dict[tuple[str, ...], Callable[[], float]]]] = {}

    def add(self, spec: Spec, labels: tuple[str, ...], give: Callable[[], float]) -> None:
        self._given.setdefault(spec.name, (spec, {}))[1][labels] = give

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        for spec, series in self._given.values():
            family = CounterMetricFamily if spec.type is Type.COUNTER else GaugeMetricFamily
            found = family(PREFIX + spec.name, spec.meaning, labels=tuple(spec.labels))
            for labels, give in series.items():
                try:
                    found.add_metric(labels, give())
                except Exception:
                    # A mistake in one number must not hide the others.
                    log.exception("metrics", metric=spec.full_name)
            yield found
