"""Reconciling a BuildTrigger: its Secret is kept, its Job tried by a dry run as the build's ServiceAccount.

Its builds are followed. Status says what came of all that.
"""

from __future__ import annotations

from hookwright.cluster import BUILDTRIGGERS
from hookwright.cluster.mirror import Key
from hookwright.intake.routes import make_url
from hookwright.kinds import BuildTrigger, Condition, InvalidObject, Webhook
from hookwright.kinds.conditions import LAST_START_FAILED, START_PENDING, settle
from hookwright.reconcile.builds import Followed, follow_builds
from hookwright.reconcile.by_hand import start_by_hand, tell_of_start
from hookwright.reconcile.checks import STARTABLE, SUSPENDED, Finding, Tried, check_buildtrigger, is_judged
from hookwright.reconcile.doubling import warn_trigger
from hookwright.reconcile.notes import Note
from hookwright.reconcile.status import write_members, write_status
from hookwright.reconcile.trial import try_build
from hookwright.reconcile.trigger_secret import keep_secret, tell_secret
from hookwright.reconcile.work import NEVER, Again, find_soonest
from hookwright.reconcile.world import World, make_arn

# A right that is missing may be given, without anything here changing.
FORBIDDEN_SECONDS = 30.0
REFUSED_SECONDS = 300.0
UNKNOWN_SECONDS = 10.0


async def reconcile_buildtrigger(key: Key, world: World) -> Again:
    """Bring one BuildTrigger's status in line."""
    trigger = world.mirror.buildtrigger(key.namespace, key.name)
    if trigger is None or trigger.metadata.deletion_timestamp is not None:
        world.trials.forget(key)
        world.refusals.forget(key)
        world.settled.forget(key)
        return NEVER
    kept = await keep_secret(trigger, world)
    trial, builds = None, Followed()
    if isinstance(trigger, BuildTrigger):
        trial = await _try(key, trigger, world)
        builds = await follow_builds(key, trigger, world)
        if trial.value.error is not None and trial.value.error.transient and is_judged(trigger):
            return find_soonest(Again(trial.seconds_left), builds.again, await _leave_untried(trigger, builds, world))
    tried = trial.value if trial is not None else None
    unstartable = _check(trigger, tried, world)
    by_hand = await start_by_hand(trigger, unstartable, world)
    await write_status(
        trigger,
        unstartable or kept.finding,
        world,
        kind=BuildTrigger,
        resource=BUILDTRIGGERS,
        good=_describe_good(trigger, kept.note),
        members={
            "arn": _make_arn(trigger, world),
            **_tell_url(trigger, world),
            **tell_secret(trigger, kept),
            **builds.members,
            **by_hand.members,
        },
        more=(*builds.conditions, *by_hand.conditions, *_find_doubling(trigger, world)),
        # lastTriggered is the receivers' too, and goes forward only; and a newer request may have been dealt with.
        unless_changed=bool(by_hand.members),
    )
    await tell_of_start(by_hand, trigger, world)
    return find_soonest(
        Again(kept.look_again),
        Again(FORBIDDEN_SECONDS) if kept.finding is not None else NEVER,
        Again(trial.seconds_left) if trial is not None else NEVER,
        builds.again,
        by_hand.again,
    )


async def _leave_untried(trigger: BuildTrigger, builds: Followed, world: World) -> Again:
    """Write what is not about the Job, which could not be tried now: what was said of that stays."""
    by_hand = await start_by_hand(trigger, _check(trigger, None, world), world)
    found = trigger.status.conditions
    stay = [one for one in found if one.type not in (LAST_START_FAILED, START_PENDING)]
    conditions = [one.to_raw() for one in settle([*stay, *by_hand.conditions], found)]
    await write_members(
        trigger,
        {**builds.members, **by_hand.members, "conditions": conditions},
        world,
        kind=BuildTrigger,
        resource=BUILDTRIGGERS,
        unless_changed=bool(by_hand.members),
    )
    await tell_of_start(by_hand, trigger, world)
    return by_hand.again


async def _try(key: Key, trigger: BuildTrigger, world: World) -> Note[Tried]:
    """Give what the API server says of a Job of the BuildTrigger: it is asked anew only if that may have changed."""
    found = world.trials.find(key, trigger.metadata)
    if found is not None:
        return found
    tried = await try_build(BuildTrigger.KIND, trigger.metadata, trigger, world, service_account=None)
    return world.trials.keep(key, trigger.metadata, tried, _find_patience(trigger, tried, world))


def _check(trigger: BuildTrigger | InvalidObject, tried: Tried | None, world: World) -> Finding | None:
    """Give the first thing that is wrong with a BuildTrigger, as it stands to its siblings and its provider."""
    return check_buildtrigger(trigger, tried, standing=world.mirror.standing(trigger), knows=world.starter.facts.knows)


def _find_patience(trigger: BuildTrigger, tried: Tried, world: World) -> float | None:
    """Give for how many seconds the answer to a dry run is believed; None: as long as nothing here changes."""
    if tried.error is not None and tried.error.transient:
        return UNKNOWN_SECONDS
    finding = check_buildtrigger(trigger, tried, knows=world.starter.facts.knows)
    if finding is None:
        return None
    # A policy that refuses may be mended too.
    return FORBIDDEN_SECONDS if finding.heals else REFUSED_SECONDS


def _find_doubling(trigger: BuildTrigger | InvalidObject, world: World) -> tuple[Condition, ...]:
    """Warn if Webhooks start builds of a BuildTrigger that takes deliveries itself."""
    if isinstance(trigger, InvalidObject) or trigger.spec.source.provider is None:
        return ()
    key = Key(BuildTrigger.KIND, trigger.metadata.namespace, trigger.metadata.name)
    found = [world.mirror.webhook(one.namespace, one.name) for one in world.mirror.webhooks_of(key)]
    webhooks = [webhook for webhook in found if isinstance(webhook, Webhook)]
    return warn_trigger(trigger, webhooks, now=world.clock())


def _describe_good(trigger: BuildTrigger | InvalidObject, note: str) -> tuple[str, str]:
    reason, message = STARTABLE, "builds can be started"
    if isinstance(trigger, BuildTrigger) and trigger.spec.suspend and trigger.spec.source.provider is not None:
        reason, message = SUSPENDED, "spec.suspend is true: deliveries are answered and start nothing"
    return reason, "; ".join(filter(None, (message, note)))


def _make_arn(trigger: BuildTrigger | InvalidObject, world: World) -> str:
    """Give the ID, which ends in the project's name as at AWS; in the object's where that cannot be read."""
    metadata = trigger.metadata
    name = trigger.aws_name if isinstance(trigger, BuildTrigger) else metadata.name
    return make_arn(BuildTrigger, cluster=world.settings.cluster_name, namespace=metadata.namespace, name=name)


def _tell_url(trigger: BuildTrigger | InvalidObject, world: World) -> dict[str, str | None]:
    """Give where the provider sends deliveries to, where there is one; of an unreadable spec what was said stays."""
    if isinstance(trigger, InvalidObject):
        return {}
    provider = trigger.spec.source.provider
    url = make_url(world.settings.public_url, world.root_keys.keys, trigger.metadata.uid)
    return {"payloadUrl": url if provider is not None else None}
