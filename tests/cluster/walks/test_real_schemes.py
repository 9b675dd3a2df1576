"""The scenarios of test_schemes.py that ask something of the API server, on a real one; the others are about HTTP."""

from integration.walks.test_schemes import (  # noqa: F401 - they are the tests
    test_secret_is_replaced_without_a_gap,
    test_secret_of_the_wrong_form_is_said,
)
