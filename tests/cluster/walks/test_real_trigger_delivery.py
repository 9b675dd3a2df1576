"""The scenarios of test_trigger_delivery.py, on a real API server."""

from integration.walks.test_trigger_delivery import *  # noqa: F403 - they are the tests
