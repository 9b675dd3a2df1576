"""The scenarios of test_lease.py, on a real API server."""

from integration.walks.test_lease import *  # noqa: F403 - they are the tests
