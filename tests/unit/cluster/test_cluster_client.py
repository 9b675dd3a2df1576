"""What the client makes of kubeconfigs, and of watches that servers break in every way, without a cluster."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import pytest
from kubernetes.aio.client import Configuration

from hookwright.cluster import JOBS, SECRETS, answers, client, streams
from hookwright.cluster.client import KubernetesCluster, find_proxy, load_access
from hookwright.cluster.request import describe_deletion
from hookwright.errors import ClusterError, UsageError
from support.waiting import PATIENCE_SECONDS, eventually, patience

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: a
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"%s}}]
contexts: [{name: a, context: {cluster: c, user: u%s}}]
users: [{name: u, user: {token: t}}]
"""


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """No request is given up unless a test says when."""
    monkeypatch.setattr(client, "REQUEST_SECONDS", 600)


async def test_kubeconfig_is_read(tmp_path):
    """A kubeconfig gives server, token and namespace; without one the namespace is default."""
    for extra, namespace in (("", "default"), (", namespace: team", "team")):
        file = tmp_path / "kubeconfig"
        file.write_text(KUBECONFIG % ("", extra))
        access = await load_access(file)
        assert (access.configuration.host, access.namespace) == ("https://127.0.0.1:1", namespace)


BROKEN = {
    "empty": "",
    "a list": "[1]",
    "no YAML": "a: [1",
    "no UTF-8": b"\xff\xfe",
    "no context": "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n",
    "no user": KUBECONFIG.replace("name: u,", "name: other,") % ("", ""),
    "no cluster": KUBECONFIG.replace("name: c,", "name: other,") % ("", ""),
    "nothing in the context": "current-context: a\ncontexts: [{name: a, context: null}]\nclusters: null\nusers: null\n",
    "no base64": KUBECONFIG % (', certificate-authority-data: "abcde"', ""),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_unusable_kubeconfig_is_a_usage_error(tmp_path, text):
    """A kubeconfig that is broken in whatever way is named, with what to do instead."""
    file = tmp_path / "kubeconfig"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as refused:
        await load_access(file)
    assert str(file) in refused.value.message
    assert "hookwright dev" in refused.value.message
    assert "\n" not in refused.value.message


async def test_missing_kubeconfig_is_a_usage_error(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(UsageError, match="no usable kubeconfig"):
        await load_access(tmp_path / "nowhere")


async def test_certificate_that_is_none_is_a_usage_error(tmp_path):
    """A kubeconfig whose certificate cannot be used is refused in one sentence."""
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG % (', certificate-authority-data: "bm90aGluZw=="', ""))
    access = await load_access(file)
    with pytest.raises(UsageError, match="certificate"):
        KubernetesCluster(access.configuration)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.1"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.2,.example.com"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
    ],
)
def test_proxy_is_that_of_the_environment(monkeypatch, environment, proxy):
    """The API server is reached through the proxy that the environment names for it, unless it is excepted."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_proxy("https://10.0.0.1:6443") == proxy


# ── watches ───────────────────────────────────────────────────────────────────────────────────────────────────────────

OPENING = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
OPEN = ("BOOKMARK", {"metadata": {"resourceVersion": "5"}})
IN_ORDER = b"0\r\n\r\n"
SECRET_VALUE = "aHVzaA=="


def line(version, kind="ADDED", **members):
    obj = {"metadata": {"name": "a", "resourceVersion": str(version)}, "data": {"token": SECRET_VALUE}, **members}
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Server:
    """Answers every request with `answer`, and then closes the connection, or holds it; of several, each once."""

    def __init__(self, answer, *, hold):
        self.answers = iter([answer] * 100 if isinstance(answer, bytes) else answer)
        self.hold = hold
        self.requests = []
        self.closed = 0

    async def speak(self, reader, writer):
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(next(self.answers))
        await writer.drain()
        if self.hold:
            await reader.read()
        self.closed += 1
        writer.close()


@asynccontextmanager
async def speaking(answer, *, hold=False, **more):
    server = Server(answer, hold=hold)
    # Its clock stands still, so that no time that a machine needs counts.
    more = {"clock": lambda: 0.0} | more
    listening = await asyncio.start_server(server.speak, "127.0.0.1", 0)
    configuration = Configuration()
    configuration.host = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        async with patience(PATIENCE_SECONDS), KubernetesCluster(configuration, **more) as cluster:
            yield server, cluster
    finally:
        listening.close()


def watch(cluster, seconds=60, **more):
    return aclosing(cluster.watch(SECRETS, resource_version="5", seconds=seconds, **more))


async def collect(cluster, seconds=60):
    async with watch(cluster, seconds) as events:
        assert await anext(events) == OPEN
        return [(kind, obj["metadata"]["resourceVersion"]) async for kind, obj in events]


async def test_watch_gives_each_event_until_the_server_ends_it():
    """Events come one by one, however the stream is cut; bookmarks are among them."""
    first, second, third = line(6), line(7, "BOOKMARK"), line(8, "DELETED")
    answer = OPENING + chunk(first[:20]) + chunk(first[20:] + second + third[:1]) + chunk(third[1:]) + IN_ORDER
    async with speaking(answer) as (_, cluster):
        assert await collect(cluster) == [("ADDED", "6"), ("BOOKMARK", "7"), ("DELETED", "8")]


async def test_watch_says_what_it_wants():
    """The API server is told where to go on, what to choose, when to end, and that bookmarks are welcome."""
    async with speaking(OPENING + IN_ORDER) as (server, cluster):
        async with watch(cluster, 290, namespace="team", label_selector="a/b=c") as events:
            assert [event async for event in events] == [OPEN]
        method, target, _ = server.requests[0].split(b"\r\n")[0].decode().split()
    assert (method, urlsplit(target).path) == ("GET", "/api/v1/namespaces/team/secrets")
    assert dict(parse_qsl(urlsplit(target).query)) == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "5",
        "timeoutSeconds": "290",
        "labelSelector": "a/b=c",
    }


BROKEN_WATCHES = {
    "cut between chunks": OPENING + chunk(line(6)),
    "cut in a line": OPENING + chunk(line(6) + line(7)[:30]) + IN_ORDER,
    "no JSON": OPENING + chunk(line(6) + b"<html>\n") + IN_ORDER,
    "no event": OPENING + chunk(line(6) + b"{}\n") + IN_ORDER,
    "no object": OPENING + chunk(line(6) + b'{"type": "ADDED", "object": "x"}\n') + IN_ORDER,
}


@pytest.mark.parametrize("answer", BROKEN_WATCHES.values(), ids=BROKEN_WATCHES)
async def test_broken_watch_is_an_absence_of_the_api_server(answer):
    """A stream that breaks, or that is none, is an error that trying again may mend, and shows no Secret."""
    async with speaking(answer) as (_, cluster):
        with pytest.raises(ClusterError) as broken:
            await collect(cluster)
        assert cluster.settling
    assert (broken.value.status, broken.value.transient) == (0, True)
    assert SECRET_VALUE not in f"{broken.value!r} {broken.value.__cause__!r} {broken.value.__context__!r}"


async def test_line_that_never_ends_is_not_kept(monkeypatch):
    """A watch whose line grows beyond the bound is broken off, though the server goes on."""
    monkeypatch.setattr(client, "Lines", lambda: answers.Lines(1000))
    async with speaking(OPENING + chunk(b"x" * 1001), hold=True) as (server, cluster):
        with pytest.raises(ClusterError) as broken:
            await collect(cluster)
        await eventually(lambda: server.closed)
    assert broken.value.status == 0


async def test_silent_watch_is_broken(monkeypatch):
    """A watch from which nothing comes, not even a bookmark, is taken for dead, and its connection closed."""
    monkeypatch.setattr(streams, "SILENCE_SECONDS", 0.01)
    async with speaking(OPENING + chunk(line(6)), hold=True) as (server, cluster):
        with pytest.raises(ClusterError) as broken:
            await collect(cluster)
        await eventually(lambda: server.closed)
    assert broken.value.transient


async def test_watch_that_the_server_does_not_end_ends(monkeypatch):
    """A watch ends soon after the time that was asked for, though the server does not end it."""
    loop, seconds = asyncio.get_running_loop(), 50
    now, over = loop.time, seconds + client.GRACE_SECONDS
    assert over < streams.SILENCE_SECONDS  # which would end it, too
    async with speaking(OPENING + chunk(line(6)), hold=True) as (_, cluster):
        async with watch(cluster, seconds) as events:
            assert [(await anext(events))[0] for _ in range(2)] == ["BOOKMARK", "ADDED"]
            # While it waits for more, the time passes.
            loop.call_soon(monkeypatch.setattr, loop, "time", lambda: now() + over)
            assert [event async for event in events] == []
        monkeypatch.setattr(client, "GRACE_SECONDS", -0.01)
        assert await collect(cluster, seconds=0) == []


async def test_watch_outlasts_the_time_of_other_requests(monkeypatch):
    """The client's own bound on a request, which is 5 minutes, does not end a watch."""
    timeouts = []
    async with speaking(OPENING + IN_ORDER) as (_, cluster):
        call = cluster._api.call_api

        async def note(*args, **more):
            timeouts.append(more["_request_timeout"])
            return await call(*args, **more)

        monkeypatch.setattr(cluster._api, "call_api", note)
        await collect(cluster)
    assert [(timeout.total, timeout.sock_read) for timeout in timeouts] == [(None, None)]


