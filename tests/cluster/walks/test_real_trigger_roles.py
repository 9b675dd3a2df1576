"""The scenarios of test_trigger_roles.py, on a real API server."""

from integration.walks.test_trigger_roles import *  # noqa: F403 - they are the tests
