"""The Kubernetes port on the official client's transport.

Objects go over the wire as plain JSON: the client's typed models cost a third of the start rate and would be thrown
away at once, since objects become models of our own kinds.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.rest import RESTResponse
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from hookwright import __version__
from hookwright.cluster.answers import BOOKMARK, Lines, read_event, read_object, read_refusal
from hookwright.cluster.lists import ITEMS, ListReader
from hookwright.cluster.own_token import OwnToken
from hookwright.cluster.port import PAGE, Page
from hookwright.cluster.request import describe_deletion, impersonate, select
from hookwright.cluster.resources import Resource
from hookwright.cluster.streams import make_absence, read_pieces, read_some
from hookwright.errors import ClusterError, UsageError
from hookwright.kinds import Raw

REQUEST_SECONDS = 30
# So long after its first try a request is sent again to an API server that is too busy (429) and says when to come; how
# long the server took to say so counts. A sender of a delivery may wait for it, and GitHub gives up after 10 seconds.
BUSY_SECONDS = 5.0
# An API server that comes back refuses for a moment what it allows: so long after an absence no refusal is believed.
SETTLING_SECONDS = 15.0
# So much later than we asked for, a server may end a watch.
GRACE_SECONDS = 15.0
CONNECTIONS = 100
# Whoever asks bounds it. The client's own would end a watch after 5 minutes, and each call would pay for its timer.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
# No answer, or that of a proxy before it.
_ABSENT: Final = (0, 502, 503, 504)
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
# Kubernetes' verbs, as rights have them.
_METHODS: Final = {
    **dict.fromkeys(("get", "list", "watch"), "GET"),
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}

T = TypeVar("T")
Asked = Callable[[str, Resource, int, float], None]
"""Is told of a request: verb, resource, HTTP status (0: no answer, 404: or its namespace ends), seconds until then."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the API server is and how to prove who we are; and the namespace that the kubeconfig chose."""

    configuration: Configuration
    namespace: str


async def load_access(kubeconfig: Path | None = None) -> Access:
    """Find the API server: `kubeconfig`, else the pod's own account, else the default kubeconfig ($KUBECONFIG).

    Raises:
        UsageError: there is none, or it cannot be read.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None and (namespace := _find_own_namespace()) is not None:
            # The official client leaves some functions untyped: the reason of each `type: ignore` in this module.
            load_incluster_config(client_configuration=configuration, try_refresh_token=False)  # type: ignore[no-untyped-call]
            configuration.refresh_api_key_hook = OwnToken().refresh  # type: ignore[assignment]  # it is declared None
            return Access(configuration=configuration, namespace=namespace)
        loader = await load_kube_config(  # type: ignore[no-untyped-call]
            config_file=str(kubeconfig) if kubeconfig is not None else None,
            client_configuration=configuration,
            persist_config=False,
        )
    except (ConfigException, OSError, ValueError, yaml.YAMLError) as error:
        raise _unusable(kubeconfig, " ".join(str(error).split())) from None
    except (TypeError, LookupError, AttributeError):
        # The loader trusts the file to have the form of a kubeconfig.
        raise _unusable(kubeconfig, "it does not have the form of a kubeconfig") from None
    context = loader.current_context["context"]
    return Access(configuration=configuration, namespace=context.get("namespace") or "default")


def _unusable(kubeconfig: Path | None, why: str) -> UsageError:
    where = kubeconfig or "in $KUBECONFIG or ~/.kube/config"
    return UsageError(f"no usable kubeconfig {where}: {why}; for a cluster of your own, run hookwright dev")


def _find_own_namespace() -> str | None:
    """Give the namespace of the pod that we run in; None outside a cluster."""
    file = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
    return file.read_text().strip() if file.exists() else None


def find_proxy(url: str) -> str | None:
    """Give the proxy that the environment names for `url` ($HTTPS_PROXY, $NO_PROXY); None if there is none."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


