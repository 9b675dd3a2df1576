"""The scenarios of test_following.py, on a real API server."""

from integration.walks.test_following import *  # noqa: F403 - they are the tests
