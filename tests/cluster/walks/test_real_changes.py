"""The scenarios of test_changes.py, on a real API server."""

from integration.walks.test_changes import *  # noqa: F403 - they are the tests
