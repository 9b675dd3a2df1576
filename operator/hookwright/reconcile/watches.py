"""kopf's watches, which feed the mirror.

kopf gets a thread and an event loop of its own: on exit it cancels tasks that are not its own, and it must not end the
receiver when a watch ends. Its handlers only hand over what they saw, typed, so that no raw object waits for the other
thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import kopf
import structlog
from kubernetes.aio.client import Configuration

from hookwright.cluster.port import PAGE
from hookwright.kinds import API_VERSION, KINDS, InvalidObject, ObjectKind
from hookwright.reconcile.listing import ListedResponse, find_typed

log = structlog.get_logger()

Seen = Callable[[type[ObjectKind], str | None, ObjectKind | InvalidObject], None]

# The thread has nothing to lose: if kopf takes longer to end it is left behind.
STOP_SECONDS = 2
# kopf gives its own tasks 5 s to end.
END_SECONDS = 8.0
REMEDY = "if a right is missing, give the operator's account list and watch on webhooks and buildtriggers"
_FORBIDDEN = 403


class Watches:
    """Watches our kinds in all namespaces; `seen` is called in `loop` with kind, event type and object."""

    def __init__(self, configuration: Configuration, *, loop: asyncio.AbstractEventLoop, seen: Seen) -> None:
        self._configuration = configuration
        self._loop = loop
        self._seen = seen
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop watching, and wait until it has."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, STOP_SECONDS)

    async def ended(self) -> None:
        """Wait until the watches end, which without `stop` they do on errors that kopf does not survive."""
        await self._ended.wait()

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception as error:
            if _is_of_the_api_server(error):
                text = str(error.args[0]) if error.args else type(error).__name__
                log.warning("watches", error=text, **({"remedy": REMEDY} if _find_status(error) == _FORBIDDEN else {}))
            else:
                log.exception("watches")
        finally:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._ended.set)

    async def _watch(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_say_in_a_line)
        try:
            await self._operate()
        finally:
            # kopf waits for the flag in a thread, and the event loop's end waits for that thread: without this, watches
            # that end by an error would never be known to have ended.
            self._stop.set()

    async def _operate(self) -> None:
        """Run kopf until one of its parts ends; what does not end with it is left behind."""
        others = asyncio.all_tasks()
        parts = await kopf.spawn_tasks(
            registry=self._make_registry(),
            settings=_make_settings(),
            clusterwide=True,
            standalone=True,
            stop_flag=self._stop,
        )
        running = asyncio.create_task(kopf.run_tasks(parts, ignored=others))
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        # kopf waits without end for a watch that wants to authenticate anew when the others have ended already: nobody
        # would hear that there are no watches any more.
        await asyncio.wait({running}, timeout=END_SECONDS)
        if not running.done():
            self._loop.call_soon_threadsafe(self._ended.set)
        await running

    def _make_registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        configuration = self._configuration

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.AiohttpSession:  # Any: kopf's keywords
            return _open_session(await _connect(configuration), configuration.proxy)

        for kind in KINDS:
            self._register(registry, kind)
        return registry

    def _register(self, registry: kopf.OperatorRegistry, kind: type[ObjectKind]) -> None:
        @kopf.on.event(API_VERSION, kind.PLURAL, registry=registry)
        async def changed(event: Mapping[str, Any], **_: Any) -> None:  # Any: kopf's keywords
            self._loop.call_soon_threadsafe(self._seen, kind, event["type"], find_typed(kind, event["object"]))


def _say_in_a_line(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # Any: asyncio's
    """Say what kopf's tasks leave behind when its watches end, which the end itself tells of, without a traceback."""
    error = context.get("exception")
    if not isinstance(error, Exception) or not _is_of_the_api_server(error):
        log.warning("watches", error=f"kopf leaves an error behind: {type(error).__name__}")


class NoMemory(kopf.DiffBaseStorage):
    """What an object was when its last handler had ended, of which we have none: kopf is to copy no object for it."""

    def build(self, **_: Any) -> kopf.BodyEssence:  # Any: kopf's keywords
        """Give nothing of an object."""
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> None:  # Any: kopf's keywords
        """Give nothing; kopf would read an annotation that anybody may write."""

    def store(self, **_: Any) -> None:  # Any: kopf's keywords
        """Store nothing."""


def _find_status(error: Exception) -> int | None:
    status = getattr(error, "status", None)
    return status if isinstance(status, int) else None


def _is_of_the_api_server(error: Exception) -> bool:
    """Whether it is the API server's refusal or absence, which somebody else must mend, and no mistake of ours.

    kopf's errors of the API are not public; each of them, and of aiohttp's, has the HTTP status.
    """
    return isinstance(error, OSError) or _find_status(error) is not None


def _make_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # Our kinds are known and there from the start: to watch CRDs and namespaces would need rights for nothing.
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = NoMemory()
    settings.watching.chunk_size = PAGE
    settings.watching.server_timeout = 290
    settings.watching.connect_timeout = 30
    # An API server that has come back is not to stay unseen for longer; kopf's own are up to 21 s.
    settings.networking.error_backoffs = (1, 1, 2, 3, 5, 5, 5, 5)
    settings.process.ultimate_exiting_timeout = None
    # A worker lives so long after the last event of its object; by default each would hold a task for 5 s.
    settings.queueing.idle_timeout = 0.1
    settings.queueing.exit_timeout = 0.5
    logging.getLogger("kopf").setLevel(logging.ERROR)
    return settings


def _open_session(info: kopf.ConnectionInfo, proxy: str | None) -> kopf.AiohttpSession:
    """Give the session that kopf would make itself, but for how it reads lists, and a proxy; kopf closes it."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=proxy,
        response_class=ListedResponse,
    )
    return kopf.AiohttpSession(server=info.server, aiohttp_session=session)


async def _connect(configuration: Configuration) -> kopf.ConnectionInfo:
    """Give kopf the same access as the client has."""
    scheme = token = None
    setting = (await configuration.auth_settings()).get("BearerToken")
    if setting is not None:
        scheme, _, token = str(setting["value"]).rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        ca_data=configuration.ca_cert_data,
        insecure=not configuration.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
