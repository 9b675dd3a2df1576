"""Hookwright as a confused deputy, on a real API server: it does for nobody what it was not let do in that namespace.

In the team's namespace Hookwright may act as `builder`, which may create Jobs, and as `powerless`, which may not. It
may not act as `root`, which may create Jobs, nor as `default`. In another team's namespace it may be `builder` too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from hookwright.cluster import JOBS
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.commands.grant import let_create, let_impersonate
from hookwright.errors import HookwrightError
from support.accounts import ACCOUNTS, until_allowed
from support.controlplane import ControlPlane
from support.deployed import Deployed, deploy
from support.processes import until
from support.realapi import Object, make
from support.rights import read_rules
from support.running import make_buildtrigger, make_secret, make_webhook

# To start the processes takes seconds: all tests share these.
pytestmark = pytest.mark.asyncio(loop_scope="module")

WAITING = {"suspend": True}  # of a Job: no pods are made, which nobody would run
NO_DISGUISE, NO_JOBS = ("failed", "ImpersonationForbidden"), ("failed", "BuildForbidden")
HOSTILE = (
    "other/builder",
    "../builder",
    "builder/../../root",
    "system:serviceaccount:OTHER:builder",
    "system:admin",
    "builder ",
    "builder%2f..",
    "*",
    "",
    "Builder",
    "a" * 254,
)


@dataclass(kw_only=True)
class Scene:
    """Hookwright, a team, and another team that has what the first one would like."""

    deployed: Deployed
    other: str

    def build(self, name: str, *, job: Object | None = None, pod: Object | None = None, **spec: Any) -> str:
        """Apply a BuildTrigger whose template has these members, and a Webhook for it; give its name."""
        trigger = make_buildtrigger(name, **spec)
        template = trigger["spec"]["build"]["jobTemplate"]
        template["spec"]["template"]["spec"] |= pod or {}
        template["spec"] |= WAITING
        template |= job or {}
        self.put(trigger, make_webhook(name, targetPipeline={"name": name}))
        return name

    def put(self, *objects: Object) -> None:
        """Apply objects in the team's namespace."""
        for obj in objects:
            self.deployed.api.apply({**obj, "metadata": {**obj["metadata"], "namespace": self.deployed.team}})

    def jobs_of(self, name: str) -> list[Object]:
        """Give the Jobs that a Webhook has started, wherever they are."""
        deployed = self.deployed
        found = [job for where in (deployed.team, self.other, deployed.own) for job in deployed.jobs(namespace=where)]
        mark = "hookwright.dev/started-by"
        return [job for job in found if job["metadata"].get("annotations", {}).get(mark) == f"Webhook/{name}"]

    async def deliver(self, name: str) -> tuple[str, str]:
        """Deliver to a Webhook; give outcome and reason of what became of it."""
        deployed = self.deployed
        await until(lambda: deployed.status(name).get("url"), f"Webhook {name} has a URL")
        await deployed.until_answered(name, 202)
        await until(lambda: deployed.last(name)[0] in ("started", "failed"), f"the delivery to {name} is over")
        return deployed.last(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A Hookwright that works, for a team that grants it two accounts, and for another one that grants it one."""
    folder = tmp_path_factory.mktemp("deputy")
    async with deploy(control_plane, folder, accounts=("builder",)) as deployed:
        api, team = deployed.api, deployed.team
        ours = [ACCOUNTS[role] for role in deployed.processes]
        with ExitStack() as stack:
            other = stack.enter_context(api.new_namespace("other"))
            api.apply(*(make("ServiceAccount", name, team) for name in ("builder", "powerless", "root")))
            api.apply(make("ServiceAccount", "builder", other))
            grants = [
                *let_impersonate(team, "powerless", deployed.own, ours),
                *let_create(team, "root", ["jobs"]),
                *let_impersonate(other, "builder", deployed.own, ours),
                *let_create(other, "builder", ["jobs"]),
            ]
            api.apply(*(grant.raw for grant in grants))
            until_allowed(api, read_rules(grant.raw for grant in grants))
            secret, trigger = (
                make_secret("theirs", value="their secret"),
                make_buildtrigger("theirs", serviceAccountName="builder"),
            )
            api.apply(*({**obj, "metadata": {**obj["metadata"], "namespace": other}} for obj in (secret, trigger)))
            scene = Scene(deployed=deployed, other=other)
            scene.put(make_secret())
            yield scene


# ── accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_granted_account_builds(scene: Scene):
    """What is let in works: else all that is refused below would prove nothing."""
    name = scene.build("granted", serviceAccountName="builder")
    assert await scene.deliver(name) == ("started", "BuildCreated")
    (job,) = scene.jobs_of(name)
    assert job["metadata"]["namespace"] == scene.deployed.team
    await scene.deployed.until_judged(name)


@pytest.mark.parametrize(
    ("account", "outcome"), [("root", NO_DISGUISE), ("powerless", NO_JOBS), ("absent", NO_DISGUISE)]
)
@pytest.mark.parametrize("where", ["Webhook", "BuildTrigger"])
async def test_account_without_the_right_starts_nothing(scene: Scene, account, outcome, where):
    """An account that may not be acted as, or may not create Jobs, starts nothing, whichever object names it."""
    name = f"{where.lower()}-{account}"
    if where == "Webhook":
        scene.build(name, serviceAccountName="builder")
        scene.put(make_webhook(name, targetPipeline={"name": name}, serviceAccountName=account))
    else:
        scene.build(name, serviceAccountName=account)
    assert await scene.deliver(name) == outcome
    assert scene.jobs_of(name) == []
    named = (f"ServiceAccount {account}", f'"{account}"')
    # For a moment the operator may know the Webhook and not yet its BuildTrigger, and say that.
    await until(
        lambda: any(one in scene.deployed.status(name).get("errorMessage", "") for one in named),
        f"Webhook {name} tells of {account}",
    )
    await scene.deployed.until_judged(name, "False")
    assert account in scene.deployed.status(name)["lastDelivery"]["message"]


async def test_default_account_is_not_granted_by_being_absent(scene: Scene):
    """Who names no account gets `default`, and no more of it than was granted."""
    name = scene.build("nameless")
    assert await scene.deliver(name) == NO_DISGUISE
    assert scene.jobs_of(name) == []


@pytest.mark.parametrize("field", ["serviceAccountName", "serviceAccount"])
async def test_account_of_the_pods_makes_no_job(scene: Scene, field):
    """Whom the pods run as does not say as whom the Job is made: a granted name there lets nobody in."""
    name = scene.build(f"pods-{field.lower()}", pod={field: "builder"})
    assert await scene.deliver(name) == NO_DISGUISE
    assert scene.jobs_of(name) == []


@pytest.mark.parametrize("account", HOSTILE)
@pytest.mark.parametrize("make_object", [make_webhook, make_buildtrigger])
async def test_names_that_are_none_are_refused_at_apply(scene: Scene, make_object, account):
    """What is no name of a ServiceAccount is no value of the field."""
    obj = make_object("hostile", serviceAccountName=account.replace("OTHER", scene.other))
    answer = scene.deployed.api.create({**obj, "metadata": {"name": "hostile"}})
    assert answer.status_code == 422
    assert "spec.serviceAccountName" in answer.json()["message"]


@pytest.mark.parametrize("account", [*HOSTILE, "builder\r\nImpersonate-Group: system:masters", "builder\n", "ü"])
async def test_names_that_are_none_make_no_job(scene: Scene, account):
    """Such a name that came in another way is refused by the API server, or never sent: no Job is made anywhere."""
    deployed, account = scene.deployed, account.replace("OTHER", scene.other)
    access = await load_access(deployed.receiver.kubeconfig)
    job = make("Job", "hostile", deployed.team, spec=make_buildtrigger()["spec"]["build"]["jobTemplate"]["spec"])
    async with KubernetesCluster(access.configuration) as cluster:
        with pytest.raises(HookwrightError):
            await cluster.create(JOBS, job, namespace=deployed.team, service_account=account)
    assert deployed.api.get("Job", "hostile") == {}


# ── Jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_template_chooses_no_place_name_or_owner(scene: Scene):
    """Whatever a template says of namespace, name and owners, the Job is the team's, named and owned as ever."""
    deployed = scene.deployed
    metadata = {
        "namespace": scene.other,
        "name": "theirs",
        "generateName": "theirs-",
        "uid": "x",
        "ownerReferences": [{"apiVersion": "v1", "kind": "Secret", "name": "theirs", "uid": "x", "controller": True}],
        "finalizers": ["example.com/never"],
        "annotations": {"hookwright.dev/delivery": "forged", "hookwright.dev/started-by": "Webhook/forged"},
        "labels": {"app.kubernetes.io/managed-by": "forged", "hookwright.dev/build": "forged"},
    }
    name = scene.build("placed", serviceAccountName="builder", job={"metadata": metadata})
    assert await scene.deliver(name) == ("started", "BuildCreated")
    (job,) = scene.jobs_of(name)
    made = job["metadata"]
    assert made["namespace"] == deployed.team
    assert made["name"].startswith("placed-")
    assert "generateName" not in made
    assert "finalizers" not in made
    assert [(owner["kind"], owner["name"]) for owner in made["ownerReferences"]] == [("BuildTrigger", "placed")]
    assert made["labels"]["app.kubernetes.io/managed-by"] == "hookwright"
    assert made["labels"]["hookwright.dev/build"] == "true"
    assert "forged" not in made["annotations"]["hookwright.dev/delivery"]


@pytest.mark.parametrize(
    "kind", [{"apiVersion": "v1", "kind": "Pod"}, {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"}]
)
async def test_template_chooses_no_kind(scene: Scene, kind):
    """A template that calls itself something else makes a Job all the same, and nothing else."""
    name = scene.build(f"kind-{kind['kind'].lower()}", serviceAccountName="builder", job=kind)
    assert await scene.deliver(name) == ("started", "BuildCreated")
    (job,) = scene.jobs_of(name)
    assert job["metadata"]["namespace"] == scene.deployed.team
    assert scene.deployed.api.client.get(f"/api/v1/namespaces/{scene.deployed.team}/pods").json()["items"] == []


async def test_pod_template_of_another_namespace_is_refused(scene: Scene):
    """A pod template that names another namespace makes nothing there."""
    template = {
        "metadata": {"namespace": scene.other},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "b", "image": "b"}]},
    }
    job = {"spec": {**WAITING, "template": template}}
    name = scene.build("pods-elsewhere", serviceAccountName="builder", job=job)
    await scene.deliver(name)
    assert all(job["metadata"]["namespace"] == scene.deployed.team for job in scene.jobs_of(name))
    assert scene.deployed.jobs(namespace=scene.other) == []


