"""The scenarios of test_delivery.py that ask something of the API server, on a real one; the others are about HTTP."""

from integration.walks.test_delivery import (  # noqa: F401 - they are the tests
    test_build_is_created_as_service_account,
    test_hostile_values_stay_data,
    test_same_id_for_two_webhooks_starts_two,
    test_same_id_starts_once,
    test_signed_push_starts_job,
    test_status_tells_of_start,
    test_suspended_webhook_answers_and_starts_nothing,
    test_unauthenticated_webhook_needs_only_the_url,
)
