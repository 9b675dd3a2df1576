"""A BuildTrigger takes deliveries at its own URL: from each Git host, judged by what happened, into a Job."""

from __future__ import annotations

import asyncio

import pytest

from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import EventType, Provider
from support.deliveries import DELIVERIES
from support.payloads import put
from support.running import Running, make_buildtrigger
from support.triggers import (
    SECRET,
    begin,
    deliver,
    environment_of,
    make_delivery,
    make_trigger,
    make_trigger_secret,
    prove,
    read_secret,
    until_url,
)
from support.waiting import patience

JOBS = r"/apis/batch/v1/namespaces/default/jobs"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("provider", Provider)
async def test_signed_push_starts_job(bare: Running, provider):
    """A push that the Git host signed is answered 202 with the Job's name, and that Job knows what to build."""
    url = await begin(bare, provider=provider)
    response = await deliver(bare, url, provider, delivery_id="d-1")
    answer = response.json()
    assert (response.status_code, answer["reason"], answer["deliveryId"]) == (202, "Accepted", "d-1")
    (build,) = answer["builds"]
    job = await bare.until(lambda: bare.cluster.get("jobs.batch", "default", build["name"]))
    environment = environment_of(job)
    assert environment["HOOKWRIGHT_WEBHOOK_EVENT"] == "PUSH"
    assert environment["HOOKWRIGHT_WEBHOOK_HEAD_REF"] == "refs/heads/main"
    assert environment["HOOKWRIGHT_WEBHOOK_TRIGGER"] == "branch/main"
    assert environment["HOOKWRIGHT_PROJECT_NAME"] == "hello-project"
    assert len(environment["HOOKWRIGHT_SOURCE_VERSION"]) == 40
    assert job["metadata"]["annotations"]["hookwright.dev/started-by"] == "BuildTrigger/hello"
    await bare.until(lambda: (bare.trigger_status().get("lastDelivery") or {}).get("reason") == "BuildCreated")
    status = bare.trigger_status()
    assert status["lastDelivery"]["build"]["name"] == build["name"]
    assert status["lastTriggered"] >= status["lastDelivery"]["time"]


@pytest.mark.parametrize("provider", Provider)
async def test_unsigned_push_is_refused(bare: Running, provider):
    """What was signed with another secret is answered 401 and starts nothing."""
    response = await deliver(bare, await begin(bare, provider=provider), provider, secret="another")
    assert (response.status_code, response.json()["reason"], bare.jobs()) == (401, "NotAuthentic", [])


@pytest.mark.parametrize("provider", Provider)
async def test_every_recorded_delivery_is_answered(bare: Running, provider):
    """Whatever a Git host tells of is answered 2xx with its reason; what is accepted becomes a Job, and no more."""
    events = ", ".join(event for event in EventType if event in DIALECTS[provider].events)
    url = await begin(bare, provider=provider, filterGroups=[[{"type": "EVENT", "pattern": events}]])
    builds: set[str] = set()
    for number, what in enumerate(what for each, what in DELIVERIES if each is provider):
        response = await deliver(bare, url, provider, what, delivery_id=f"d-{number}")
        answer = response.json()
        started = answer["outcome"] == "started"
        assert (response.status_code, bool(answer["builds"])) == ((202, True) if started else (200, False)), what
        builds |= {build["name"] for build in answer["builds"]}
    await bare.until(lambda: len(bare.jobs()) == len(builds))
    assert {job["metadata"]["name"] for job in bare.jobs()} == builds
    told = {environment_of(job)["HOOKWRIGHT_WEBHOOK_EVENT"] for job in bare.jobs()}
    assert told == set(events.split(", "))


async def test_push_of_several_refs_starts_several_jobs(bare: Running):
    """One delivery starts a build for each ref that was pushed, and none for the one that was deleted; only once."""
    url = await begin(bare, provider=Provider.BITBUCKET_CLOUD)
    answer = (await deliver(bare, url, Provider.BITBUCKET_CLOUD, "push_of_four", delivery_id="four")).json()
    assert (answer["reason"], len(answer["builds"])) == ("Accepted", 3)
    await bare.until(lambda: len(bare.jobs()) == 3)
    assert {job["metadata"]["name"] for job in bare.jobs()} == {build["name"] for build in answer["builds"]}
    refs = {environment_of(job)["HOOKWRIGHT_WEBHOOK_HEAD_REF"] for job in bare.jobs()}
    assert len(refs) == 3
    again = (await deliver(bare, url, Provider.BITBUCKET_CLOUD, "push_of_four", delivery_id="four")).json()
    assert (again["reason"], again["builds"], len(bare.jobs())) == ("AlreadyDelivered", answer["builds"], 3)


