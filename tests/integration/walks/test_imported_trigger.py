"""What `hookwright import codebuild` makes of a project works: applied as it is, it builds what AWS would build."""

from __future__ import annotations

import asyncio

import pytest

from hookwright.commands.codebuild import convert, read_listing
from hookwright.scm import Provider
from support.deliveries import DELIVERIES
from support.running import PATIENCE, Running
from support.triggers import deliver, until_url
from support.waiting import patience

BUILDSPEC = """version: 0.2
env:
  variables:
    COLOUR: green
phases:
  build:
    commands:
      - echo $(date) $COLOUR
"""
LOCATIONS = {
    Provider.GITHUB: ("GITHUB", "https://github.com/octo/hello.git"),
    Provider.GITHUB_ENTERPRISE: ("GITHUB_ENTERPRISE", "https://git.example.com/octo/hello.git"),
    Provider.GITLAB: ("GITLAB_SELF_MANAGED", "https://gitlab.example.com/group/sub/hello.git"),
    Provider.BITBUCKET_CLOUD: ("BITBUCKET", "https://bitbucket.org/octo/hello.git"),
}


def import_project(provider, *groups):
    """Give the BuildTrigger that a project of this provider becomes, with everything that a Job can have of it."""
    kind, location = LOCATIONS[provider]
    project = {
        "name": "hello",
        "source": {"type": kind, "location": location, "buildspec": BUILDSPEC},
        "environment": {
            "type": "ARM_CONTAINER",
            "image": "busybox:1.37",
            "computeType": "BUILD_GENERAL1_SMALL",
            "privilegedMode": True,
            "registryCredential": {"credential": "hub", "credentialProvider": "SECRETS_MANAGER"},
            "environmentVariables": [
                {"name": "STAGE", "value": "a $(COLOUR) b"},
                {"name": "a/b", "value": "$(COLOUR) $$"},
                {"name": "KEY", "value": "/key", "type": "PARAMETER_STORE"},
            ],
        },
        "timeoutInMinutes": 30,
        "autoRetryLimit": 1,
        "description": "Says\nhello",
        "tags": [{"key": "team", "value": ""}],
        "webhook": {"filterGroups": list(groups)},
    }
    (imported,) = convert(read_listing([project], "FILE"), namespace="default")
    return imported.trigger


@pytest.mark.parametrize("provider", LOCATIONS)
async def test_imported_project_builds_what_is_pushed(bare: Running, provider):
    """Its BuildTrigger becomes Ready, which the dry run of its Job decides too, and a push makes that Job."""
    push = [{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": "^refs/heads/main$"}]
    bare.apply(import_project(provider, push))
    response = await deliver(bare, await until_url(bare), provider)
    answer = response.json()
    assert (response.status_code, answer["reason"]) == (202, "Accepted")
    (build,) = answer["builds"]
    job = await bare.until(lambda: bare.cluster.get("jobs.batch", "default", build["name"]))
    pod = job["spec"]["template"]["spec"]
    ((clone,), (container,)) = pod["initContainers"], pod["containers"]
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (1, 1800)
    assert container["args"] == ["# build\necho $$(date) $COLOUR"]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    # `$$` stands for one `$` here.
    assert (environment["STAGE"], environment["a/b"]) == ("a $$(COLOUR) b", "$$(COLOUR) $$$$")
    assert {one["name"]: one.get("value") for one in clone["env"]}["HOOKWRIGHT_SOURCE_VERSION"]
    assert clone["volumeMounts"] == container["volumeMounts"]


async def test_imported_filter_groups_leave_out_what_aws_would(bare: Running):
    """A push that no group lets pass starts nothing, one that is said to skip CI does: AWS knows no such words."""
    push = [{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": "^refs/heads/main$"}]
    bare.apply(import_project(Provider.GITHUB, [*push, {"type": "FILE_PATH", "pattern": "^nowhere/"}]))
    url = await until_url(bare)
    ignored = (await deliver(bare, url)).json()
    assert (ignored["outcome"], ignored["reason"], bare.jobs()) == ("ignored", "NoGroupPassed", [])
    bare.apply(import_project(Provider.GITHUB, push))
    payload = DELIVERIES[Provider.GITHUB, "push"].payload
    said = payload | {"head_commit": payload["head_commit"] | {"message": "docs [skip ci]"}}

    async with patience(PATIENCE):
        # Until the receiver knows of the change; each try is a request.
        while (await deliver(bare, url, payload=said, delivery_id="d-2")).status_code != 202:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
