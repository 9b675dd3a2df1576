"""The scenarios of test_trigger_facts.py, on a real API server."""

from integration.walks.test_trigger_facts import *  # noqa: F403 - they are the tests