async def test_watch_that_is_left_gives_its_connection_back():
    """Whoever stops listening closes the connection."""
    async with speaking(OPENING + chunk(line(6) + line(7)), hold=True) as (server, cluster):
        async with watch(cluster) as events:
            assert [(await anext(events))[0] for _ in range(2)] == ["BOOKMARK", "ADDED"]
            assert not server.closed
        await eventually(lambda: server.closed)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
async def test_refused_watch_is_the_refusal(status):
    """A refusal of a watch has the API server's status, reason and words."""
    body = json.dumps({"kind": "Status", "message": "no", "reason": "Because", "code": status}).encode()
    answer = b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
    async with speaking(answer) as (_, cluster):
        with pytest.raises(ClusterError) as refused:
            await collect(cluster)
        assert not cluster.settling
    assert (refused.value.status, refused.value.reason, refused.value.message) == (status, "Because", "no")


async def test_error_event_is_a_refusal():
    """A version that is too old is often said inside the stream: that is the same 410."""
    status = {"kind": "Status", "metadata": {}, "message": "too old", "reason": "Expired", "code": 410}
    event = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
    async with speaking(OPENING + chunk(line(6) + event), hold=True) as (_, cluster):
        with pytest.raises(ClusterError) as refused:
            await collect(cluster)
    assert (refused.value.status, refused.value.reason) == (410, "Expired")


