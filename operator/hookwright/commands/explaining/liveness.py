"""Whether an operator is at work, as far as its Lease shows. Pure.

The operator itself never reckons with the times in a Lease, since clocks differ; here they are only told to a person,
and with time to spare.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hookwright.commands.explaining.gathering import Glance
from hookwright.reconcile.election import NAME, read_record

# By so much the clocks of two machines may differ before it is taken for a sign.
CLOCKS_SECONDS = 30


class Operator(StrEnum):
    """What is known of the operator."""

    WORKING = "working"
    SILENT = "silent"  # it holds the Lease, and has not renewed it
    RELEASED = "released"  # the last one has ended, and none has taken over
    ABSENT = "absent"  # there is no Lease
    UNKNOWN = "unknown"  # who asks may not see the Lease


@dataclass(frozen=True, kw_only=True)
class Liveness:
    """The operator's state; `message` says it, without a full stop."""

    state: Operator
    holder: str = ""
    renewed: str = ""
    message: str

    @property
    def missing(self) -> bool:
        """Whether there is a sign that no operator is at work."""
        return self.state in (Operator.SILENT, Operator.RELEASED, Operator.ABSENT)


def judge_liveness(lease: Glance, *, namespace: str, now: datetime) -> Liveness:
    """Say what the Lease in Hookwright's `namespace` shows."""
    where = f"Lease {NAME} in namespace {namespace}"
    if not lease.allowed:
        return Liveness(state=Operator.UNKNOWN, message=f"whether an operator is at work only {where} shows")
    if lease.raw is None:
        message = (
            f"no operator is at work: there is no {where}; start Hookwright, or name its namespace with "
            "--hookwright-namespace"
        )
        return Liveness(state=Operator.ABSENT, message=message)
    record = read_record(lease.raw)
    if not record.holder:
        message = f"no operator is at work: the last one has ended, and nobody has taken {where}; start Hookwright"
        return Liveness(state=Operator.RELEASED, renewed=record.renew_time, message=message)
    renewed = _read_time(record.renew_time)
    if renewed is None or now - renewed > timedelta(seconds=record.lease + CLOCKS_SECONDS):
        message = (
            f"no operator seems to be at work: {record.holder} holds {where}, and renewed it last at "
            f"{record.renew_time or 'no time at all'}; see whether it runs: kubectl -n {namespace} get pods"
        )
        return Liveness(state=Operator.SILENT, holder=record.holder, renewed=record.renew_time, message=message)
    message = f"operator {record.holder} is at work"
    return Liveness(state=Operator.WORKING, holder=record.holder, renewed=record.renew_time, message=message)


def _read_time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
