"""The second walk: a Webhook's status follows its spec and what is around it."""

from __future__ import annotations

from typing import Any

import pytest

from support.impatience import be_impatient
from support.running import Running, make_buildtrigger, make_push, make_secret, make_webhook

WEBHOOKS = "/apis/hookwright.dev/v1alpha1/namespaces/default/webhooks"


async def call(running: Running, method: str, path: str, **more: Any) -> Any:
    """Ask the API server as kubectl does."""
    response = await running.client.request(method, running.cluster.url + path, **more)
    assert response.status_code < 300, response.text
    return response.json()


async def test_webhook_gets_url_and_arn(running: Running):
    """A new Webhook gets a URL under the public address, an ARN-like ID, and the generation that they are for."""
    status = running.status()
    assert status["url"].startswith(running.settings.public_url + "/hooks/")
    assert len(status["url"].rpartition("/")[2]) == 32
    assert status["arn"] == "arn:hookwright:webhooks:test:default:webhook:hello"
    assert status["observedGeneration"] == running.webhook()["metadata"]["generation"]
    assert running.ready() == ("True", "Listening")


async def test_arn_carries_the_name_as_at_aws(bare: Running):
    """spec.name, which may hold what Kubernetes' names may not, stands in the ARN-like ID."""
    webhook = make_webhook()
    webhook["spec"]["name"] = "My.Hook@Team"
    bare.apply(make_secret(), make_buildtrigger(), webhook)
    await bare.until(lambda: bare.status().get("arn", "").endswith(":webhook:My.Hook@Team"))


async def test_edits_and_restarts_keep_the_url(running: Running):
    """The URL stays when the spec changes and when Hookwright restarts; deliveries follow the new spec."""
    url = running.status()["url"]
    filters = [{"jsonPath": "$.ref", "matchEquals": "refs/heads/release"}]
    running.apply(make_webhook(filters=filters))
    generation = running.webhook()["metadata"]["generation"]
    await running.until(lambda: running.status()["observedGeneration"] == generation)
    assert running.status()["url"] == url
    assert (await running.push(url)).json()["reason"] == "FilteredOut"
    assert (await running.push(url, make_push("refs/heads/release"))).status_code == 202
    await running.stop()
    await running.start()
    assert (await running.push(url, make_push("refs/heads/release"))).status_code == 202
    assert running.status()["url"] == url


async def test_recreation_changes_the_url(running: Running):
    """A Webhook that is deleted and made again has another URL, and the old one is unknown."""
    old = running.status()["url"]
    await call(running, "DELETE", WEBHOOKS + "/hello")
    assert running.webhook() == {}
    running.apply(make_webhook())
    new = await running.until_ready()
    assert new != old
    assert (await running.push(old)).status_code == 404
    assert (await running.push(new)).status_code == 202


@pytest.mark.parametrize(
    ("spec", "code", "told"),
    [
        ({"filters": [{"jsonPath": "$.ref["}]}, "InvalidWebhookFilterPatternException", "spec.filters[0].jsonPath"),
        (
            {"filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{branch}"}]},
            "InvalidWebhookFilterPatternException",
            "{branch}",
        ),
        (
            {"authenticationConfiguration": {}},
            "InvalidWebhookAuthenticationParametersException",
            "spec.authenticationConfiguration",
        ),
        (
            {"authentication": "UNAUTHENTICATED"},
            "InvalidWebhookAuthenticationParametersException",
            "secretTokenRef",
        ),
        ({"targetAction": "Build"}, "ValidationException", "Source"),
        ({"parameters": [{"name": "A"}]}, "ValidationException", "spec.parameters[0]"),
        ({"parameters": [{"name": "HOOKWRIGHT_X", "value": "1"}]}, "ValidationException", "HOOKWRIGHT_"),
        ({"parameters": [{"name": "A", "jsonPath": "$.a["}]}, "ValidationException", "spec.parameters[0].jsonPath"),
    ],
)
async def test_invalid_spec_is_stalled_with_aws_code(bare: Running, spec, code, told):
    """A spec that only its author can mend is Stalled with AWS's code; deliveries get 503; mending it heals it.

    What a CEL rule can tell has the code at apply, where the API server knows CEL.
    """
    bare.apply(make_secret(), make_buildtrigger())
    if refused := bare.try_to_apply(make_webhook(**spec)):
        assert code in refused
        assert told in refused
        return
    await bare.until(lambda: bare.ready() == ("False", "InvalidSpec"))
    status = bare.status()
    assert status["errorCode"] == code
    assert told in status["errorMessage"]
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"Ready": "False", "Stalled": "True"}
    response = await bare.push(status["url"])
    assert (response.status_code, response.json()["reason"]) == (503, "SpecInvalid")
    bare.apply(make_webhook())
    assert await bare.until_ready() == status["url"]
    assert "errorCode" not in bare.status()
    assert "Stalled" not in [condition["type"] for condition in bare.status()["conditions"]]