async def test_absent_api_server_has_no_watch():
    """A server that cannot be reached, or hangs up, is an absence."""
    async with speaking(b"") as (_, cluster):
        with pytest.raises(ClusterError) as absent:
            await collect(cluster)
    assert absent.value.status == 0


async def test_api_server_that_was_away_settles_for_a_while(monkeypatch):
    """After an absence, or a proxy's word for one, the client says so until the API server has had time."""
    for answer in (b"", answer_with(503, REFUSAL)):
        async with speaking(answer) as (_, cluster):
            assert not cluster.settling
            with pytest.raises(ClusterError):
                await cluster.get(JOBS, namespace="default", name="a")
            assert cluster.settling
            monkeypatch.setattr(client, "SETTLING_SECONDS", 0.0)
            assert not cluster.settling
            monkeypatch.undo()


async def test_server_that_does_not_begin_to_answer_is_absent(monkeypatch):
    """A watch whose answer does not begin is given up."""
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.01)
    async with speaking(b"", hold=True) as (_, cluster):
        with pytest.raises(ClusterError) as absent:
            await collect(cluster)
    assert absent.value.status == 0


# ── what is told of requests ──────────────────────────────────────────────────────────────────────────────────────────


def answer_with(status, document, *headers):
    body = json.dumps(document).encode()
    head = b"".join(header.encode() + b"\r\n" for header in (f"Content-Length: {len(body)}", *headers))
    return b"HTTP/1.1 %d X\r\n%sConnection: close\r\n\r\n%s" % (status, head, body)


REFUSAL = {"kind": "Status", "message": "no", "reason": "Because"}
FOUND = {"metadata": {"name": "a"}, "items": []}


async def watch_once(cluster):
    async with watch(cluster) as events:
        await anext(events)


REQUESTS = {
    "get": lambda cluster: cluster.get(SECRETS, namespace="team", name="a"),
    "list": lambda cluster: anext(cluster.list_pages(SECRETS)),
    "watch": watch_once,
    "create": lambda cluster: cluster.create(SECRETS, {}, namespace="team"),
    "patch": lambda cluster: cluster.patch(SECRETS, {}, namespace="team", name="a", subresource="status"),
    "delete": lambda cluster: cluster.delete(SECRETS, namespace="team", name="a", uid="uid-1"),
}


@pytest.mark.parametrize("verb", REQUESTS)
@pytest.mark.parametrize("status", [200, 403, 404, 409, 500, 0])
async def test_each_request_is_told_with_its_verb_and_status(verb, status):
    """Whoever counts is told of each request once, whatever came of it; status 0 is no answer."""
    told, began = [], time.perf_counter()
    answer = answer_with(status, FOUND if status == 200 else REFUSAL) if status else b""
    async with speaking(answer, asked=lambda *asked: told.append(asked)) as (_, cluster):
        with suppress(ClusterError):
            await REQUESTS[verb](cluster)
    assert [asked[:3] for asked in told] == [(verb, SECRETS, status)]
    assert 0 <= told[0][3] <= time.perf_counter() - began


