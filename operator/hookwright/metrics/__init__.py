"""What is counted, and how it is shown to Prometheus.

`catalogue` says what there is: names, meanings, and for each label the values that it may have. None can come from
outside, so that no stranger makes a series. `counting` holds the numbers of one process; its parts are handed the
functions that count, and know nothing of Prometheus. `docs/metrics.md` is checked against the catalogue.
"""

from hookwright.metrics.counting import Metrics

__all__ = ["Metrics"]
