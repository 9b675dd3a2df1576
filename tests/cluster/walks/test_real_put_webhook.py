"""The scenarios of test_put_webhook.py, on a real API server."""

from integration.walks.test_put_webhook import *  # noqa: F403 - they are the tests
