"""What a Webhook decides of an authentic delivery: its filters, and the values that the build receives. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from hookwright.builds.wanted import Undecided, WantedBuild, clean_value, format_time
from hookwright.filters import (
    Budget,
    EvaluationError,
    Expression,
    Filter,
    JsonValue,
    Matches,
    UnknownKey,
    bind,
    render_found,
    render_value,
)
from hookwright.intake.request import Request
from hookwright.intake.route import MAX_EVENT, Decision, Route
from hookwright.intake.schemes.scheme import read_delivery_id
from hookwright.kinds import ParameterSource, Webhook
from hookwright.reasons import ACCEPTED, FILTERED_OUT, PAYLOAD_TOO_COMPLEX, PING, TARGET_MISSING

# Of an undecided filter at most so many found texts are kept, and none that no matchEquals could equal:
# 150 characters, in which each `{K}` may stand for 1,000.
MAX_UNDECIDED = 1000
MAX_EXPECTED_LENGTH = 50_150
MAX_EXPECTED_SHOWN = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledParameter:
    """One value that the build receives; exactly one of the three is set."""

    name: str
    value: str | None
    expression: Expression | None
    source: ParameterSource | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRoute(Route):
    """One Webhook, ready to judge.

    `values` are the placeholders' values; None while the target is missing and a filter needs a value of it.
    """

    KIND: ClassVar[str] = Webhook.KIND

    filters: tuple[Filter, ...] = ()
    own_values: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] | None = None
    tests: tuple[Matches, ...] | None = None  # of each filter; None while a value is missing
    parameters: tuple[CompiledParameter, ...] = ()
    target_exists: bool
    delivery_id_header: str | None = None

    def delivery_id(self, request: Request) -> str | None:
        """Give the id in spec.deliveryIdHeader, else the one that the scheme knows; see `Route.delivery_id`."""
        if self.delivery_id_header is not None:
            return read_delivery_id(request, self.delivery_id_header)
        return self.scheme.delivery_id(request)

    def decide(self, request: Request, document: JsonValue, delivery_id: str) -> Decision:
        """Start the target if all filters match, as `Route.decide`."""
        if self.scheme.is_ping(request):
            return Decision(reason=PING)
        budget = Budget()
        undecided = _apply_filters(self, document, budget)
        parameters = (
            {p.name: _value_of(p, self, request, document, delivery_id, budget) for p in self.parameters}
            if not isinstance(undecided, int)
            else {}
        )
        # What a spent budget left undone must not look like a filter that does not match, or like empty parameters.
        if budget.spent:
            return Decision(reason=PAYLOAD_TOO_COMPLEX)
        if isinstance(undecided, int):
            return Decision(reason=FILTERED_OUT, message=describe_mismatch(self, undecided))
        wanted = WantedBuild(
            namespace=self.namespace,
            owner_kind=Webhook.KIND,
            owner_name=self.name,
            owner_uid=self.uid,
            delivery_id=delivery_id,
            accepted_at=request.received_at,
            target=self.target,
            service_account=self.service_account,
            values=self.own_values if undecided else {},
            parameters=parameters,
            undecided=undecided,
            event=(self.event(request) or "")[:MAX_EVENT],
            client=str(request.client) if request.client is not None else "",
            keep_seconds=self.keep_seconds,
        )
        return Decision(reason=ACCEPTED if self.target_exists else TARGET_MISSING, wanted=(wanted,))


def _value_of(  # noqa: PLR0917 - a parameter may come from anything that there is
    parameter: CompiledParameter,
    route: WebhookRoute,
    request: Request,
    document: JsonValue,
    delivery_id: str,
    budget: Budget,
) -> str:
    if parameter.value is not None:
        return parameter.value
    if parameter.expression is not None:
        found = parameter.expression.find(document, budget)
        return clean_value((render_value(found[0]) if found else None) or "")
    match parameter.source:
        case ParameterSource.DELIVERY_ID:
            return delivery_id
        case ParameterSource.ACCEPTED_AT:
            return format_time(request.received_at)
        case _:
            return clean_value(route.event(request) or "")


def describe_mismatch(route: WebhookRoute, index: int) -> str:
    """Say what a filter wanted and did not find; of the payload nothing is said."""
    rule = route.filters[index]
    if rule.match_equals is None:
        return f"spec.filters[{index}]: {rule.json_path.text} finds nothing that is not null"
    try:
        expected = rule.match_equals.expand(route.values if route.values is not None else route.own_values)
    except UnknownKey:
        expected = rule.match_equals.text
    return f"spec.filters[{index}]: {rule.json_path.text} does not give {expected[:MAX_EXPECTED_SHOWN]}"


def _apply_filters(route: WebhookRoute, document: JsonValue, budget: Budget) -> tuple[Undecided, ...] | int:
    """Give what is left to decide once the target is there, mostly nothing; or which filter does not match."""
    if route.tests is not None:
        for index, test in enumerate(route.tests):
            if not test(document, budget):
                return index
        return ()
    undecided = []
    for index, rule in enumerate(route.filters):
        if rule.match_equals is not None and not set(rule.match_equals.keys) <= set(route.own_values):
            found = _keep_texts(rule.json_path, document, budget)
            if not found:
                return index
            undecided.append(Undecided(match_equals=rule.match_equals.text, found=found))
        elif not bind((rule,), route.own_values)(document, budget):  # it needs no value of the target
            return index
    return tuple(undecided)


def _keep_texts(path: Expression, document: JsonValue, budget: Budget) -> tuple[str, ...]:
    """Give the first texts found that a matchEquals could equal; none if the budget does not suffice."""
    try:
        texts = render_found(path.search(document, budget), budget)
        return tuple(islice((text for text in texts if len(text) <= MAX_EXPECTED_LENGTH), MAX_UNDECIDED))
    except EvaluationError:
        return ()
