# ruff: noqa: T201 - a script that prints
"""What a start from cold takes among many Webhooks on a real API server, and what it costs to be idle there.

Run it as `python tests/bench/cold.py`; it needs the control plane that `make control-plane` builds. The Webhooks are
there before anything of Hookwright runs, each with a Secret of its own. A receiver starts several times, each with an
empty journal, until it has accepted a signed delivery to one of them; the yardstick is a bare list of the same objects,
page by page, in the same round. Then receiver and operator are left alone: an operator that reads Secrets for so long
that it has looked at each once more, then one that may watch them.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import deliveries
from harness.children import HOST, BenchmarkError, Child, cpu_seconds, find_free_port, resident_megabytes, running
from harness.devcluster import CRDS, OWN_NAMESPACE
from harness.figures import compare, spread, tell, write_table
from harness.pace import work_off
from harness.product import make_settings, running_operator

from hookwright.cluster import BUILDTRIGGERS, NAMESPACES, SECRETS, WEBHOOKS, Resource
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.cluster.watched_secrets import WATCHED_LABEL
from hookwright.errors import ClusterError
from hookwright.intake.routes import PATH, make_token
from hookwright.kinds import KINDS, crd
from hookwright.reconcile.rootkey import NAME as ROOT_KEY_NAME
from hookwright.reconcile.webhook import FOUND_SECRET_SECONDS
from support.binaries import Missing, find
from support.controlplane import ControlPlane

ROUNDS = 3
BUILDTRIGGER_COUNT = 10
AT_ONCE = 32
TRY_SECONDS = 0.02
START_SECONDS = 120.0
RECONCILE_SECONDS = 900.0
SETTLE_SECONDS = 10.0
IDLE_SECONDS = 30.0
QUIET = 1.0  # percent of a core
WATCHED = {"metadata": {"labels": {WATCHED_LABEL: "true"}}}

ROLE_BINDINGS = Resource(
    group="rbac.authorization.k8s.io", version="v1", plural="rolebindings", kind="RoleBinding", namespaced=True
)

Raw = dict[str, Any]  # any: objects as JSON


async def furnish(kubeconfig: Path) -> None:
    """Put in what Hookwright needs, but for the Webhooks."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        for kind in KINDS:
            await cluster.create(CRDS, crd(kind))
        for resource in (WEBHOOKS, BUILDTRIGGERS):
            await until_served(cluster, resource)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN_NAMESPACE}}
        await cluster.create(NAMESPACES, namespace)
        await cluster.create(SECRETS, make_root_key(), namespace=OWN_NAMESPACE)
        await cluster.create(ROLE_BINDINGS, make_rights(), namespace=deliveries.NAMESPACE)
        for number in range(BUILDTRIGGER_COUNT):
            await cluster.create(BUILDTRIGGERS, make_buildtrigger(number), namespace=deliveries.NAMESPACE)


async def add_webhooks(kubeconfig: Path, numbers: range) -> list[str]:
    """Put in Webhooks, and their Secrets; give the UIDs of all that are there."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:

        async def create(number: int) -> None:
            await cluster.create(SECRETS, make_secret(number), namespace=deliveries.NAMESPACE)
            await cluster.create(WEBHOOKS, make_webhook(number), namespace=deliveries.NAMESPACE)

        await work_off(create, numbers, at_once=AT_ONCE)
        return [raw["metadata"]["uid"] async for raw in cluster.list(WEBHOOKS)]


async def have_secrets_watched(kubeconfig: Path, count: int) -> None:
    """Label all Secrets of Webhooks as those that are watched."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:

        async def label(number: int) -> None:
            name = make_secret(number)["metadata"]["name"]
            await cluster.patch(SECRETS, WATCHED, namespace=deliveries.NAMESPACE, name=name)

        await work_off(label, range(count), at_once=AT_ONCE)


