"""The scenarios of test_changes.py, on a real API server, but for two that are about the receiver's connections."""

from integration.walks.test_changes import *  # noqa: F403 - they are the tests

del test_idle_connections_keep_nobody_out, test_trickling_sender_does_not_hold_up_the_end  # noqa: F821
