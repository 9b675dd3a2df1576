"""The scenarios of test_cronjobs.py, on a real API server."""

from integration.walks.test_cronjobs import *  # noqa: F403 - they are the tests
