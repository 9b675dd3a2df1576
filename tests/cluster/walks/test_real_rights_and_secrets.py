"""The scenarios of test_rights_and_secrets.py, on a real API server."""

from integration.walks.test_rights_and_secrets import *  # noqa: F403 - they are the tests
