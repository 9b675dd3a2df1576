"""The scenarios of test_trigger_secrets.py, on a real API server."""

from integration.walks.test_trigger_secrets import *  # noqa: F403 - they are the tests