async def until_served(cluster: KubernetesCluster, resource: Resource) -> None:
    """Wait until a new kind is served."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                async for _ in cluster.list(resource):
                    pass
            except ClusterError:
                await asyncio.sleep(0.1)
            else:
                return


def make_root_key() -> Raw:
    """Give the Secret of the root key, so that URLs are known beforehand."""
    line = base64.b64encode(deliveries.ROOT_KEY)
    data = {"keys": base64.b64encode(line).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": ROOT_KEY_NAME}, "data": data}


def make_rights() -> Raw:
    """Give the right to make builds to the account as which they are made."""
    subject = {"kind": "ServiceAccount", "name": deliveries.SERVICE_ACCOUNT, "namespace": deliveries.NAMESPACE}
    role = {"apiGroup": ROLE_BINDINGS.group, "kind": "ClusterRole", "name": "edit"}
    members = {"metadata": {"name": "builds"}, "roleRef": role, "subjects": [subject]}
    return {"apiVersion": ROLE_BINDINGS.api_version, "kind": ROLE_BINDINGS.kind, **members}


def make_buildtrigger(number: int) -> Raw:
    """Give one of the BuildTriggers, whose Jobs wait for ever."""
    made = deliveries.make_buildtrigger()
    made["metadata"]["name"] += f"-{number}"
    made["spec"]["projectName"] += f"-{number}"
    made["spec"]["build"]["jobTemplate"]["spec"]["suspend"] = True
    return made


def make_secret(number: int) -> Raw:
    """Give the Secret of one of the Webhooks."""
    made = deliveries.make_secret()
    made["metadata"] = {"name": f"{deliveries.SECRET_NAME}-{number}"}
    return made


def make_webhook(number: int) -> Raw:
    """Give one of the Webhooks, which share the BuildTriggers."""
    made = deliveries.make_webhook(number)
    made["spec"]["authenticationConfiguration"]["secretTokenRef"]["name"] = make_secret(number)["metadata"]["name"]
    made["spec"]["targetPipeline"]["name"] += f"-{number % BUILDTRIGGER_COUNT}"
    return made


async def time_list(kubeconfig: Path) -> float:
    """Give the seconds that a list of all Webhooks takes, page by page, as JSON and no more."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        began = time.perf_counter()
        async for _ in cluster.list_pages(WEBHOOKS):
            pass
        return time.perf_counter() - began


def time_start(kubeconfig: Path, folder: Path, uid: str) -> tuple[float, float]:
    """Give the seconds from nothing to the first accepted delivery, and the memory of the process then."""
    port = find_free_port()
    began = time.perf_counter()
    with running(
        "-m", "hookwright", "receiver", "--kubeconfig", str(kubeconfig), environ=make_settings(folder, port)
    ) as child:
        accepted = until_accepted(child, port, PATH + make_token(deliveries.ROOT_KEY, uid))
        return accepted - began, resident_megabytes(child.pid)


def until_accepted(child: Child, port: int, path: str) -> float:
    """Deliver until it is accepted; give the moment at which it was."""
    body = deliveries.make_push("main")
    headers = deliveries.make_headers(body) | {"X-GitHub-Delivery": f"cold-{port}"}
    deadline = time.perf_counter() + START_SECONDS
    while time.perf_counter() < deadline:
        if child.process.poll() is not None:
            raise child.failure("ended too early")
        connection = http.client.HTTPConnection(HOST, port, timeout=20)
        try:
            connection.request("POST", path, body=body, headers=headers)
            if connection.getresponse().status in (200, 202):
                return time.perf_counter()
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(TRY_SECONDS)
    raise child.failure("accepts no delivery")


def until_quiet(child: Child) -> None:
    """Wait until a process has looked at everything."""
    deadline = time.perf_counter() + RECONCILE_SECONDS
    while measure_share(child, SETTLE_SECONDS) > QUIET:
        if time.perf_counter() > deadline:
            raise child.failure(f"is still busy after {RECONCILE_SECONDS:.0f} s")


def measure_share(child: Child, seconds: float) -> float:
    """Give the share of a core that a process takes for so long, in percent."""
    before = cpu_seconds(child.pid)
    time.sleep(seconds)
    return 100 * (cpu_seconds(child.pid) - before) / seconds


def watch_idle(child: Child, seconds: float = IDLE_SECONDS) -> str:
    """Leave a process alone; show the share of a core that it takes then, in percent, and its memory."""
    time.sleep(SETTLE_SECONDS)
    return f"{measure_share(child, seconds):.2f}, {resident_megabytes(child.pid):.0f}"


