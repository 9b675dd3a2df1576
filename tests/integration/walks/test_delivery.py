"""The first walk: a delivery is judged, put on disk, answered, and starts a build."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from hookwright.intake import server
from support.ports import find_port
from support.running import (
    Running,
    make_account,
    make_buildtrigger,
    make_headers,
    make_push,
    make_secret,
    make_webhook,
    run_hookwright,
    sign,
)
from support.waiting import PATIENCE_SECONDS, within


async def test_signed_push_starts_job(running: Running):
    """A push with a true signature is answered 202 with the Job's name, and that Job is made, with its environment."""
    spec = {"parameters": [{"name": "SHA", "jsonPath": "$.after"}, {"name": "WHAT", "from": "eventHeader"}]}
    running.apply(make_webhook("params", **spec))
    response = await running.push(await running.until_ready("params"), delivery="d-1")
    answer = response.json()
    assert response.status_code == 202
    assert (answer["deliveryId"], answer["outcome"], answer["reason"]) == ("d-1", "started", "Accepted")
    (build,) = answer["builds"]
    job = await running.until(lambda: running.cluster.get("jobs.batch", "default", build["name"]))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert environment == {
        "SHA": "0a1b2c",
        "WHAT": "push",
        "HOOKWRIGHT_BUILD_ID": build["name"],
        "HOOKWRIGHT_DELIVERY_ID": "d-1",
        "HOOKWRIGHT_PROJECT_NAME": "hello-project",
    }
    assert job["metadata"]["ownerReferences"][0]["name"] == "hello"


async def test_status_tells_of_start(running: Running):
    """LastTriggered and lastDelivery appear in status once the Job exists."""
    answer = (await running.push(running.status()["url"], delivery="d-2")).json()
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    last = running.status()["lastDelivery"]
    assert last["id"] == "d-2"
    assert last["build"] == {"apiVersion": "batch/v1", "kind": "Job", "name": answer["builds"][0]["name"]}
    assert running.status()["lastTriggered"] >= last["time"]


async def test_build_is_created_as_service_account(running: Running):
    """The Job is created by impersonating the Webhook's ServiceAccount, else the target's, else `default`."""
    running.apply(
        make_account("builder"),
        make_account("deployer"),
        make_buildtrigger("owned", serviceAccountName="builder"),
        make_webhook("own", targetPipeline={"name": "owned"}, serviceAccountName="deployer"),
        make_webhook("target", targetPipeline={"name": "owned"}),
    )
    for name in ("own", "target", "hello"):
        await running.push(await running.until_ready(name))

    def find_accounts() -> list[str]:
        return [
            request.impersonate_user.removeprefix("system:serviceaccount:default:")
            for request in running.cluster.requests
            if request.method == "POST" and request.path.endswith("/jobs") and "dryRun" not in request.query
        ]

    # A Job can be seen before its answer is on record.
    await running.until(lambda: len(find_accounts()) == 3 == len(running.jobs()))
    assert set(find_accounts()) == {"deployer", "builder", "default"}


async def test_same_id_starts_once(running: Running):
    """A delivery that comes again, also at the same time, is a duplicate that names the first build."""
    url = running.status()["url"]
    responses = await asyncio.gather(*(running.push(url, delivery="again") for _ in range(20)))
    assert sorted(response.status_code for response in responses) == [200] * 19 + [202]
    assert len({response.json()["builds"][0]["name"] for response in responses}) == 1
    await running.until(running.jobs)
    later = (await running.push(url, delivery="again")).json()
    assert (later["outcome"], later["reason"]) == ("duplicate", "AlreadyDelivered")
    assert len(running.jobs()) == 1


async def test_same_id_for_two_webhooks_starts_two(running: Running):
    """GitHub gives all hooks of one happening one id: each Webhook starts its own build."""
    running.apply(make_webhook("other"))
    for name in ("hello", "other"):
        response = await running.push(await running.until_ready(name), delivery="shared")
        assert response.status_code == 202
    await running.until(lambda: len(running.jobs()) == 2)


