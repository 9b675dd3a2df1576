"""The scenarios of test_targets.py, on a real API server."""

from integration.walks.test_targets import *  # noqa: F403 - they are the tests
