"""What is told of a Webhook and of a BuildTrigger alike: sentences, and the data that they are made of. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hookwright.commands.explaining.authenticity import FoundSecrets
from hookwright.commands.explaining.builds import BuildState, Fate
from hookwright.commands.explaining.liveness import Liveness, Operator
from hookwright.commands.explaining.sentences import explain_condition, explain_outcome, explain_reason, join
from hookwright.commands.explaining.state import UNKNOWN, State
from hookwright.kinds import LastDelivery, ObjectMeta, Raw
from hookwright.reasons import BUILD_CREATED, FILTERED_OUT, NO_GROUP_PASSED

# A JSON object that is printed.
Data = dict[str, Any]
MAX_EVENTS = 5


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Whom it is about: its kind, its metadata, how it is typed (bt/hello), and the field of status with its URL."""

    kind: str
    metadata: ObjectMeta
    typed: str
    url_field: str

    def tell_state(self, state: State) -> str:
        """Say whether it does its work, or what stands in the way and what to do."""
        name = f"{self.kind} {self.metadata.namespace}/{self.metadata.name}"
        going = "It is being deleted" if self.metadata.deletion_timestamp is not None else ""
        if not state.reason:
            if state.ready != UNKNOWN:
                return join(f"{name} is {'' if state.ready == 'True' else 'not '}ready, and does not say why", going)
            return join(f"Nothing that can be seen stands in the way of {name}", going)
        said = explain_condition(state.reason, self.kind)
        if state.ready == "True":
            remedy = f"To do: {said.remedy}" if said.remedy else ""
            return join(f"{name} is ready ({state.reason}): {said.sentence}", remedy, going)
        why = f"{state.reason}, {state.code}" if state.code else state.reason
        return join(
            f"{name} is not ready ({why}): {said.sentence}",
            begin(state.message),
            f"To do: {said.remedy}",
            going,
        )

    def tell_staleness(self, state: State, operator: Liveness) -> str:
        """Say that nobody looks after it, or that its status is about an older spec."""
        generation = self.metadata.generation
        stale = ""
        if not state.told.current:
            stale = (
                f"Its status is about an older spec than that of generation {generation}"
                if state.told.reason
                else "No operator has said anything in its status yet"
            )
        if operator.missing:
            return join(stale, begin(operator.message))
        if not stale:
            return ""
        hint = "look again in a moment; if it stays so, look into the operator's log"
        if operator.state is Operator.UNKNOWN:
            return join(f"{stale}: see whether Hookwright runs: {operator.message}")
        return join(f"{stale}; {operator.message}: {hint}")

    def tell_delivery(self, last: LastDelivery | None, build: BuildState | None) -> str:
        """Say what became of the newest delivery, and of its build."""
        if last is None:
            return (
                f"No delivery has reached it yet: see that {self.url_field} is entered at the sender (kubectl get "
                f"{self.kind.lower()} -o wide shows it)"
            )
        when = last.time.isoformat().replace("+00:00", "Z")
        head = f"The newest delivery, {last.id} at {when}, {explain_outcome(last.outcome)} ({last.reason})"
        if build is not None and last.reason == BUILD_CREATED.name:
            # That it was created is in what became of it.
            return join(f"{head}: {build.sentence}")
        said = explain_reason(last.reason)
        # Who wrote the message mostly put sentence and remedy into it.
        detail = last.message.strip().removesuffix(said.remedy).strip()
        fact = said.sentence.partition(":")[0].rstrip(".")
        remedy = self.find_remedy(last)
        parts = [
            said.sentence if fact.lower() not in detail.lower() else "",
            begin(detail),
            build.sentence if build is not None and build.fate is not Fate.AWAITED else "",
            f"To do: {remedy}" if remedy and remedy.rstrip(".") not in detail else "",
        ]
        return join(f"{head}: {join(*parts)}")

    def find_remedy(self, last: LastDelivery) -> str:
        """Give what to do about the newest delivery."""
        judge_it = f"hookwright explain {self.typed} --payload FILE"
        if last.reason == FILTERED_OUT.name:
            return f"Compare each filter with the payload: {judge_it}."
        if last.reason == NO_GROUP_PASSED.name:
            return f"Compare the groups with what happened: {judge_it} --headers FILE."
        return explain_reason(last.reason).remedy

    def describe_delivery(self, last: LastDelivery, build: BuildState | None) -> Data:
        """Give the newest delivery, and what became of its build."""
        said = explain_reason(last.reason)
        written = last.to_raw()
        return {
            "id": last.id,
            "time": written["time"],
            "outcome": last.outcome,
            "reason": last.reason,
            "message": last.message,
            "sentence": said.sentence,
            "remedy": self.find_remedy(last) or None,
            "build": None
            if build is None
            else {
                **written["build"],
                "state": str(build.fate),
                "reason": build.reason or None,
                "message": build.message or None,
            },
        }


def begin(text: str) -> str:
    """Begin a sentence with a capital, unless it begins with the path of a field."""
    return text if "." in text.partition(" ")[0] else text[:1].upper() + text[1:]


def describe_operator(operator: Liveness) -> Data:
    """Give what is known of the operator."""
    return {
        "state": str(operator.state),
        "holder": operator.holder or None,
        "renewed": operator.renewed or None,
        "message": operator.message,
    }


def describe_secrets(secrets: FoundSecrets) -> list[Data]:
    """Give where secrets are, and how each was found."""
    return [{"name": ref.name, "key": ref.key, "state": str(found.state)} for ref, found in secrets]


def describe_events(events: Sequence[Raw]) -> list[Data]:
    """Give the newest of the Kubernetes Events; their times are RFC 3339 in UTC, so that they sort as texts."""
    described = [
        {
            "time": str(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or ""),
            "type": str(event.get("type") or ""),
            "reason": str(event.get("reason") or ""),
            "message": str(event.get("message") or ""),
            "count": event.get("count") if isinstance(event.get("count"), int) else 1,
        }
        for event in events
    ]
    return sorted(described, key=lambda event: str(event["time"]), reverse=True)[:MAX_EVENTS]