# ── other namespaces ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_another_namespaces_secret_opens_nothing(scene: Scene):
    """A Secret is looked for in the Webhook's own namespace, whatever the reference says beside its name."""
    name = scene.build("secret", serviceAccountName="builder")
    reference = {"name": "theirs", "key": "token", "namespace": scene.other}
    scene.put(
        make_webhook(name, targetPipeline={"name": name}, authenticationConfiguration={"secretTokenRef": reference})
    )
    await scene.deployed.until_judged(name, "False", "SecretNotFound")
    assert "there is no Secret theirs" in scene.deployed.status(name)["errorMessage"]
    # The receiver may hear of it later than the operator.
    answer = await scene.deployed.until_answered(name, 503, secret="their secret")
    assert answer.json()["reason"] == "SecretUnusable"
    assert scene.jobs_of(name) == []


async def test_another_namespaces_target_is_not_started(scene: Scene):
    """A target is looked for in the Webhook's own namespace, whatever the reference says beside its name."""
    scene.put(make_webhook("target", targetPipeline={"name": "theirs", "namespace": scene.other}))
    await scene.deployed.until_judged("target", "False", "TargetNotFound")
    assert scene.jobs_of("target") == []
    assert scene.deployed.jobs(namespace=scene.other) == []


@pytest.mark.parametrize("path", ["OTHER/theirs", "../OTHER/theirs", "../../OTHER/secrets/theirs"])
async def test_paths_are_no_names(scene: Scene, path):
    """A name that would lead elsewhere as a path is refused at apply, with the field."""
    path = path.replace("OTHER", scene.other)
    reference = {"secretTokenRef": {"name": path, "key": "token"}}
    for field, spec in (
        ("spec.targetPipeline.name", {"targetPipeline": {"name": path}}),
        ("spec.authenticationConfiguration.secretTokenRef.name", {"authenticationConfiguration": reference}),
    ):
        answer = scene.deployed.api.create({**make_webhook(**spec), "metadata": {"name": "path"}})
        assert answer.status_code == 422
        assert field in answer.json()["message"]