async def test_merge_request_starts_job_by_its_group(bare: Running):
    """A merge request starts what a group of its own lets pass; the Job knows number, head and base."""
    groups = [
        [{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": "^refs/heads/release/"}],
        [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "BASE_REF", "pattern": "^refs/heads/main$"}],
    ]
    url = await begin(bare, provider=Provider.GITLAB, filterGroups=groups)
    push = (await deliver(bare, url, Provider.GITLAB, "push")).json()
    assert (push["reason"], push["builds"]) == ("NoGroupPassed", [])
    assert "filterGroups" not in push["message"]  # which filter it was is for the owner
    await bare.until(lambda: "HEAD_REF" in bare.trigger_status().get("lastDelivery", {}).get("message", ""))
    answer = (await deliver(bare, url, Provider.GITLAB, "opened", delivery_id="d-2")).json()
    assert answer["reason"] == "Accepted"
    (job,) = await bare.until(bare.jobs)
    environment = environment_of(job)
    assert environment["HOOKWRIGHT_WEBHOOK_TRIGGER"].startswith("pr/")
    assert environment["HOOKWRIGHT_WEBHOOK_BASE_REF"] == "refs/heads/main"


@pytest.mark.parametrize(
    ("what", "spec", "reason"),
    [
        ("branch_deleted", {}, "RefDeleted"),
        ("from_fork", {}, "ForkNotBuilt"),
        ("ping", {}, "Ping"),
        ("release", {}, "EventNotBuilt"),
        ("push", {"suspend": True}, "Suspended"),
        ("push", {"branchFilter": "^release"}, "BranchFilteredOut"),
        ("push", {"source": {"repository": "octo/other"}}, "OtherRepository"),
        ("push", {"source": {"organization": "elsewhere"}}, "OtherRepository"),
    ],
)
async def test_answers_that_start_nothing(bare: Running, what, spec, reason):
    """Each delivery that starts nothing is answered 200 with its reason, which stands in status too."""
    url = await begin(bare, **spec)
    response = await deliver(bare, url, Provider.GITHUB, what)
    answer = response.json()
    assert (response.status_code, answer["reason"], answer["builds"]) == (200, reason, [])
    await bare.until(lambda: bare.trigger_status().get("lastDelivery", {}).get("reason") == reason)
    assert bare.jobs() == []


async def test_hostile_names_stay_data(bare: Running):
    """What a push is called reaches the Job as it is, and the API server takes it."""
    url = await begin(bare)
    names = ("$(id)", "$(HOOKWRIGHT_BUILD_ID)", "`id`;rm&", "x" * 240, "\N{ROCKET}" * 60, "'\"", "-x")
    for number, name in enumerate(names):
        payload = put(DELIVERIES[Provider.GITHUB, "push"].payload, {"ref": f"refs/heads/{name}"})
        response = await deliver(bare, url, payload=payload, delivery_id=f"d-{number}")
        assert response.status_code == 202, response.text
    await bare.until(lambda: len(bare.jobs()) == len(names))
    told = {environment_of(job)["HOOKWRIGHT_WEBHOOK_HEAD_REF"] for job in bare.jobs()}
    assert told == {f"refs/heads/{name}".replace("$", "$$") for name in names}


async def test_one_of_two_triggers_of_a_project_is_refused(bare: Running):
    """Deliveries to it are answered 503 until the project is free: then they start builds."""
    bare.apply(make_trigger("a", projectName="one"), make_trigger("b", projectName="one"))

    def find_refused() -> str:
        codes = {name: bare.trigger_status(name).get("errorCode") for name in "ab"}
        return next((name for name, code in codes.items() if code == "ResourceAlreadyExistsException"), "")

    # Of two that were made in one second, the UID decides which is the older one.
    refused = await bare.until(find_refused, "one of the two is refused")
    other = "a" if refused == "b" else "b"
    await until_url(bare, other)
    url = bare.trigger_status(refused)["payloadUrl"]
    response = await deliver(bare, url, name=refused)
    assert (response.status_code, response.json()["reason"]) == (503, "SpecInvalid")
    bare.apply(make_trigger(other, projectName="other"))
    await until_url(bare, refused)
    assert (await deliver(bare, url, name=refused)).status_code == 202


async def test_provider_that_goes_takes_the_url_along(bare: Running):
    """Without a provider the URL is nobody's; with one again it is the same."""
    url = await begin(bare)
    bare.apply(make_buildtrigger())
    await bare.until(lambda: "payloadUrl" not in bare.trigger_status())
    assert (await bare.client.post(url, content=b"{}")).status_code == 404
    assert await begin(bare) == url


async def test_older_secrets_count(bare: Running):
    """What is in the Secret beside the newest secret is good too."""
    bare.apply(make_trigger_secret(secret="6f" * 32, previous=SECRET), make_trigger())
    url = await until_url(bare)
    for number, secret in enumerate((SECRET, "6f" * 32)):
        assert (await deliver(bare, url, secret=secret, delivery_id=f"d-{number}")).status_code == 202
    assert (await deliver(bare, url, secret="7f" * 32)).status_code == 401


async def test_megabytes_of_commits_start_one_job(bare: Running):
    """Five megabytes of commits are one push; what is larger than any Git host sends is refused unread."""
    url = await begin(bare)
    push = DELIVERIES[Provider.GITHUB, "push"].payload
    commit = push["commits"][0] | {"message": "m" * 2_000}
    response = await deliver(bare, url, payload=push | {"commits": [commit] * 2_000})
    assert (response.status_code, len(response.json()["builds"])) == (202, 1)
    await bare.until(bare.jobs)
    response = await bare.client.post(url, content=b" " * ((25 << 20) + 1))
    assert (response.status_code, response.json()["reason"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize(
    ("provider", "change", "body", "answered"),
    [
        (Provider.GITHUB, {}, b"{", (400, "BodyUnreadable")),
        (Provider.GITHUB, {}, b"\xff", (400, "BodyUnreadable")),
        (Provider.GITHUB, {}, b"[" * 5_000, (400, "BodyUnreadable")),
        (Provider.GITHUB, {"content-type": "text/plain"}, b"{}", (415, "ContentTypeUnsupported")),
        (Provider.GITHUB, {"content-type": FORM}, b"payload=%7B%7D", (200, "EventUnreadable")),
        (Provider.GITEA, {"content-type": FORM}, b"payload=%7B%7D", (415, "ContentTypeUnsupported")),
        (Provider.GITLAB, {}, b"null", (200, "NotAnEvent")),
        (Provider.GITHUB, {"x-github-event": "star"}, b"{}", (200, "NotAnEvent")),
        (Provider.GITHUB, {"x-github-event": ""}, b"{}", (200, "EventUnreadable")),
    ],
)
async def test_bodies_that_are_none(bare: Running, provider, change, body, answered):
    """What is signed and no payload gets its own answer, and starts nothing."""
    url = await begin(bare, provider=provider)
    _, headers = make_delivery(provider)
    headers |= prove(provider, body, read_secret(bare)) | change
    response = await bare.client.post(url, content=body, headers=headers)
    assert (response.status_code, response.json()["reason"]) == answered
    assert bare.jobs() == []


async def test_builds_of_one_delivery_survive_a_restart(bare: Running):
    """What was accepted together and could not be started starts after a restart, each once, and status tells of it."""
    url = await begin(bare, provider=Provider.BITBUCKET_DATA_CENTER)
    fault = bare.cluster.answer(method="POST", path=JOBS, status=503, reason="ServiceUnavailable", times=None)
    answer = (await deliver(bare, url, Provider.BITBUCKET_DATA_CENTER, "push_of_four")).json()
    assert (answer["outcome"], len(answer["builds"])) == ("started", 3)
    await bare.until(lambda: bare.trigger_status().get("lastDelivery", {}).get("reason") == "StartDelayed")
    await bare.stop()
    fault.remove()
    await bare.start()
    await bare.until(lambda: len(bare.jobs()) == 3)
    assert {job["metadata"]["name"] for job in bare.jobs()} == {build["name"] for build in answer["builds"]}
    await bare.until(lambda: "lastTriggered" in bare.trigger_status())
    again = (await deliver(bare, url, Provider.BITBUCKET_DATA_CENTER, "push_of_four")).json()
    assert (again["outcome"], len(bare.jobs())) == ("duplicate", 3)


async def test_redelivery_names_only_what_it_starts(bare: Running):
    """Of a delivery that comes again what had failed is started, and alone is named; what is gone is not made anew."""
    url = await begin(bare, provider=Provider.BITBUCKET_DATA_CENTER)
    bare.cluster.answer(method="POST", path=JOBS, status=403, reason="Forbidden", message="may not", times=1)
    first = (await deliver(bare, url, Provider.BITBUCKET_DATA_CENTER, "push_of_four")).json()
    await bare.until(lambda: len(bare.jobs()) == 2)
    made = {job["metadata"]["name"] for job in bare.jobs()}
    gone = min(made)
    background = {"propagationPolicy": "Background"}
    assert (await bare.client.request("DELETE", f"{bare.cluster.url}{JOBS}/{gone}", json=background)).is_success
    async with patience():
        # Until what failed is concluded, the whole delivery is a duplicate, which nobody tells of.
        while (again := await deliver(bare, url, Provider.BITBUCKET_DATA_CENTER, "push_of_four")).status_code != 202:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    (named,) = again.json()["builds"]
    assert {named["name"]} == {build["name"] for build in first["builds"]} - made
    await bare.until(lambda: {job["metadata"]["name"] for job in bare.jobs()} == (made - {gone}) | {named["name"]})


async def test_failed_delivery_is_a_condition_until_it_is_mended(bare: Running):
    """A build that may not be created is said in a condition; once that is mended and redelivered, it goes."""
    url = await begin(bare)
    fault = bare.cluster.answer(
        method="POST", path=JOBS, status=403, reason="Forbidden", message="jobs is forbidden", times=None
    )
    assert (await deliver(bare, url)).status_code == 202
    failed = ("LastDeliveryFailed", "BuildForbidden")
    await bare.until(lambda: failed in [(one["type"], one["reason"]) for one in bare.trigger_status()["conditions"]])
    fault.remove()
    assert (await deliver(bare, url)).json()["outcome"] == "started"
    await bare.until(bare.jobs)
    await bare.until(lambda: "LastDeliveryFailed" not in [one["type"] for one in bare.trigger_status()["conditions"]])
