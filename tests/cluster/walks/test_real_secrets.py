"""The scenarios of test_secrets.py, on a real API server."""

from integration.walks.test_secrets import *  # noqa: F403 - they are the tests
