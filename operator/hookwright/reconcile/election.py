"""Who may take the Lease, and what is to be written into it then. Pure; `lease` does what is decided here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hookwright.kinds import Raw

NAME = "hookwright-operator"
LONGEST_LEASE_SECONDS = 300  # what stands in the Lease may not lock us out for longer
MAX_TRANSITIONS = 2**31 - 1  # an int32 in the API


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """Durations in seconds, the same for all candidates; `lease` exceeds `deadline` by more than clocks drift apart."""

    lease: int = 15
    deadline: float = 10.0
    renew: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.renew < self.deadline < self.lease <= LONGEST_LEASE_SECONDS:
            raise ValueError(f"must be 0 < renew < deadline < lease <= {LONGEST_LEASE_SECONDS}: {self}")


TERMS = Terms()


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What a Lease says. Times stay text: they are compared, never reckoned with. `lease` is 0 if it says nothing."""

    holder: str = ""
    lease: int = 0
    acquire_time: str = ""
    renew_time: str = ""
    transitions: int = 0
    version: str = field(default="", compare=False)  # somebody's label is no sign of the holder's life


def read_record(raw: Raw) -> Record:
    """Read a Lease; what has the wrong type counts as absent, but for a holder, who may be alive whatever its name."""
    spec = _member(raw, "spec")
    holder = _member(spec, "holderIdentity")
    return Record(
        holder=holder if isinstance(holder, str) else "" if holder is None else repr(holder),
        lease=_count(_member(spec, "leaseDurationSeconds")),
        acquire_time=_text(_member(spec, "acquireTime")),
        renew_time=_text(_member(spec, "renewTime")),
        transitions=_count(_member(spec, "leaseTransitions")),
        version=_text(_member(_member(raw, "metadata"), "resourceVersion")),
    )


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What a candidate sees (None: no Lease), since when by its own clock, and how long it must stay so to be free."""

    record: Record | None
    since: float
    patience: float

    @property
    def free_at(self) -> float:
        """From when on the Lease may be taken, if nothing changes."""
        return self.since + self.patience


def judge_lease(
    record: Record | None,
    seen: Sight | None,
    now: float,
    *,
    identity: str,
    written: Collection[str] = (),
    terms: Terms = TERMS,
) -> Sight:
    """Judge when `identity` may take or renew the Lease that says `record` at `now` of its monotonic clock.

    `seen` is the judgement before. `written` are the renewTimes that this process may have written: while there are
    none, a Lease in its name is its predecessor's and ours at once; then, one with another time is another process's.
    """
    if seen is not None and seen.record == record:
        return seen
    if record is None:
        # A holder does not delete its Lease. If somebody has, it may not know yet, and works on until its deadline.
        patience = seen.patience if seen is not None else 0.0
    elif not record.holder or (record.holder == identity and (not written or record.renew_time in written)):
        patience = 0.0
    else:
        # Not shorter than ours: the holder stops by its deadline, whatever somebody wrote into the Lease.
        patience = float(min(max(record.lease, terms.lease), LONGEST_LEASE_SECONDS))
    return Sight(record=record, since=now, patience=patience)


def make_spec(record: Record | None, *, identity: str, now: datetime, terms: Terms = TERMS) -> dict[str, Any]:
    """Make the spec by which `identity` takes or renews the Lease that says `record`."""
    before = record or Record(holder=identity)
    time_now = format_micro_time(now)
    if time_now == before.renew_time:
        # Others must see a renewal as a change even if our wall clock stands still.
        time_now = format_micro_time(now + timedelta(microseconds=1))
    renews = before.holder == identity
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": terms.lease,
        "acquireTime": (renews and before.acquire_time) or time_now,
        "renewTime": time_now,
        "leaseTransitions": min(before.transitions + (not renews), MAX_TRANSITIONS),
    }


def format_micro_time(time: datetime) -> str:
    """Write a MicroTime as Kubernetes does: RFC 3339, UTC, six digits."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
