"""What all tests share: no example of Hypothesis is timed, nor how long it takes to make one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is slow, and proves nothing by it.
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
