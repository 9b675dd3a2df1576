"""A real API server with the face that the development cluster shows to tests.

A proxy on loopback stands before it: what passes is recorded, held, answered as told or dropped, as in devcluster.
Whoever comes without a token is let in as the administrator: scenarios do, as users. Hookwright has a token for each of
its roles. What tests look up themselves does not pass it.

Why a proxy: a real API server cannot be told to answer 403 to the third request; and nobody who asks through the proxy
can see that the answers come from two places.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import aiohttp
import httpx
import yaml
from aiohttp import web

from hookwright.devcluster.errors import ApiError
from hookwright.devcluster.faults import Fault, Faults, Gate, Request, chosen_error, new_record
from hookwright.devcluster.kubeconfig import kubeconfig
from support.access import read_kubeconfig
from support.cleaning import PATHS, clean, locate, path_of, wait_until_served
from support.waiting import HTTP_SECONDS

T = TypeVar("T")
# By the clock, which goes on while this process gets no turn.
SECONDS_TO_START = 300.0
TRIES = 20
AGAIN_SECONDS = 0.1
HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer"}


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the real API server is, and the tokens of the administrator and of Hookwright in each role."""

    url: str
    token: str
    tls: ssl.SSLContext
    roles: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, plane: Any, roles: Mapping[str, str]) -> Self:
        """Read the kubeconfig of a control plane."""
        access = read_kubeconfig(plane.kubeconfig)
        assert isinstance(access.verify, ssl.SSLContext)
        token = access.headers["authorization"].removeprefix("Bearer ")
        return cls(url=access.url, token=token, tls=access.verify, roles=roles)

    def client(self) -> httpx.Client:
        """Make a client that may do everything."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, verify=self.tls, timeout=HTTP_SECONDS, trust_env=False)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An object in a `Change`, as devcluster's store has it."""

    key: tuple[str, str]
    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.raw["metadata"]["name"])

    def read(self) -> dict[str, Any]:
        """Give the object."""
        return self.raw


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one object: ADDED, MODIFIED or DELETED."""

    type: str
    new: Seen


class RealCluster:
    """A proxy before a real API server; its methods are those of `DevCluster`, and mean the same.

    It empties the namespaces that scenarios use when it is made: the API server outlives it.
    """

    def __init__(self, server: Server, *, port: int = 0, job_seconds: float = 0.05) -> None:
        self._server = server
        self._admin = server.client()
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: int | None = None
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._faults = Faults()
        self._gate = Gate()
        self._record = new_record()
        self._watching: set[asyncio.Task[None]] = set()
        self._forgotten = 0  # the newest resourceVersion that is answered 410
        self.job_seconds = job_seconds
        clean(self._admin)

    @classmethod
    @contextlib.contextmanager
    def in_thread(cls, server: Server, *, port: int = 0, job_seconds: float = 0.05) -> Iterator[Self]:
        """Run a proxy in a thread and event loop of its own, for the time of a `with` block."""
        cluster = cls(server, port=port, job_seconds=job_seconds)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="real-cluster", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(cluster.start(), loop).result(SECONDS_TO_START)
            yield cluster
        finally:
            asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(SECONDS_TO_START)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def start(self) -> None:
        """Listen."""
        if self._runner:
            return
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._server.tls, limit=0),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        server = web.Server(
            self._handle, handler_cancellation=True, access_log=None, max_line_size=65536, max_field_size=65536
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End all watches and stop to listen; may be called twice."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._gate.open()
        self._close_watches()
        await runner.cleanup()
        assert self._session is not None
        await self._session.close()
        self._loop = self._thread = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def kubeconfig(self, namespace: str = "default") -> str:
        """Return the YAML text of a kubeconfig that leads here."""
        return kubeconfig(self.url, namespace=namespace)

    def as_role(self, text: str, role: str) -> str:
        """Give a kubeconfig as it is for Hookwright in a role."""
        config = yaml.safe_load(text)
        (user,) = config["users"]
        return yaml.safe_dump({**config, "users": [{**user, "user": {"token": self._server.roles[role]}}]})

    def pause(self) -> None:
        """Hold every request, and the events of open watches, until `resume`."""
        self._call(self._gate.close)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._call(self._gate.open)

    def answer(
        self,
        *,
        status: int,
        method: str | None = None,
        path: str = ".*",
        reason: str = "",
        message: str = "",
        times: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Give matching requests this Status for an answer instead of doing what they ask."""
        error = chosen_error(status, reason, message, headers or {})
        return self._call(lambda: self._faults.add(method=method, path=path, error=error, after=False, times=times))

    def drop(
        self, *, method: str | None = None, path: str = ".*", times: int | None = None, after: bool = False
    ) -> Fault:
        """Close the connection of matching requests without an answer, before or `after` they took effect."""
        return self._call(lambda: self._faults.add(method=method, path=path, error=None, after=after, times=times))

    @property
    def requests(self) -> list[Request]:
        """The last 10,000 requests, oldest first."""
        return self._call(lambda: list(self._record))

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """Return an object, or None; `kind` is `secrets`, `jobs.batch` and the like."""
        answer = self._admin.get(locate(kind, namespace, name))
        return None if answer.status_code == httpx.codes.NOT_FOUND else dict(answer.raise_for_status().json())

    def list(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return a kind's objects, of one namespace or of all; each says its kind."""
        found = self._admin.get(locate(kind, namespace)).raise_for_status().json()
        members = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
        return [members | item for item in found["items"]]

    def apply(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Create or replace an object, its status included, and return it as it is stored.

        Raises ApiError for what the server refuses.
        """
        metadata = {"namespace": "default"} | {
            key: value for key, value in obj.get("metadata", {}).items() if key not in ("resourceVersion", "uid")
        }
        wanted = {**obj, "metadata": metadata}
        for _ in range(TRIES):
            with suppress(_Outrun):
                return self._put(wanted)
        raise ApiError(409, "Conflict", "others write it all the time")

    def _put(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        metadata = dict(wanted["metadata"])
        collection, path = path_of(wanted)
        found = self._admin.get(path)
        if found.status_code == httpx.codes.NOT_FOUND:
            stored = _read(self._admin.post(collection, json=wanted))
            if wanted["kind"] == "CustomResourceDefinition":
                wait_until_served(self._admin, wanted["spec"])
        else:
            metadata["resourceVersion"] = found.json()["metadata"]["resourceVersion"]
            stored = _read(self._admin.put(path, json={**wanted, "metadata": metadata}))
        if "status" in wanted and stored.get("status") != wanted["status"] and collection.split("/")[-1] in PATHS:
            version = {"resourceVersion": stored["metadata"]["resourceVersion"]}
            stored = _read(self._admin.put(f"{path}/status", json={**wanted, "metadata": {**metadata, **version}}))
        return stored

    def follow(self, kind: str, note: Callable[[Any], None]) -> None:
        """Have `note` told of every change of a kind's objects from now on, in a thread of its own."""
        plural, _, group = kind.partition(".")
        path = locate(kind, None)
        version = self._admin.get(path).raise_for_status().json()["metadata"]["resourceVersion"]

        def run() -> None:
            query = {"watch": "true", "resourceVersion": version}
            client = self._server.client()
            # The control plane ends before this thread does.
            with suppress(httpx.HTTPError):
                # A busy API server ends a watch that does not keep up, or is not served in time.
                while True:
                    with client.stream("GET", path, params=query, timeout=None) as answer:
                        # Or it has no room for another one yet.
                        for line in answer.iter_lines() if answer.is_success else ():
                            event = json.loads(line)
                            query["resourceVersion"] = event["object"]["metadata"]["resourceVersion"]
                            note(Change(type=event["type"], new=Seen(key=(group, plural), raw=event["object"])))
                    time.sleep(AGAIN_SECONDS)

        threading.Thread(target=run, name=f"chronicle of {kind}", daemon=True).start()

    def close_watches(self) -> None:
        """End all watches now."""
        self._call(self._close_watches)

    def expire_history(self) -> None:
        """Have what goes on from a resourceVersion that was given out before be answered 410."""
        version = int(self._admin.get("/api/v1/namespaces").raise_for_status().json()["metadata"]["resourceVersion"])

        def expire() -> None:
            self._forgotten = version - 1

        self._call(expire)

    def _call(self, act: Callable[[], T]) -> T:
        loop = self._loop
        if loop is None or self._thread == threading.get_ident():
            return act()

        async def run() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), loop).result(SECONDS_TO_START)

    def _close_watches(self) -> None:
        for task in list(self._watching):
            task.cancel()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        await self._gate.passage()
        fault = self._faults.match(request.method, request.path)
        if fault and not fault.after:
            return self._refuse(request, fault.error)
        watches = request.query.get("watch") in ("true", "True", "1")
        if watches and 0 < int(request.query.get("resourceVersion") or 0) <= self._forgotten:
            return self._refuse(
                request, ApiError(410, "Expired", "The resourceVersion for the provided watch is too old.")
            )
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        headers.setdefault("Authorization", f"Bearer {self._server.token}")
        # All of it: with a limit, what has come so far is given.
        body = await request.content.read() if request.body_exists else None
        async with self._session.request(
            request.method, self._server.url + request.raw_path, headers=headers, data=body, allow_redirects=False
        ) as found:
            await self._gate.passage()
            if fault:
                return self._refuse(request, fault.error)
            self._note(request, found.status)
            kept = {name: value for name, value in found.headers.items() if name.lower() not in HOP_BY_HOP}
            if watches and found.status == httpx.codes.OK:
                return await self._stream(request, found, kept)
            return web.Response(status=found.status, headers=kept, body=await found.read())

    async def _stream(
        self, request: web.BaseRequest, found: aiohttp.ClientResponse, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)

        async def carry() -> None:
            async for chunk in found.content.iter_any():
                await self._gate.passage()
                await response.write(chunk)

        task = asyncio.create_task(carry())
        self._watching.add(task)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            self._watching.discard(task)
        # A client that is gone, or a watch that was closed, is no mistake of anybody's.
        await asyncio.gather(task, return_exceptions=True)
        return response

    def _refuse(self, request: web.BaseRequest, error: ApiError | None) -> web.StreamResponse:
        self._note(request, error.status if error else 0)
        if error is None:
            if request.transport:
                request.transport.close()
            return web.Response()
        return web.json_response(error.body(), status=error.status, headers=error.headers)

    def _note(self, request: web.BaseRequest, status: int) -> None:
        headers = request.headers
        self._record.append(
            Request(
                method=request.method,
                path=request.path,
                query=request.query_string,
                user_agent=headers.get("User-Agent", ""),
                impersonate_user=headers.get("Impersonate-User", ""),
                impersonate_groups=tuple(headers.getall("Impersonate-Group", ())),
                status=status,
            )
        )


class _Outrun(Exception):
    """Somebody else was faster: to be tried again with what is there now."""


def _read(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_success:
        return dict(answer.json())
    said = answer.json()
    if answer.status_code == httpx.codes.CONFLICT and said.get("reason") == "Conflict":
        raise _Outrun
    raise ApiError(answer.status_code, said.get("reason", ""), said.get("message", ""))


@dataclass(frozen=True, kw_only=False)
class RealClusters:
    """Makes clusters on one API server; to be called as `DevCluster` is."""

    server: Server

    def __call__(self, *, port: int, job_seconds: float) -> RealCluster:
        """Give a cluster that is not started yet."""
        return RealCluster(self.server, port=port, job_seconds=job_seconds)

    def in_thread(self, *, port: int, job_seconds: float) -> AbstractContextManager[RealCluster]:
        """Run a cluster in a thread, for the time of a `with` block."""
        return RealCluster.in_thread(self.server, port=port, job_seconds=job_seconds)
