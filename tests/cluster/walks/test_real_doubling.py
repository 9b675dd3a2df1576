"""The scenario of test_doubling.py, on a real API server."""

from integration.walks.test_doubling import *  # noqa: F403 - they are the tests
