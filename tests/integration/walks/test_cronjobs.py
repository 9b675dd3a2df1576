"""A CronJob as the target of a Webhook."""

from __future__ import annotations

from typing import Any

from support.running import Running, make_secret, make_webhook

PIPELINE = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"}


def make_cronjob(**more: Any) -> dict[str, Any]:
    """Give a CronJob that never starts by itself, with the branch in an annotation."""
    container = {"name": "build", "image": "busybox:1.37"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": "nightly",
            "namespace": "default",
            "annotations": {"config.hookwright.dev/Branch": "main", "config.hookwright.dev/ApiToken": "hush"},
        },
        "spec": {
            "schedule": "0 3 * * *",
            "suspend": True,
            "jobTemplate": {
                "metadata": {"labels": {"app": "nightly"}},
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}, **more},
            },
        },
    }


async def test_delivery_starts_a_job_of_the_cronjob(bare: Running):
    """A push makes a Job as kubectl create job --from does, with our annotation, parameters and a lifetime."""
    cronjob = make_cronjob()
    parameters = [{"name": "COMMIT", "jsonPath": "$.after"}]
    bare.apply(make_secret(), cronjob, make_webhook(targetPipeline=PIPELINE, parameters=parameters))
    url = await bare.until_ready()
    assert (await bare.push(url)).status_code == 202
    (job,) = await bare.until(bare.jobs)
    owner = bare.cluster.get("cronjobs.batch", "default", "nightly")["metadata"]
    (reference,) = job["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["name"], reference["uid"]) == ("CronJob", "nightly", owner["uid"])
    assert "controller" not in reference
    assert job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"
    assert job["metadata"]["labels"]["app"] == "nightly"
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert "COMMIT" in [variable["name"] for variable in container["env"]]
    await bare.until(lambda: bare.last() == ("started", "BuildCreated"))


async def test_lifetime_is_not_shorter_than_the_duplicate_window(bare: Running):
    """A Job that would be removed before its delivery can come again stays for the Webhook's duplicateWindow."""
    webhook = make_webhook(targetPipeline=PIPELINE, duplicateWindow="2h")
    bare.apply(make_secret(), make_cronjob(ttlSecondsAfterFinished=60), webhook)
    await bare.push(await bare.until_ready())
    (job,) = await bare.until(bare.jobs)
    assert job["spec"]["ttlSecondsAfterFinished"] == 7200


async def test_missing_cronjob_is_said_and_waited_for(bare: Running):
    """A delivery whose CronJob comes late starts as soon as it is there, and status says what is missing until then."""
    bare.apply(make_secret(), make_webhook(targetPipeline=PIPELINE))
    await bare.until(lambda: bare.ready() == ("False", "TargetNotFound"))
    status = bare.status()
    assert status["errorCode"] == "PipelineNotFoundException"
    assert "CronJob nightly" in status["errorMessage"]
    answer = await bare.push(status["url"])
    assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    bare.apply(make_cronjob())
    await bare.until(bare.jobs)
    await bare.until_ready()


async def test_template_that_is_refused_is_said(bare: Running):
    """Nobody else tries a CronJob's template: the Webhook does, by a dry run, and heals when it is mended."""
    broken = make_cronjob()
    fault = bare.cluster.answer(
        method="POST",
        path="/apis/batch/v1/namespaces/default/jobs",
        status=403,
        reason="Forbidden",
        message='serviceaccounts "default" is forbidden: User "hookwright" cannot impersonate resource',
        times=None,
    )
    bare.apply(make_secret(), broken, make_webhook(targetPipeline=PIPELINE))
    await bare.until(lambda: bare.ready() == ("False", "TemplateForbidden"))
    assert "hookwright grant" in bare.status()["errorMessage"]
    fault.remove()
    bare.apply(make_webhook(targetPipeline=PIPELINE, suspend=True))
    await bare.until(lambda: bare.ready() == ("True", "Suspended"))


async def test_secret_named_annotation_fills_no_placeholder(bare: Running):
    """An annotation named like a secret is no value, and a filter that asks for it is refused."""
    filters = [{"jsonPath": "$.ref", "matchEquals": "{ApiToken}"}]
    bare.apply(make_secret(), make_cronjob(), make_webhook(targetPipeline=PIPELINE, filters=filters))
    await bare.until(lambda: bare.status().get("errorCode") == "InvalidWebhookFilterPatternException")
    assert "hush" not in str(bare.webhook())
