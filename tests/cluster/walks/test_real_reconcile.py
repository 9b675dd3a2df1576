"""The scenarios of test_reconcile.py, on a real API server."""

from integration.walks.test_reconcile import *  # noqa: F403 - they are the tests
