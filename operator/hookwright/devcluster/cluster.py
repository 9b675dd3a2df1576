"""The development cluster: the API server's parts put together, started, stopped, and in the hands of tests."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Self, TypeVar

from aiohttp import web

from hookwright.devcluster.collector import Collector
from hookwright.devcluster.faults import Fault, Request, chosen_error
from hookwright.devcluster.jobs import JobPlayer
from hookwright.devcluster.kubeconfig import kubeconfig
from hookwright.devcluster.lifecycle import Lifecycle, WriteOptions
from hookwright.devcluster.objects import Objects
from hookwright.devcluster.registry import Registry, defined_key
from hookwright.devcluster.resources import DEFINITIONS, Resource
from hookwright.devcluster.server import Server
from hookwright.devcluster.store import Change, Store
from hookwright.devcluster.values import JsonObject, decode, encode
from hookwright.devcluster.watches import Watches

_T = TypeVar("_T")
_FIRST_NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
_SECONDS_TO_START: Final = 120.0
_SECONDS_TO_STOP: Final = 1.0
_HEADER_LIMIT: Final = 64 * 1024


class DevCluster:
    """A Kubernetes API server for development and tests: loopback only, no authorisation, nothing is kept.

    What it holds lives as long as this object: it may be stopped and started again, as an API server that restarts. All
    methods but `start` and `stop` may be called from any thread.

    Args:
        port: the TCP port; 0 takes a free one, which `url` tells after the start.
        host: a loopback address or `localhost`; anything else is refused with ValueError.
        job_seconds: how long a Job runs.
    """

    def __init__(self, *, port: int = 0, host: str = "127.0.0.1", job_seconds: float = 1.0) -> None:
        _check_host(host)
        self._host = host
        self._port = port
        self._thread: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: web.ServerRunner | None = None
        self._store = Store()
        self._registry = Registry()
        self._lifecycle = Lifecycle(self._store)
        self._watches = Watches(self._store)
        self._jobs = JobPlayer(self._store, self._lifecycle, seconds=job_seconds)
        self._server = Server(self._registry, Objects(self._store, self._lifecycle), self._watches)
        collector = Collector(self._store, self._registry, self._lifecycle)
        self._store.listeners += [
            self._registry.observe,
            self._watches.observe,
            collector.observe,
            self._jobs.observe,
            self._end_watches_of_removed_kinds,
        ]
        for name in _FIRST_NAMESPACES:
            self._apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    @classmethod
    @contextlib.contextmanager
    def in_thread(cls, *, port: int = 0, host: str = "127.0.0.1", job_seconds: float = 1.0) -> Iterator[Self]:
        """Run a cluster in a thread and event loop of its own, for the time of a `with` block."""
        cluster = cls(port=port, host=host, job_seconds=job_seconds)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="devcluster", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(cluster.start(), loop).result(_SECONDS_TO_START)
            yield cluster
        finally:
            asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(_SECONDS_TO_START)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def start(self) -> None:
        """Listen; raise OSError if the port is taken."""
        if self._runner:
            return
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        server = web.Server(
            self._server.handle,
            handler_cancellation=True,
            access_log=None,
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=_SECONDS_TO_STOP)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self.stop()
            raise
        # A second start listens where the first one did.
        self._port = self._runner.addresses[0][1]
        self._jobs.start(self._loop)

    async def stop(self) -> None:
        """End all watches and stop to listen; may be called twice."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._jobs.stop()
        self._server.gate.open()
        self._watches.close()
        await runner.cleanup()
        self._loop = self._thread = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def kubeconfig(self, namespace: str = "default") -> str:
        """Return the YAML text of a kubeconfig that leads here."""
        return kubeconfig(self.url, namespace=namespace)

    def pause(self) -> None:
        """Hold every request, and the events of open watches, until `resume`: a server that hangs."""
        self._call(self._server.gate.close)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._call(self._server.gate.open)

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
        """Give matching requests this Status for an answer instead of doing what they ask.

        `path` is a regular expression for the whole path without the query. `times` is how often; None is until the
        fault is removed.
        """
        error = chosen_error(status, reason, message, headers or {})
        faults = self._server.faults
        return self._call(lambda: faults.add(method=method, path=path, error=error, after=False, times=times))

    def drop(
        self, *, method: str | None = None, path: str = ".*", times: int | None = None, after: bool = False
    ) -> Fault:
        """Close the connection of matching requests without an answer, before or `after` they took effect."""
        faults = self._server.faults
        return self._call(lambda: faults.add(method=method, path=path, error=None, after=after, times=times))

    @property
    def requests(self) -> list[Request]:
        """The last 10,000 requests, oldest first; a watch stands there from when it began."""
        return self._call(lambda: list(self._server.record))

    def get(self, kind: str, namespace: str | None, name: str) -> JsonObject | None:
        """Return a copy of an object, or None; `kind` is `secrets`, `jobs.batch` and the like.

        Raises LookupError if there is no such kind. The namespace of a cluster-wide kind does not matter.
        """

        def read() -> JsonObject | None:
            resource = self._resource(kind)
            stored = self._store.get(resource.key, (namespace if resource.namespaced else None) or "", name)
            return stored.read() if stored else None

        return self._call(read)

    def list(self, kind: str, namespace: str | None = None) -> list[JsonObject]:
        """Return copies of a kind's objects, of one namespace or of all; raise LookupError as `get` does."""

        def read() -> list[JsonObject]:
            return [stored.read() for stored in self._store.all(self._resource(kind).key, namespace)]

        return self._call(read)

    def apply(self, obj: JsonObject) -> JsonObject:
        """Create or replace an object, its status included, and return it as it is stored.

        Raises ApiError for what the server would refuse, LookupError for a kind that is not served.
        """
        return self._call(lambda: self._apply(decode(encode(obj))))

    def close_watches(self) -> None:
        """End all watches now, as an API server does that restarts."""
        self._call(self._watches.close)

    def expire_history(self) -> None:
        """Forget all changes: what goes on from a resourceVersion that was given out before is answered 410.

        Open watches that have seen everything go on.
        """

        def expire() -> None:
            self._store.forget_history()
            self._watches.keep_up()

        self._call(expire)

    def _call(self, act: Callable[[], _T]) -> _T:
        """Run `act` on the server's own event loop, where the store may be touched."""
        loop = self._loop
        if loop is None or self._thread == threading.get_ident():
            return act()

        async def run() -> _T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), loop).result(_SECONDS_TO_START)

    def _resource(self, kind: str) -> Resource:
        plural, _, group = kind.partition(".")
        found = self._registry.by_key((group, plural))
        if found is None:
            raise LookupError(f"the development cluster serves no {kind!r}; kinds are named PLURAL.GROUP")
        return found

    def _apply(self, obj: JsonObject) -> JsonObject:
        resource = self._registry.by_kind(obj.get("apiVersion", ""), obj.get("kind", ""))
        if resource is None:
            raise LookupError(f"the development cluster serves no {obj.get('kind')} in {obj.get('apiVersion')}")
        metadata = obj.setdefault("metadata", {})
        namespace = metadata.get("namespace", "default") if resource.namespaced else ""
        options = WriteOptions(with_status=True, is_patch=True)
        for name in ("resourceVersion", "uid"):
            metadata.pop(name, None)
        if self._store.get(resource.key, namespace, metadata.get("name", "")):
            written = self._lifecycle.update(resource, namespace, metadata["name"], obj, options)
        else:
            written = self._lifecycle.create(resource, namespace, obj, options)
        applied: JsonObject = decode(written.json)
        return applied

    def _end_watches_of_removed_kinds(self, change: Change) -> None:
        if change.type == "DELETED" and change.new.key == DEFINITIONS:
            self._watches.close(defined_key(change.new))


def _check_host(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(f"the development API server listens on loopback addresses only, not on {host!r}")
