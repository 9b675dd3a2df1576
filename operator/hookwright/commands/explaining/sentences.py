"""What each reason means for whoever asks why nothing starts: what stands in the way, and what to do. Pure.

For deliveries that is the catalogue's own text. For Ready it stands here: the condition's message has the detail, and
these sentences what the detail means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookwright.kinds import BuildTrigger, Webhook
from hookwright.reasons import CATALOGUE, Outcome
from hookwright.reconcile import checks


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence, without a full stop, and what to do; `remedy` is empty where nothing is wrong."""

    sentence: str
    remedy: str = ""


CONDITIONS: Mapping[str, Said] = {
    checks.LISTENING: Said(sentence="deliveries to status.url are accepted"),
    checks.STARTABLE: Said(sentence="builds can be started"),
    checks.SUSPENDED: Said(
        sentence="it is suspended: deliveries are answered and start nothing", remedy="set spec.suspend to false"
    ),
    checks.INVALID_SPEC: Said(
        sentence="its spec is refused, so that every delivery is answered 503",
        remedy="mend the field that the message names and apply it again",
    ),
    checks.SECRET_NOT_FOUND: Said(
        sentence="its Secret does not exist, so that nobody can be recognised",
        remedy="create the Secret, or correct its name; Hookwright looks for it every 10 seconds",
    ),
    checks.SECRET_KEY_MISSING: Said(
        sentence="its Secret lacks the key, so that nobody can be recognised",
        remedy="add the key to the Secret, or correct the key's name; Hookwright looks every 10 seconds",
    ),
    checks.SECRET_EMPTY: Said(
        sentence="its Secret holds nothing but blanks, so that nobody can be recognised",
        remedy="put the secret that the sender has into the Secret; Hookwright looks every 10 seconds",
    ),
    checks.SECRET_MALFORMED: Said(
        sentence="its secret does not have the form that its scheme needs, so that nobody can be recognised",
        remedy="put a secret of that form there, and into the sender's settings; Hookwright looks every 10 seconds",
    ),
    checks.SECRET_FORBIDDEN: Said(
        sentence="Hookwright may not read its Secret, so that nobody can be recognised",
        remedy="let Hookwright's ServiceAccount get that Secret; Hookwright tries every 10 seconds",
    ),
    checks.SECRET_NOT_OWNED: Said(
        sentence="its Secret is somebody else's, and is not touched",
        remedy="do what the message says; Hookwright looks again within 30 seconds",
    ),
    checks.TARGET_NOT_FOUND: Said(
        sentence="what it is to start does not exist; deliveries are accepted and wait for it",
        remedy="create the target, or correct spec.targetPipeline",
    ),
    checks.TARGET_FORBIDDEN: Said(
        sentence="Hookwright may not see what it is to start",
        remedy="let Hookwright's ServiceAccount list and watch cronjobs of batch by its ClusterRole",
    ),
    checks.TARGET_NOT_READY: Said(
        sentence="what it is to start cannot make a build",
        remedy="mend the target as its own status says; the Webhook follows by itself",
    ),
    checks.TEMPLATE_INVALID: Said(
        sentence="the API server would refuse the Job",
        remedy="mend the template of the target's Job; Hookwright tries it again after an edit, or within 5 minutes",
    ),
    checks.ACCOUNT_NOT_FOUND: Said(
        sentence="a ServiceAccount does not exist: that of a build's pods, or the one as which builds are created",
        remedy="create it, or correct its name; Hookwright looks again every 30 seconds",
    ),
    checks.TEMPLATE_FORBIDDEN: Said(
        sentence="the Job may not be created by the build's ServiceAccount, or Hookwright may not act as that account",
        remedy="give the rights that hookwright grant prints; Hookwright tries again every 30 seconds",
    ),
    checks.TEMPLATE_UNTRIED: Said(
        sentence="the API server could not be asked whether it would take the Job",
        remedy="nothing, unless it stays so: Hookwright asks again every 10 seconds; then look at the API server",
    ),
}
# What a reason means of a BuildTrigger, where that is not what it means of a Webhook.
OF_TRIGGERS: Mapping[str, Said] = {
    checks.SECRET_NOT_FOUND: Said(
        sentence="its Secret does not exist, so that nobody can be recognised",
        remedy="nothing, unless it stays so: Hookwright makes it; then look into the operator's log",
    ),
    checks.SECRET_KEY_MISSING: Said(
        sentence="its Secret lacks the key, so that nobody can be recognised",
        remedy="put the Git host's secret there; or delete the Secret, and Hookwright makes one to be entered there",
    ),
    checks.SECRET_EMPTY: Said(
        sentence="its Secret holds nothing but blanks, so that nobody can be recognised",
        remedy="put the Git host's secret there; or delete the Secret, and Hookwright makes one to be entered there",
    ),
    checks.SECRET_MALFORMED: Said(
        sentence="its secret is none that its Git host can send, so that nobody can be recognised by it",
        remedy="put another there, and enter it at the Git host; or delete the Secret, and Hookwright makes one",
    ),
}
OUTCOMES: Mapping[str, str] = {
    Outcome.STARTED: "started a build",
    Outcome.PENDING: "is accepted, and its build is yet to start",
    Outcome.DUPLICATE: "was a duplicate, and started nothing",
    Outcome.PING: "was a ping, and started nothing",
    Outcome.IGNORED: "was passed over",
    Outcome.SUSPENDED: "was answered, and started nothing",
    Outcome.REFUSED: "was refused",
    Outcome.FAILED: "failed",
}


def explain_condition(reason: str, kind: str = Webhook.KIND) -> Said:
    """Say what a reason of Ready means of a kind; one that is not known is a newer Hookwright's."""
    of_kind = OF_TRIGGERS.get(reason) if kind == BuildTrigger.KIND else None
    return of_kind or CONDITIONS.get(reason) or _unknown("Ready")


def explain_reason(reason: str) -> Said:
    """Say what a reason of a delivery means; one that is not known is a newer Hookwright's."""
    known = CATALOGUE.get(reason)
    return Said(sentence=known.sentence, remedy=known.remedy) if known is not None else _unknown("a delivery")


def explain_outcome(outcome: str) -> str:
    """Say what became of a delivery."""
    return OUTCOMES.get(outcome, f"has the outcome {outcome}")


def _unknown(what: str) -> Said:
    return Said(
        sentence=f"this hookwright does not know this reason of {what}; a newer one wrote it",
        remedy="see its message, or use the hookwright of the version that runs in the cluster",
    )


def add(message: str, more: str) -> str:
    """Put more behind a message, whose end is a full stop then; without more it stays as it is."""
    return join(message, more) if more else message


def join(*texts: str) -> str:
    """Put sentences behind one another, each with its end; empty ones are left out."""
    return " ".join(text if text[-1] in ".?!" else f"{text}." for text in (one.strip() for one in texts) if text)
