"""What the AWS CLI prints about CodePipeline, and what it is given, as typed values. Pure.

Members are those of `PutWebhook`, `ListWebhooks` and `GetPipeline` (AWS CodePipeline API, version 2015-07-09). What is
missing or of another type than AWS's is an error; whether a value is within limits is for the kinds to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookwright.commands.aws_json import Place

_ITEM = frozenset({"definition", "url", "errorMessage", "errorCode", "lastTriggered", "arn", "tags"})
_DEFINITION = frozenset(
    {"name", "targetPipeline", "targetAction", "filters", "authentication", "authenticationConfiguration"}
)
_CONFIGURATION = frozenset({"AllowedIPRange", "SecretToken"})
_FILTER = frozenset({"jsonPath", "matchEquals"})


@dataclass(frozen=True, kw_only=True)
class AwsFilter:
    """A rule about the payload, as at AWS."""

    json_path: str
    match_equals: str | None


@dataclass(frozen=True, kw_only=True)
class AwsWebhook:
    """A webhook as at AWS.

    `filters` is None where the file has none, not even an empty list; `error_code` and `error_message` are what AWS
    says is wrong with it; `unknown` names the members that AWS had not when this was written.
    """

    name: str
    target_pipeline: str
    target_action: str
    filters: tuple[AwsFilter, ...] | None
    authentication: str
    allowed_ip_range: str | None
    secret_token: str | None = field(repr=False)
    tags: tuple[tuple[str, str], ...]
    error_code: str | None
    error_message: str | None = field(repr=False)
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The webhooks of a file, in its order; `complete` is false if AWS has more of them."""

    webhooks: tuple[AwsWebhook, ...]
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline's name, and the configuration of each action of its first stage, by the action's name."""

    name: str
    source_actions: Mapping[str, Mapping[str, str]] = field(repr=False)


def read_listing(document: object, file: str) -> Listing:
    """Read what `list-webhooks` or `put-webhook` prints, what `put-webhook` is given, or a list of such webhooks.

    `document` is any JSON value, `file` the name by which messages call it.

    Raises:
        UsageError: it is something else.
    """
    place = Place(file=file, value=document)
    if isinstance(document, list):
        return Listing(webhooks=tuple(map(_read_item, place.items())), complete=True)
    members = place.members()
    if "webhooks" in members:
        webhooks = tuple(map(_read_item, place.member("webhooks").items()))
        return Listing(webhooks=webhooks, complete="NextToken" not in members)
    if not {"webhook", "definition", "name"}.intersection(members):
        raise place.refuse("holds neither webhooks, as list-webhooks prints them, nor a webhook of put-webhook")
    return Listing(webhooks=(_read_item(place),), complete=True)


def _read_item(place: Place) -> AwsWebhook:
    item = place
    if "webhook" in place.members():
        item = place.member("webhook")
    unknown: list[str] = []
    definition = item
    if "definition" in item.members():
        unknown += [name for name in item.members() if name not in _ITEM]
        definition = item.member("definition")
    unknown += [name for name in definition.members() if name not in _DEFINITION | _ITEM]
    configuration = definition.member("authenticationConfiguration")
    unknown += [f"authenticationConfiguration.{name}" for name in configuration.members() if name not in _CONFIGURATION]
    rules = definition.member("filters")
    for index, rule in enumerate(rules.items()):
        unknown += [f"filters[{index}].{name}" for name in rule.members() if name not in _FILTER]
    # put-webhook has the tags beside the webhook, list-webhooks inside.
    tags = [*item.member("tags").items(), *(place.member("tags").items() if place is not item else ())]
    return AwsWebhook(
        name=definition.member("name").text(),
        target_pipeline=definition.member("targetPipeline").text(),
        target_action=definition.member("targetAction").text(),
        filters=tuple(map(_read_filter, rules.items())) if rules.value is not None else None,
        authentication=definition.member("authentication").text(),
        allowed_ip_range=configuration.member("AllowedIPRange").optional_text(),
        secret_token=configuration.member("SecretToken").optional_text(),
        tags=tuple((tag.member("key").text(), tag.member("value").text()) for tag in tags),
        error_code=item.member("errorCode").optional_text(),
        error_message=item.member("errorMessage").optional_text(),
        unknown=tuple(unknown),
    )


def _read_filter(place: Place) -> AwsFilter:
    return AwsFilter(
        json_path=place.member("jsonPath").text(), match_equals=place.member("matchEquals").optional_text()
    )


def read_pipeline(document: object, file: str) -> Pipeline:
    """Read what `get-pipeline` prints, or the pipeline in it.

    Raises:
        UsageError: it is something else.
    """
    place = Place(file=file, value=document)
    if "pipeline" in place.members():
        place = place.member("pipeline")
    name = place.member("name").text()
    stages = place.member("stages").items()
    actions = stages[0].member("actions").items() if stages else []
    return Pipeline(
        name=name, source_actions={action.member("name").text(): _read_configuration(action) for action in actions}
    )


def _read_configuration(action: Place) -> Mapping[str, str]:
    configuration = action.member("configuration")
    return {key: configuration.member(key).text() for key in configuration.members()}
