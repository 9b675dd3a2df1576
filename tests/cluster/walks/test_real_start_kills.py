"""The scenarios of test_start_kills.py, on a real API server."""

from integration.walks.test_start_kills import *  # noqa: F403 - they are the tests
