"""What is demanded of a Webhook beyond its schema: AWS's rules for `PutWebhook`, and our own, with AWS's error codes.

The CRD says most of it too, by CEL rules; here it is said for objects that came in another way, and with the value that
was found. Each check raises InvalidSpec: field, value, limit and remedy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from hookwright.builds.targets import find_api_version, find_source_action, is_secret_name
from hookwright.cluster.claims import Standing
from hookwright.errors import InvalidSpec
from hookwright.kinds import (
    CREDENTIAL_HEADERS,
    LONGEST_WINDOW,
    MAX_TAGS,
    SHORTEST_WINDOW,
    Authentication,
    ObjectKind,
    Tag,
    Webhook,
    check_members,
    given_members,
    parse_duration,
)

VALIDATION = "ValidationException"
INVALID_FILTER = "InvalidWebhookFilterPatternException"
INVALID_AUTHENTICATION = "InvalidWebhookAuthenticationParametersException"
PIPELINE_NOT_FOUND = "PipelineNotFoundException"
LIMIT_EXCEEDED = "LimitExceededException"
TOO_MANY_TAGS = "TooManyTagsException"
INVALID_TAGS = "InvalidTagsException"
CONCURRENT_MODIFICATION = "ConcurrentModificationException"
RESERVED_TAGS = "aws:"


def check_rules(webhook: Webhook) -> None:
    """Check all that the object says by itself."""
    check_authentication(webhook)
    check_tags(webhook)
    check_target_kind(webhook)
    check_window(webhook.spec.duplicate_window, code=VALIDATION)
    check_delivery_id(webhook)
    check_configuration(webhook)


def check_standing(webhook: Webhook, standing: Standing) -> None:
    """One object per name, and so many per namespace, as at AWS per account."""
    if standing.name_holder is not None:
        message = (
            f"spec.name: {webhook.aws_name}: Webhook {standing.name_holder} is older and has this name; change one of "
            "the two names, or delete one"
        )
        raise InvalidSpec(message, code=CONCURRENT_MODIFICATION, field="spec.name")
    if standing.quota is not None:
        message = (
            f"metadata.namespace: {webhook.metadata.namespace} may have {standing.quota} Webhooks, and has so many "
            "older ones; delete one, or ask for a larger HOOKWRIGHT_WEBHOOK_QUOTA"
        )
        raise InvalidSpec(message, code=LIMIT_EXCEEDED, field="metadata.namespace")


def check_authentication(webhook: Webhook) -> None:
    """Exactly the members that the scheme needs."""
    spec = webhook.spec
    wrong = check_members(spec.authentication, given_members(spec.authentication_configuration))
    if wrong is not None:
        field_, message = wrong
        raise InvalidSpec(f"{field_}: {message}", code=INVALID_AUTHENTICATION, field=field_)


def check_tags(webhook: Webhook) -> None:
    """AWS's rules for tags."""
    tags = webhook.spec.tags
    if len(tags) > MAX_TAGS:
        message = f"spec.tags: {len(tags)} tags; at most {MAX_TAGS}: remove some"
        raise InvalidSpec(message, code=TOO_MANY_TAGS, field="spec.tags")
    bad = find_bad_tag(tags)
    if bad is not None:
        index, wrong = bad
        field_ = f"spec.tags[{index}]"
        raise InvalidSpec(f"{field_}: {tags[index].key}: {wrong}", code=INVALID_TAGS, field=field_)


def find_bad_tag(tags: Sequence[Tag]) -> tuple[int, str] | None:
    """Give the first tag that AWS would refuse: which one it is, and what is wrong with it."""
    keys: set[str] = set()
    for index, tag in enumerate(tags):
        if tag.key.lower().startswith(RESERVED_TAGS):
            return index, f"keys that begin with {RESERVED_TAGS} are reserved, as at AWS; choose another"
        if tag.key in keys:
            return index, "this key is there twice; remove one"
        if not _is_tag_text(tag.key) or not _is_tag_text(tag.value):
            return index, "letters, digits, blanks and _.:/=+-@ only, in key and value"
        keys.add(tag.key)
    return None


def _is_tag_text(text: str) -> bool:
    return all(unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@" for character in text)


def check_target_kind(webhook: Webhook) -> None:
    """Kind and API version of a target belong together."""
    target = webhook.spec.target_pipeline
    wanted = find_api_version(target.kind)
    if target.api_version != wanted:
        field_ = "spec.targetPipeline.apiVersion"
        message = f"{field_}: {target.api_version}: a {target.kind} has {wanted}; write that"
        raise InvalidSpec(message, code=VALIDATION, field=field_)


def check_window(window: str, *, code: str) -> None:
    """How long builds are kept has bounds."""
    if not SHORTEST_WINDOW <= parse_duration(window) <= LONGEST_WINDOW:
        field_ = "spec.duplicateWindow"
        raise InvalidSpec(f"{field_}: {window}: at least 1h, at most 72h", code=code, field=field_)


def check_delivery_id(webhook: Webhook) -> None:
    """An id is shown to many, so that it is no proof; and one that is signed is not given up for one that is not."""
    header, configuration = webhook.spec.delivery_id_header, webhook.spec.authentication_configuration
    field_ = "spec.deliveryIdHeader"
    own = {name.lower() for name in (configuration.header, configuration.timestamp_header) if name is not None}
    if header is not None and header.lower() in own.union(CREDENTIAL_HEADERS):
        message = f"{field_}: {header}: carries what proves the sender; name the header that carries the id"
        raise InvalidSpec(message, code=VALIDATION, field=field_)
    if header is not None and webhook.spec.authentication is Authentication.STANDARD_WEBHOOKS:
        message = (
            f"{field_}: {header}: STANDARD_WEBHOOKS signs its own id, webhook-id; another could be changed by whoever "
            "sends a recorded delivery again: remove it"
        )
        raise InvalidSpec(message, code=VALIDATION, field=field_)


def check_configuration(webhook: Webhook) -> None:
    """Secrets do not belong into a Webhook."""
    for key in webhook.spec.action_configuration:
        if is_secret_name(key):
            field_ = f"spec.actionConfiguration.{key}"
            message = (
                f"{field_}: named like a secret, which whoever may read the Webhook could read, and which no filter "
                "can use; remove it"
            )
            raise InvalidSpec(message, code=VALIDATION, field=field_)


def check_action(webhook: Webhook, target: ObjectKind) -> None:
    """A target has one source action, as a pipeline's first stage has."""
    action = find_source_action(target)
    if webhook.spec.target_action != action:
        message = (
            f"spec.targetAction: {webhook.spec.target_action}: the source action of "
            f"{target.KIND} {target.metadata.name} is {action}; write that"
        )
        raise InvalidSpec(message, code=VALIDATION, field="spec.targetAction")