async def test_namespace_that_is_being_deleted_counts_as_gone():
    """Who counts refusals is not told of a right that is missing; who has asked gets the refusal as it is."""
    told = []
    message = 'secrets "a" is forbidden: unable to create new content in namespace team because it is being terminated'
    answer = answer_with(403, {"kind": "Status", "message": message, "reason": "Forbidden"})
    async with speaking(answer, asked=lambda *asked: told.append(asked)) as (_, cluster):
        with pytest.raises(ClusterError) as refused:
            await REQUESTS["create"](cluster)
    assert (refused.value.status, refused.value.namespace_ends) == (403, True)
    assert [asked[:3] for asked in told] == [("create", SECRETS, 404)]


def test_no_verb_goes_untold():
    """Each verb that the client knows is among those that are tried here."""
    assert set(client._METHODS) == set(REQUESTS)


@pytest.mark.parametrize("account", ["", "a/b", "system:serviceaccount:b:c", "a\r\nX-Y: z", "A", "a" * 254])
async def test_nothing_but_a_name_says_as_whom_we_act(account):
    """What is no name of a ServiceAccount is refused before anything is sent."""
    configuration = Configuration(host="http://127.0.0.1:1")
    async with KubernetesCluster(configuration) as cluster:
        with pytest.raises(ClusterError, match="no name of a ServiceAccount") as refused:
            await cluster.create(JOBS, {"metadata": {}}, namespace="default", service_account=account)
        with pytest.raises(ClusterError, match="no name of a ServiceAccount"):
            await cluster.delete(JOBS, namespace="default", name="a", uid="uid-1", service_account=account)
    assert (refused.value.status, refused.value.transient) == (422, False)


# ── an API server that is busy ────────────────────────────────────────────────────────────────────────────────────────

OTHERS = [verb for verb in REQUESTS if verb != "watch"]


def turn_away(seconds):
    return answer_with(429, REFUSAL, f"Retry-After: {seconds}")


class Naps:
    """Takes no time, and notes for how long somebody wanted to sleep; its clock moves by that, and by what is added."""

    def __init__(self):
        self.slept = []
        self.time = 0.0

    async def __call__(self, seconds):
        self.slept.append(seconds)
        self.time += seconds

    def clock(self):
        return self.time


@pytest.mark.parametrize("verb", OTHERS)
async def test_request_that_is_turned_away_comes_again_when_it_may(verb):
    """Whatever is asked is asked again when a busy API server says, and each time is counted."""
    naps, told = Naps(), []
    answers = [turn_away(2), turn_away(0), answer_with(200, FOUND)]
    async with speaking(answers, asked=lambda *asked: told.append(asked[2]), sleep=naps) as (server, cluster):
        await REQUESTS[verb](cluster)
    assert naps.slept == [2.0, 1.0]
    assert told == [429, 429, 200]
    assert len({request.split(b" HTTP")[0] for request in server.requests}) == 1


@pytest.mark.parametrize(("wait", "tries"), [(1, 6), (3, 2), (5, 2), (6, 1), (86_400, 1)])
async def test_busy_api_server_is_not_waited_for_for_ever(wait, tries):
    """All waits of one request are 5 seconds together at most; then it is a refusal that may pass."""
    naps = Naps()
    async with speaking(turn_away(wait), sleep=naps, clock=naps.clock) as (server, cluster):
        with pytest.raises(ClusterError) as refused:
            await cluster.get(SECRETS, namespace="team", name="a")
        assert not cluster.settling
    assert (refused.value.status, refused.value.transient, refused.value.retry_after) == (429, True, wait)
    assert len(server.requests) == tries == len(naps.slept) + 1
    assert sum(naps.slept) <= client.BUSY_SECONDS


@pytest.mark.parametrize(("takes", "tries"), [(0.5, 4), (1, 3), (3, 2), (4.5, 1), (20, 1)])
async def test_time_in_which_a_busy_api_server_refuses_counts(takes, tries):
    """A server that is slow to say that it is busy is asked less often: the last try begins within the 5 seconds."""
    naps, began = Naps(), []

    def take(*_):
        began.append(naps.time)
        naps.time += takes

    async with speaking(turn_away(1), asked=take, sleep=naps, clock=naps.clock) as (server, cluster):
        with pytest.raises(ClusterError) as refused:
            await cluster.get(SECRETS, namespace="team", name="a")
    assert refused.value.transient
    assert len(server.requests) == len(began) == tries
    assert began[-1] <= client.BUSY_SECONDS