async def count_ready(kubeconfig: Path) -> int:
    """Count the Webhooks that are Ready."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        return sum([is_ready(raw) async for raw in cluster.list(WEBHOOKS)])


def is_ready(webhook: Raw) -> bool:
    """Say whether a Webhook is Ready."""
    conditions = webhook.get("status", {}).get("conditions", ())
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)


def until_reconciled(kubeconfig: Path, count: int) -> float:
    """Wait until all Webhooks are Ready; give how long that took."""
    began = time.perf_counter()
    while (ready := asyncio.run(count_ready(kubeconfig))) < count:
        if time.perf_counter() > began + RECONCILE_SECONDS:
            raise BenchmarkError(f"{ready} of {count} Webhooks are Ready after {RECONCILE_SECONDS:.0f} s")
        time.sleep(2)
    return time.perf_counter() - began


def measure(folder: Path, count: int) -> None:
    """Measure everything, and print it."""
    with ControlPlane(find(), folder / "plane") as plane:
        kubeconfig = plane.kubeconfig
        tell(f"making {count:,} Webhooks")
        asyncio.run(furnish(kubeconfig))
        (only,) = asyncio.run(add_webhooks(kubeconfig, range(1)))
        alone = [time_start(kubeconfig, folder / f"alone-{number}", only)[0] for number in range(ROUNDS)]
        began = time.perf_counter()
        uids = asyncio.run(add_webhooks(kubeconfig, range(1, count)))
        tell(f"made in {time.perf_counter() - began:.0f} s; starting receivers")
        lists, starts, weights = [], [], []
        for number in range(ROUNDS):
            lists.append(asyncio.run(time_list(kubeconfig)))
            took, weight = time_start(kubeconfig, folder / f"receiver-{number}", uids[len(uids) // 2 + number])
            starts.append(took)
            weights.append(weight)
        tell("a receiver that is left alone")
        port = find_free_port()
        with running(
            "-m", "hookwright", "receiver", "--kubeconfig", str(kubeconfig),
            environ=make_settings(folder / "idle", port),
        ) as child:  # fmt: skip
            until_accepted(child, port, PATH + make_token(deliveries.ROOT_KEY, uids[-1]))
            receiver_idle = watch_idle(child)
        tell("an operator from nothing, then left alone")
        with running_operator(kubeconfig, folder) as operator:
            reconciled = until_reconciled(kubeconfig, count)
            operator_idle = watch_idle(operator, FOUND_SECRET_SECONDS)
        tell("an operator that may watch the Secrets, left alone")
        asyncio.run(have_secrets_watched(kubeconfig, count))
        with running_operator(kubeconfig, folder) as operator:
            until_quiet(operator)
            watching_idle = watch_idle(operator)
    print(f"{count:,} Webhooks and {BUILDTRIGGER_COUNT} BuildTriggers on a real API server, {ROUNDS} rounds")
    rows = [
        ("bare list, s", spread(lists).show(2)),
        ("receiver from cold to the first accepted delivery, s", spread(starts).show(2)),
        ("… of a bare list", compare(starts, lists).show(1)),
        ("… where there is one Webhook, s", spread(alone).show(2)),
        ("receiver's memory then, MB", spread(weights).show(0)),
        (f"receiver idle for {IDLE_SECONDS:.0f} s: % of a core, MB", receiver_idle),
        ("operator from cold until all are Ready, s", f"{reconciled:.0f}"),
        (f"operator idle for {FOUND_SECRET_SECONDS:.0f} s: % of a core, MB", operator_idle),
        (f"… where Secrets are watched, for {IDLE_SECONDS:.0f} s", watching_idle),
    ]
    print(write_table(("", "figure"), rows))


def main() -> int:
    """Print the table; exit code 1 if something did not work, or there is no control plane."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--webhooks", type=int, default=10_000, help="how many (default 10,000)")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        (Path(folder) / "plane").mkdir()
        try:
            measure(Path(folder), arguments.webhooks)
        except (BenchmarkError, Missing) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