async def test_changes_are_announced_once(bare: Running, monkeypatch):
    """Each change of Ready is one Kubernetes Event; a reconcile that changes nothing writes nothing."""
    be_impatient(monkeypatch)
    bare.apply(make_buildtrigger(), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "SecretNotFound"))
    bare.apply(make_secret())
    await bare.until_ready()

    def announced() -> list[tuple[str, str]]:
        found = bare.cluster.list("events", "default")
        return [(event["type"], event["reason"]) for event in found if event["involvedObject"]["kind"] == "Webhook"]

    await bare.until(lambda: {("Warning", "SecretNotFound"), ("Normal", "Listening")} <= set(announced()))
    events = announced()
    assert len(events) == len(set(events))
    version = bare.webhook()["metadata"]["resourceVersion"]
    await call(
        bare,
        "PATCH",
        WEBHOOKS + "/hello",
        json={"metadata": {"annotations": {"hookwright.dev/touched": "true"}}},
        headers={"content-type": "application/merge-patch+json"},
    )
    bare.apply(make_webhook("other"))
    await bare.until_ready("other")
    assert int(bare.webhook()["metadata"]["resourceVersion"]) > int(version)
    patches = [r for r in bare.cluster.requests if r.method == "PATCH" and r.path.endswith("/hello/status")]
    assert len([p for p in patches if "webhooks" in p.path]) <= len(events)


async def test_nothing_of_ours_in_annotations(running: Running):
    """Hookwright writes no annotation and no finalizer on a Webhook: nothing copies its spec, nothing holds it back."""
    metadata = running.webhook()["metadata"]
    assert "annotations" not in metadata
    assert "finalizers" not in metadata


async def test_root_key_is_made_once(running: Running):
    """The root key is a labelled Secret of Hookwright's own namespace, and a restart keeps it."""
    where = ("secrets", "hookwright-system", "hookwright-root-key")
    before = running.cluster.get(*where)
    await running.stop()
    await running.start()
    after = running.cluster.get(*where)
    assert before is not None
    assert before == after
    assert before["metadata"]["labels"]["hookwright.dev/watched"] == "true"


async def test_invalid_object_of_another_way_in_is_refused_in_status(bare: Running):
    """An object that no schema has checked is refused in status, without a traceback and without an endless loop."""
    broken = make_webhook(filters=[{"jsonPath": "x" * 151}])
    schema_free = bare.cluster.get("customresourcedefinitions.apiextensions.k8s.io", None, "webhooks.hookwright.dev")
    assert schema_free is not None
    spec = schema_free["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    spec["spec"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    bare.apply(schema_free)
    bare.apply(make_secret(), make_buildtrigger())
    # A real API server goes by a new schema a moment later.
    await bare.until(lambda: not bare.try_to_apply(broken), "the other schema is in force")
    await bare.until(lambda: bare.ready() == ("False", "InvalidSpec"))
    assert bare.status()["errorCode"] == "InvalidWebhookFilterPatternException"
    response = await bare.push(bare.status()["url"])
    assert (response.status_code, response.json()["reason"]) == (503, "SpecInvalid")
    bare.apply(make_webhook("other"))
    await bare.until_ready("other")
    patches = [r for r in bare.cluster.requests if r.method == "PATCH" and r.path.endswith("/webhooks/hello/status")]
    assert len(patches) <= 3
