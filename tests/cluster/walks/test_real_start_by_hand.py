"""The scenarios of test_start_by_hand.py, on a real API server."""

from integration.walks.test_start_by_hand import *  # noqa: F403 - they are the tests
