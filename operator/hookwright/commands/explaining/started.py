"""Whether a delivery that would start a build has already started it."""

from __future__ import annotations

from hookwright.cluster import Cluster
from hookwright.commands.explaining.deliveries import STARTING, Answer
from hookwright.commands.explaining.gathering import look_at_job
from hookwright.kinds import BuildReference
from hookwright.reasons import ALREADY_DELIVERED, Outcome


async def mark_duplicate(cluster: Cluster, answer: Answer) -> Answer:
    """Give the answer on a delivery whose id the sender used before: its builds are there, under their own names."""
    if answer["outcome"] not in STARTING or answer["outcome"] == Outcome.PENDING:
        return answer
    for build in answer["builds"]:
        reference = BuildReference(api_version=build["apiVersion"], kind=build["kind"], name=build["name"])
        glance = await look_at_job(cluster, reference, build["namespace"])
        if glance is None or glance.raw is None:
            return answer
    names = ", ".join(f"{build['kind']} {build['name']}" for build in answer["builds"])
    are = "is" if len(answer["builds"]) == 1 else "are"
    return answer | {
        "outcome": str(ALREADY_DELIVERED.outcome),
        "reason": ALREADY_DELIVERED.name,
        "message": f"{names} of this very delivery {are} there already: nothing more would start.",
        "remedy": ALREADY_DELIVERED.remedy,
    }
