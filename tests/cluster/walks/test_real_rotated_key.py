"""The scenario of test_rotated_key.py, on a real API server."""

from integration.walks.test_rotated_key import *  # noqa: F403 - they are the tests
