"""The scenarios of test_explain.py, on a real API server."""

from integration.walks.test_explain import *  # noqa: F403 - they are the tests
