"""The scenarios of test_faults.py, on a real API server."""

from integration.walks.test_faults import *  # noqa: F403 - they are the tests
