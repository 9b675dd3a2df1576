"""A BuildTrigger made ready to judge deliveries.

`compile_trigger` is also the check of the spec: what it refuses stands in status, and the receiver refuses the same.
"""

from __future__ import annotations

from hookwright.builds.scope import find_scope
from hookwright.builds.trigger_filters import NO_FILTERS, Knows, compile_trigger_filters, know_nothing
from hookwright.builds.wanted import TargetRef
from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.cluster.secret_values import name_owners
from hookwright.errors import InvalidSpec
from hookwright.intake.route import NO_SCHEME, SecretRef
from hookwright.intake.schemes.providers import PROVIDER_SCHEMES
from hookwright.intake.trigger_decision import TriggerRoute
from hookwright.intake.trigger_rules import (
    INVALID_INPUT,
    check_lifetime,
    check_trigger_rules,
    check_trigger_standing,
)
from hookwright.kinds import API_VERSION, LIVE_SECRET_KEYS, BuildTrigger, InvalidObject, parse_duration
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.dialect import Change, Dialect, no_event
from hookwright.scm import ScmEvent

MAX_BODY_BYTES = 25 << 20  # GitHub, GitLab: a larger one is not sent


def _understand_nothing(_: Change) -> ScmEvent:
    raise no_event()


_NO_DIALECT = Dialect(event_headers=(), delivery_headers=(), events=frozenset(), understand=_understand_nothing)


def compile_trigger(
    trigger: BuildTrigger | InvalidObject, standing: Standing = GOOD_STANDING, knows: Knows = know_nothing
) -> TriggerRoute:
    """Make `trigger` ready to judge; `knows` says what its provider can be asked for.

    Never raises: the first thing that is wrong with the spec, or with how the object stands to its siblings, is the
    route's `problem`.
    """
    metadata = trigger.metadata
    target = TargetRef(api_version=API_VERSION, kind=BuildTrigger.KIND, name=metadata.name)
    if isinstance(trigger, InvalidObject):
        return TriggerRoute(
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
            target=target,
            scheme=NO_SCHEME,
            dialect=_NO_DIALECT,
            problem=describe_trigger_shape(trigger),
        )
    problem, filters = None, NO_FILTERS
    try:
        check_trigger_standing(trigger, standing)
        check_trigger_rules(trigger)
        filters = compile_trigger_filters(trigger, knows)
        check_lifetime(trigger)
    except InvalidSpec as found:
        problem = found
    spec, provider = trigger.spec, trigger.spec.source.provider
    return TriggerRoute(
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        suspend=spec.suspend,
        max_body_bytes=MAX_BODY_BYTES,
        scheme=PROVIDER_SCHEMES[provider] if provider is not None else NO_SCHEME,
        secret_refs=find_trigger_secret_refs(trigger),
        target=target,
        keep_seconds=int(parse_duration(spec.duplicate_window).total_seconds()),
        problem=problem,
        provider=provider,
        dialect=DIALECTS[provider] if provider is not None else _NO_DIALECT,
        scope=find_scope(spec.source),
        filters=filters,
        wants_files=filters.look_at_files,
        skip_ci=spec.skip_ci,
    )


def find_trigger_secret_refs(trigger: BuildTrigger) -> tuple[SecretRef, ...]:
    """Give where the live secrets of a BuildTrigger are, the newest first; of all but that one it may be that none is.

    Without a provider it has none. A Secret of that name that is somebody else's is none.
    """
    if trigger.spec.source.provider is None:
        return ()
    namespace, name = trigger.metadata.namespace, trigger.secret_name
    owners = name_owners(trigger)
    return tuple(SecretRef(namespace=namespace, name=name, key=key, owners=owners) for key in LIVE_SECRET_KEYS)


def describe_trigger_shape(invalid: InvalidObject) -> InvalidSpec:
    """Say what is wrong with an object that the API server's schema should have refused, with CodeBuild's code."""
    # A field that is misspelt is missing too: the misspelling is what its author wants to hear of first.
    problem = min(invalid.problems, key=lambda one: not one.unknown)
    return InvalidSpec(f"{problem.field}: {problem.message}", code=INVALID_INPUT, field=problem.field)