@pytest.mark.parametrize(
    "answer",
    [
        answer_with(429, REFUSAL),
        turn_away("Wed, 21 Oct 2026 07:28:00 GMT"),
        turn_away("-1"),
        turn_away("1.5"),
        turn_away("9" * 5000),
        answer_with(503, REFUSAL, "Retry-After: 1"),
        answer_with(403, REFUSAL, "Retry-After: 1"),
    ],
)
async def test_only_a_busy_api_server_that_says_when_is_waited_for(answer):
    """Without a number of seconds, or with another refusal, whoever asked hears at once."""
    naps = Naps()
    async with speaking(answer, sleep=naps) as (_, cluster):
        with pytest.raises(ClusterError) as refused:
            await cluster.get(SECRETS, namespace="team", name="a")
    assert (naps.slept, refused.value.retry_after) == ([], None)


# ── deletions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_deletion_is_of_one_object_and_what_it_owns():
    """Only the object with that UID is deleted, what it owns goes after it, and it is done as the account."""
    async with speaking(answer_with(200, FOUND)) as (server, cluster):
        await cluster.delete(JOBS, namespace="team", name="a", uid="uid-1", service_account="builder")
    (request,) = server.requests
    assert request.startswith(b"DELETE /apis/batch/v1/namespaces/team/jobs/a HTTP/1.1")
    assert b"impersonate-user: system:serviceaccount:team:builder" in request.lower()
    options = describe_deletion("uid-1")
    assert (options["propagationPolicy"], options["preconditions"]) == ("Background", {"uid": "uid-1"})


async def test_deletion_of_what_is_gone_is_done():
    """An object that is not there any more needs no deletion; any other refusal is told."""
    async with speaking(answer_with(404, REFUSAL)) as (_, cluster):
        await cluster.delete(JOBS, namespace="team", name="a", uid="uid-1")
    async with speaking(answer_with(403, REFUSAL)) as (_, cluster):
        with pytest.raises(ClusterError) as refused:
            await cluster.delete(JOBS, namespace="team", name="a", uid="uid-1")
    assert refused.value.status == 403


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_list_is_given_as_it_comes():
    """What has come of a list is given before the rest has; its version comes with the last part."""
    first, rest = (
        b'{"items":[{"metadata":{"name":"a"}},{"meta',
        b'data":{"name":"b"}}],"metadata":{"resourceVersion":"7"}}',
    )
    async with speaking(OPENING + chunk(first) + chunk(rest) + IN_ORDER) as (_, cluster):
        pages = [page async for page in cluster.list_pages(SECRETS)]
    assert [one["metadata"]["name"] for page in pages for one in page.items] == ["a", "b"]
    assert pages[-1].resource_version == "7"


BROKEN_LISTS = {
    "cut between chunks": OPENING + chunk(b'{"metadata":{},"items":[{"metadata":{"name":"' + SECRET_VALUE.encode()),
    "cut in an item": OPENING + chunk(b'{"metadata":{},"items":[{"metadata":{"name":"aHVzaA==') + IN_ORDER,
    "no list": OPENING + chunk(b'{"metadata":{},"data":"aHVzaA=="}') + IN_ORDER,
    "no JSON": OPENING + chunk(b"<html>aHVzaA==") + IN_ORDER,
}


@pytest.mark.parametrize("answer", BROKEN_LISTS.values(), ids=BROKEN_LISTS)
async def test_broken_list_is_an_absence_of_the_api_server(answer):
    """A list that breaks, or is none, is an error that trying again may mend, and shows no Secret."""
    async with speaking(answer) as (_, cluster):
        with pytest.raises(ClusterError) as broken:
            [page async for page in cluster.list_pages(SECRETS)]
    assert (broken.value.status, broken.value.transient) == (0, True)
    assert SECRET_VALUE not in f"{broken.value!r} {broken.value.__cause__!r} {broken.value.__context__!r}"


async def test_list_that_stands_still_is_given_up(monkeypatch):
    """A list whose rest does not come is given up, and its connection closed."""
    # From when the answer has begun.
    hurry = partial(monkeypatch.setattr, client, "REQUEST_SECONDS", 0.2)
    answer = OPENING + chunk(b'{"metadata":{},"items":[')
    async with speaking(answer, hold=True, asked=lambda *_: hurry()) as (server, cluster):
        with pytest.raises(ClusterError, match="does not answer"):
            [page async for page in cluster.list_pages(SECRETS)]
        await eventually(lambda: server.closed)
