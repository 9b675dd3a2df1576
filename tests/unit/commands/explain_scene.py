"""A cluster in memory for `explain NAME`: Webhook hello, well and listening, until a test changes something."""

from __future__ import annotations

from datetime import timedelta

from hookwright.cluster import BUILDTRIGGERS, LEASES, SECRETS, WEBHOOKS
from hookwright.commands.explaining.gathering import look_around
from hookwright.commands.explaining.report import is_well, render_report, report
from support.fakecluster import FakeCluster
from support.objects import DELIVERY_ID, NOON, WEBHOOK_UID, raw_buildtrigger, raw_secret, raw_webhook

HOOKWRIGHT = "hookwright-system"
BUILD = {"apiVersion": "batch/v1", "kind": "Job", "name": "hello-0123"}
URL = "https://hooks.example.com/hooks/a-credential"


def make_condition(
    reason="Listening", *, message="deliveries to status.url are accepted", status="True", type_="Ready"
):
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-05-01T11:00:00Z",
    }


def make_status(*conditions, **members):
    """Give a status that is about generation 1."""
    shown = list(conditions) or [make_condition()]
    return {"url": URL, "observedGeneration": 1, "conditions": shown, **members}


def not_ready(reason, *, code="SomeException", message="spec.x: some detail", **members):
    """Give a status with Ready False."""
    condition = make_condition(reason, message=message, status="False")
    return make_status(condition, errorCode=code, errorMessage=message, **members)


def make_delivery(outcome="started", reason="BuildCreated", *, message="Job hello-0123 was created", **members):
    """Give a lastDelivery."""
    known = {"id": DELIVERY_ID, "time": "2026-05-01T11:59:00Z"}
    return known | {"outcome": outcome, "reason": reason, "message": message, **members}


def make_job(status=None, **members):
    """Give the Job of the newest delivery."""
    annotations = {"hookwright.dev/delivery": f"{WEBHOOK_UID}/0/{DELIVERY_ID}"}
    return {
        **BUILD,
        "metadata": {"name": BUILD["name"], "namespace": "default", "annotations": annotations},
        "spec": {},
        "status": status or {},
        **members,
    }


def make_lease(*, holder="pod-0", age=1.0):
    """Give the operator's Lease, renewed `age` seconds before noon."""
    renewed = (NOON - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
    return {"metadata": {"name": "hookwright-operator", "namespace": HOOKWRIGHT}, "spec": spec}


def make_cluster(status=None, **spec):
    """Give a cluster in which Hookwright is at work, with a Webhook that has `status`."""
    cluster = FakeCluster()
    cluster.put(SECRETS, raw_secret())
    cluster.put(BUILDTRIGGERS, raw_buildtrigger(status={"observedGeneration": 1}))
    cluster.put(WEBHOOKS, raw_webhook(status=make_status() if status is None else status, **spec))
    cluster.put(LEASES, make_lease())
    return cluster


class Told:
    """What explain says: its data, its text, and whether that is good news."""

    def __init__(self, data):
        self.data = data
        self.text = data["explanation"]
        self.whole = render_report(data)
        self.well = is_well(data)

    def __getitem__(self, name):
        return self.data[name]


async def explain(cluster, name="hello", namespace="default"):
    """Look around in `cluster` at noon, and report."""
    scene = await look_around(cluster, namespace, name, hookwright_namespace=HOOKWRIGHT)
    return Told(report(scene, hookwright_namespace=HOOKWRIGHT, now=NOON))
