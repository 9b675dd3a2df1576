"""The scenarios of test_schemes.py, on a real API server."""

from integration.walks.test_schemes import *  # noqa: F403 - they are the tests