class KubernetesCluster:
    """The `Cluster` port over HTTP; one per process and event loop, closed with `async with` or `close`."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        watches: int = 0,
        asked: Asked = lambda *_: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up the connections, which are made when they are needed; `watches` more, of which each takes one.

        `asked` is told of each request.

        Raises:
            UsageError: a certificate or key of the configuration cannot be used.
        """
        # Otherwise aiohttp asks for proxies and .netrc in two threads at each request, which is half of its cost.
        configuration.client_session_kwargs = {"trust_env": False}
        configuration.connection_pool_maxsize = CONNECTIONS + watches
        if configuration.proxy is None:
            configuration.proxy = find_proxy(configuration.host)
        try:
            self._api = ApiClient(configuration)
        except OSError as error:
            raise UsageError(f"a certificate or key of the kubeconfig cannot be used: {error}") from None
        self._user_agent = f"hookwright/{__version__}"
        self._asked = asked
        self._sleep = sleep
        self._clock = clock
        self._absent_at = -math.inf  # when the API server was last known to be away

    @property
    def settling(self) -> bool:
        """Whether the API server was away just now, whoever found it so: what it refuses may be allowed in a moment."""
        return self._clock() - self._absent_at < SETTLING_SECONDS

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def get(self, resource: Resource, *, namespace: str | None = None, name: str) -> Raw | None:
        """See `Cluster.get`."""
        try:
            return await self._call("get", resource, resource.path(namespace=namespace, name=name))
        except ClusterError as error:
            if error.status == 404:  # noqa: PLR2004 - Not Found
                return None
            raise

    async def list(self, resource: Resource, *, namespace: str | None = None) -> AsyncIterator[Raw]:
        """See `Cluster.list`."""
        async for page in self.list_pages(resource, namespace=namespace):
            for item in page.items:
                yield item

    async def list_pages(
        self, resource: Resource, *, namespace: str | None = None, label_selector: str = "", size: int = PAGE
    ) -> AsyncIterator[Page]:
        """See `Cluster.list_pages`."""
        query = {"limit": str(size)} | select(label_selector)
        path = resource.path(namespace=namespace)
        while True:
            response = await self._insist(lambda: self._open("list", resource, path, query))
            reader = ListReader()
            try:
                async for data in read_pieces(response, REQUEST_SECONDS):
                    for items in reader.feed(data):
                        yield Page(items=items)
                items = reader.end()
            except ClusterError as error:
                raise self._notice(error) from None
            finally:
                response.close()
            if ITEMS not in reader.members:
                raise ClusterError("what answers as the API server gives no list where one was asked for", status=0)
            metadata = reader.members["metadata"]
            yield Page(items=items, resource_version=metadata.get("resourceVersion", ""))
            token = metadata.get("continue", "")
            if not token:
                return
            query["continue"] = token

    async def watch(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        resource_version: str,
        seconds: int,
    ) -> AsyncGenerator[tuple[str, Raw]]:
        """See `Cluster.watch`."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        path = resource.path(namespace=namespace)
        response = await self._open("watch", resource, path, query | select(label_selector))
        end = asyncio.get_running_loop().time() + seconds + GRACE_SECONDS
        lines = Lines()
        try:
            yield BOOKMARK, {"metadata": {"resourceVersion": resource_version}}
            while data := await read_some(response, end):
                for line in lines.feed(data):
                    yield read_event(line)
            for line in lines.end():
                yield read_event(line)
        except ClusterError as error:
            self._notice(error)
            raise
        finally:
            response.close()

    async def create(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],
        *,
        namespace: str | None = None,
        service_account: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """See `Cluster.create`."""
        query = {"dryRun": "All"} if dry_run else {}
        # The answer is the object with its defaults, several times as large, and nobody needs it: it is not parsed.
        path = resource.path(namespace=namespace)
        headers = impersonate(namespace, service_account)
        await self._send("create", resource, path, manifest, query=query, headers=headers)

    async def patch(
        self,
        resource: Resource,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
    ) -> Raw:
        """See `Cluster.patch`."""
        path = resource.path(namespace=namespace, name=name, subresource=subresource)
        return await self._call("patch", resource, path, patch, headers={"Content-Type": _MERGE_PATCH})

    async def delete(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        name: str,
        uid: str,
        service_account: str | None = None,
    ) -> None:
        """See `Cluster.delete`."""
        path = resource.path(namespace=namespace, name=name)
        headers = impersonate(namespace, service_account)
        try:
            await self._send("delete", resource, path, describe_deletion(uid), headers=headers)
        except ClusterError as error:
            if error.status != 404:  # noqa: PLR2004 - Not Found
                raise

    async def _call(
        self,
        verb: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return read_object(await self._send(verb, resource, path, body, query=query, headers=headers))

    async def _send(
        self,
        verb: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        return await self._insist(lambda: self._try(verb, resource, path, body, query=query, headers=headers))

    async def _insist(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send a request; again when an API server that is too busy for it says, if that is within `BUSY_SECONDS`."""
        end = self._clock() + BUSY_SECONDS
        while True:
            try:
                return await send()
            except ClusterError as error:
                wait = error.retry_after
                if wait is None or self._clock() + wait > end:
                    raise
            await self._sleep(wait)

    async def _try(
        self,
        verb: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> bytes:
        began, status, refusal = time.perf_counter(), 0, None
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                response = await self._ask(_METHODS[verb], path, body, query=query, headers=headers)
                text = await response.read()  # type: ignore[no-untyped-call]
                status = response.status
            if status >= 400:  # noqa: PLR2004 - HTTP's errors
                refusal = read_refusal(status, text, retry_after=response.headers.get("Retry-After", ""))
                # Who counts 403 looks for rights that are missing: a namespace that is being deleted counts as gone.
                status = 404 if refusal.namespace_ends else status
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise self._notice(make_absence(error)) from error
        except RecursionError:
            # Nothing was sent. The API server would read it, but nothing that we make is so deep by its nature.
            raise ClusterError("the object nests too deeply to be sent", status=400, reason="BadRequest") from None
        finally:
            self._asked(verb, resource, status, time.perf_counter() - began)
        if refusal is not None:
            raise self._notice(refusal)
        return bytes(text)

    async def _open(self, verb: str, resource: Resource, path: str, query: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Give an answer that is still coming; whoever reads it closes it."""
        began, status = time.perf_counter(), 0
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                response = await self._ask(_METHODS[verb], path, query=query)
                status = response.status
                if response.status >= 400:  # noqa: PLR2004 - HTTP's errors
                    text = await response.read()  # type: ignore[no-untyped-call]
                    wait = response.headers.get("Retry-After", "")
                    raise self._notice(read_refusal(response.status, text, retry_after=wait))
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise self._notice(make_absence(error)) from error
        finally:
            self._asked(verb, resource, status, time.perf_counter() - began)
        stream: aiohttp.ClientResponse = response.response
        return stream

    def _notice(self, error: ClusterError) -> ClusterError:
        """Remember an absence, and give the error back."""
        if error.status in _ABSENT:
            self._absent_at = self._clock()
        return error

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RESTResponse:
        """Send a request; its caller bounds how long it takes."""
        sent = {"Accept": _JSON, "Content-Type": _JSON, "User-Agent": self._user_agent, **(headers or {})}
        url = self._api.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        await self._api.update_params_for_auth(sent, [], ["BearerToken"], path, method, None)
        return await self._api.call_api(
            method,
            url,
            header_params=sent,
            body=body,
            _request_timeout=_NO_TIMEOUT,
        )
