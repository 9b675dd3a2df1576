"""What /metrics says, read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from hookwright.metrics.catalogue import ANY_VALUE, PREFIX, SPECS


def read_metrics(text: bytes | str) -> list[Metric]:
    """Give the metrics of a page."""
    return list(text_string_to_metric_families(text.decode() if isinstance(text, bytes) else text))


def read_samples(text: bytes | str) -> Iterator[Sample]:
    """Give the samples of a page."""
    return (sample for metric in read_metrics(text) for sample in metric.samples)


def read_value(text: bytes | str, name: str, **labels: str) -> float | None:
    """Give the sum of the samples of this name with at least these labels; None if there is none."""
    found = [
        sample.value for sample in read_samples(text) if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found) if found else None


def find_strange(metrics: Iterable[Metric]) -> list[str]:
    """Say which of our samples have a label, or a value of one, that the catalogue does not allow."""
    strange = []
    for metric in metrics:
        if not metric.name.startswith(PREFIX):
            continue
        spec = SPECS[metric.name.removeprefix(PREFIX)]
        for sample in metric.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            allowed = {n: values for n, values in spec.labels.items() if values is ANY_VALUE or labels.get(n) in values}
            if labels.keys() != allowed.keys():
                strange.append(str(sample))
    return strange
