"""Whether a delivery that would start a build has already started it."""

from __future__ import annotations

from hookwright.cluster import Cluster
from hookwright.commands.explaining.deliveries import STARTING, Answer
from hookwright.commands.explaining.gathering import look_at_job
from hookwright.kinds import BuildReference
from hookwright.reasons import ALREADY_DELIVERED, Outcome


async def mark_duplicate(cluster: Cluster, answer: Answer) -> Answer:
    """Give the answer on a delivery whose id the sender has used before: its build is there, under its own name."""
    if answer["outcome"] not in STARTING or answer["outcome"] == Outcome.PENDING:
        return answer
    for build in answer["builds"]:
        reference = BuildReference(api_version=build["apiVersion"], kind=build["kind"], name=build["name"])
        glance = await look_at_job(cluster, reference, build["namespace"])
        if glance is not None and glance.raw is not None:
            message = (
                f"{build['kind']} {build['name']} of this very delivery is there already: nothing more would start."
            )
            return answer | {
                "outcome": str(ALREADY_DELIVERED.outcome),
                "reason": ALREADY_DELIVERED.name,
                "message": message,
                "remedy": ALREADY_DELIVERED.remedy,
            }
    return answer
