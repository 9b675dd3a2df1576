"""The scenarios of test_imported_trigger.py, on a real API server."""

from integration.walks.test_imported_trigger import *  # noqa: F403 - they are the tests