@pytest.mark.parametrize(
    ("change", "body", "status", "reason"),
    [
        ({}, make_push("refs/heads/other"), 200, "FilteredOut"),
        ({}, b'{"zen": "x"}', 200, "FilteredOut"),
        ({"x_github_event": "ping"}, b'{"zen": "x"}', 200, "Ping"),
        ({}, b'{"ref": ', 400, "BodyUnreadable"),
        ({}, b'{"ref": NaN}', 400, "BodyUnreadable"),
        ({}, b"[" * 5000, 400, "BodyUnreadable"),
        ({}, b'{"ref": "\xff"}', 400, "BodyUnreadable"),
        ({}, b"", 400, "BodyUnreadable"),
        ({"content_type": "text/plain"}, make_push(), 415, "ContentTypeUnsupported"),
        ({"content_type": "application/x-www-form-urlencoded"}, b"payload=%7B%7D", 200, "FilteredOut"),
        ({"secret": "another secret"}, make_push(), 401, "NotAuthentic"),
        ({"secret": None}, make_push(), 401, "NotAuthentic"),
        ({"x_hub_signature_256": sign(make_push())[:-1]}, make_push(), 401, "NotAuthentic"),
        ({"x_hub_signature_256": ""}, make_push(), 401, "NotAuthentic"),
        ({"x_hub_signature_256": "sha256="}, make_push(), 401, "NotAuthentic"),
    ],
)
async def test_answers_that_start_nothing(running: Running, change, body, status, reason):
    """Each delivery that starts nothing gets its own answer, and no Job."""
    response = await running.push(running.status()["url"], body, **change)
    answer = response.json()
    assert (response.status_code, answer["reason"], answer["builds"]) == (status, reason, [])
    assert answer["message"]
    assert running.jobs() == []


async def test_refusal_does_not_say_which_check_failed(running: Running):
    """A caller with a wrong signature and one with none get the same answer; the Webhook's owner reads more."""
    url = running.status()["url"]
    told = []
    for secret, reason in ((None, "SignatureMissing"), ("wrong", "SignatureMismatch")):
        answer = (await running.push(url, secret=secret)).json()
        told.append({key: value for key, value in answer.items() if key != "deliveryId"})
        await running.until(lambda reason=reason: running.last() == ("refused", reason))
    assert told[0] == told[1]


async def test_doubled_signature_header_is_refused(running: Running):
    """Two signature headers, one of them right, are no signature."""
    body = make_push()
    headers = [*make_headers(body).items(), ("X-Hub-Signature-256", "sha256=" + "0" * 64)]
    for order in (headers, headers[::-1]):
        response = await running.client.post(running.status()["url"], content=body, headers=order)
        assert response.status_code == 401


async def test_signature_of_another_object_is_refused(running: Running):
    """A delivery signed with another Webhook's secret is not authentic here."""
    running.apply(make_secret("other", value="other secret"))
    reference = {"secretTokenRef": {"name": "other", "key": "token"}}
    running.apply(make_webhook("other", authenticationConfiguration=reference))
    url = await running.until_ready("other")
    assert (await running.push(url)).status_code == 401
    assert (await running.push(url, secret="other secret")).status_code == 202


async def test_body_over_limit_is_refused(running: Running):
    """A body over maxBodyBytes gets 413, whether its length is declared or it comes in chunks."""
    running.apply(make_webhook("small", maxBodyBytes=1000, filters=[]))
    url = await running.until_ready("small")
    just_right = json.dumps({"pad": "x" * (1000 - 11)}).encode()
    assert len(just_right) == 1000
    assert (await running.push(url, just_right)).status_code == 202
    assert (await running.push(url, just_right + b" ")).status_code == 413

    async def chunks():
        for _ in range(300):
            yield b" " * 1000

    response = await running.client.post(url, content=chunks(), headers=make_headers(b""))
    assert (response.status_code, response.json()["reason"]) == (413, "BodyTooLarge")


async def test_chunked_body_is_read(running: Running):
    """A body in chunks is as good as one with a declared length."""
    body = make_push()

    async def chunks():
        for index in range(len(body)):
            yield body[index : index + 1]

    response = await running.client.post(running.status()["url"], content=chunks(), headers=make_headers(body))
    assert response.status_code == 202


