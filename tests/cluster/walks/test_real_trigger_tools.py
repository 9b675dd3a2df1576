"""The scenarios of test_trigger_tools.py, on a real API server."""

from integration.walks.test_trigger_tools import *  # noqa: F403 - they are the tests
