"""The scenarios of test_process.py, on a real API server."""

from integration.walks.test_process import *  # noqa: F403 - they are the tests