@pytest.mark.parametrize(
    "rest",
    ["content-length: 100\r\n\r\n{}", 'transfer-encoding: chunked\r\n\r\n8\r\n{"ref": \r\n'],
    ids=["length", "chunks"],
)
async def test_unfinished_body_starts_nothing(running: Running, rest):
    """A sender that hangs up in the middle of the body starts nothing."""
    running.apply(make_webhook("open", authentication="UNAUTHENTICATED", authenticationConfiguration={}, filters=[]))
    url = await running.until_ready("open")
    host, port = url.split("/")[2].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    path = "/" + url.split("/", 3)[3]
    writer.write(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{rest}".encode())
    await writer.drain()
    writer.close()
    assert (await running.push(url, secret=None, delivery="whole")).status_code == 202
    await running.until(running.jobs)
    await running.until(
        lambda: (
            running.last("open")
            in {("started", "BuildCreated"), ("refused", "BodyIncomplete"), ("refused", "BodyUnreadable")}
        )
    )
    assert len(running.jobs()) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(running: Running, method):
    """Anything but POST gets 405 with Allow."""
    response = await running.client.request(method, running.status()["url"])
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/", "/hooks/abc", "/healthz", "/hooks/../hooks/x", "/%00"])
async def test_unknown_url_is_refused(running: Running, path):
    """A URL that no Webhook has gets 404, whatever the method."""
    for method in ("POST", "GET"):
        response = await running.client.request(method, running.settings.public_url + path)
        assert (response.status_code, response.json()["reason"]) == (404, "URLUnknown")


async def test_suspended_webhook_answers_and_starts_nothing(running: Running):
    """A suspended Webhook answers authentic deliveries 200, says so in status, and starts again when woken."""
    running.apply(make_webhook(suspend=True))
    await running.until(lambda: running.ready() == ("True", "Suspended"))
    url = running.status()["url"]
    response = await running.push(url, delivery="slept")
    assert (response.status_code, response.json()["outcome"]) == (200, "suspended")
    assert (await running.push(url, secret="wrong")).status_code == 401
    running.apply(make_webhook())
    await running.until(lambda: running.ready() == ("True", "Listening"))
    assert (await running.push(url, delivery="slept")).status_code == 202


async def test_unauthenticated_webhook_needs_only_the_url(running: Running):
    """UNAUTHENTICATED accepts whoever knows the URL; each request is a delivery of its own."""
    running.apply(make_webhook("open", authentication="UNAUTHENTICATED", authenticationConfiguration={}))
    url = await running.until_ready("open")
    same = str(uuid.uuid4())
    ids = {(await running.push(url, secret=None, delivery=same)).json()["deliveryId"] for _ in range(2)}
    assert len(ids) == 2
    assert same not in ids
    await running.until(lambda: len(running.jobs()) == 2)


async def test_hostile_values_stay_data(running: Running):
    """What a payload says arrives as it is: no shell, and no variable of the container, is put in its place."""
    nasty = "$(HOOKWRIGHT_PROJECT_NAME) $$(X) `id`; rm -rf / \n'\" \u0000 \U0001f600"
    running.apply(make_webhook("nasty", parameters=[{"name": "MESSAGE", "jsonPath": "$.message"}]))
    response = await running.push(await running.until_ready("nasty"), make_push(message=nasty))
    job = await running.until(
        lambda: running.cluster.get("jobs.batch", "default", response.json()["builds"][0]["name"])
    )
    (value,) = [v["value"] for v in job["spec"]["template"]["spec"]["containers"][0]["env"] if v["name"] == "MESSAGE"]
    assert value.replace("$$", "$") == nasty.replace("\0", "\ufffd")


@pytest.mark.parametrize(
    "rest",
    ["content-length: 100\r\n\r\n{}", "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"],
    ids=["length", "chunks"],
)
async def test_slow_body_is_refused(running: Running, monkeypatch, rest):
    """A sender that never finishes its body is answered 400 after a bounded time, and others are served meanwhile."""
    running.apply(make_webhook("other"))
    url, other = running.status()["url"], await running.until_ready("other")
    begun = asyncio.Event()

    async def note(*args: Any) -> bytes:
        begun.set()
        return await read_body(*args)

    read_body = server.read_body
    monkeypatch.setattr(server, "read_body", note)
    patient = server.BODY_SECONDS
    monkeypatch.setattr(server, "BODY_SECONDS", 0.3)
    host, port = url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /{url.split('/', 3)[3]} HTTP/1.1\r\nhost: x\r\n{rest}".encode())
    await writer.drain()
    await within(PATIENCE_SECONDS, begun.wait())
    # Of the other sender nobody asks for such haste.
    monkeypatch.setattr(server, "BODY_SECONDS", patient)
    assert (await running.push(other)).status_code == 202
    head = await within(PATIENCE_SECONDS, reader.readline())
    assert head.startswith(b"HTTP/1.1 400")
    writer.close()
    await running.until(lambda: running.last() == ("refused", "BodyIncomplete"))


@pytest.mark.parametrize("base", ["/base", "/hooks", "/a/b%20c"])
async def test_public_url_with_a_path(tmp_path: Path, base):
    """A proxy may leave the path of the public URL in a request's path, or take it off: both are the Webhook's URL."""
    address = f"127.0.0.1:{find_port()}"
    async with run_hookwright(tmp_path, public_url=f"http://{address}{base}/", listen=address) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        url = await running.until_ready()
        assert url.startswith(f"http://{address}{base}/hooks/")
        assert (await running.push(url)).status_code == 202
        assert (await running.push(url.replace(f"{base}/hooks/", "/hooks/", 1))).status_code == 202
        assert (await running.push(url.replace(base, "/other", 1))).status_code == 404
