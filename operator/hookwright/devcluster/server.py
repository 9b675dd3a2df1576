"""The HTTP face: finds out what a request is about, has it answered, and records it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from hookwright.devcluster import discovery
from hookwright.devcluster.errors import ApiError, bad_request, not_served
from hookwright.devcluster.faults import Faults, Gate, Request, new_record
from hookwright.devcluster.objects import JSON_TYPE, Answer, Objects
from hookwright.devcluster.openapi import V2_STUB, V2_TYPE, Documents
from hookwright.devcluster.queries import BODY_LIMIT, Call, Target, check_impersonation, check_origin
from hookwright.devcluster.registry import Registry
from hookwright.devcluster.values import JsonObject, encode
from hookwright.devcluster.watches import Watches, WatchRequest

_LOG: Final = logging.getLogger(__name__)
_ROOT_PATHS: Final[JsonObject] = {"paths": ["/api", "/apis", "/healthz", "/openapi/v3", "/readyz", "/version"]}


class Server:
    """Handles HTTP requests; knows faults, the gate, and the record of requests."""

    def __init__(self, registry: Registry, objects: Objects, watches: Watches) -> None:
        self.faults = Faults()
        self.gate = Gate()
        self.record = new_record()
        self._registry = registry
        self._objects = objects
        self._watches = watches
        self._documents = Documents(registry)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; no exception leaves it but cancellation and a lost connection."""
        await self.gate.passage()
        fault = self.faults.match(request.method, request.path)
        answer = None if fault and not fault.after else await self._answer(request)
        if fault:
            answer = _refusal(fault.error) if fault.error else None
        if answer is None:
            return self._drop(request)
        if isinstance(answer, WatchRequest):
            self._note(request, 200)
            return await self._stream(request, answer)
        self._note(request, answer.status)
        response = web.Response(body=answer.body, status=answer.status, content_type=answer.content_type)
        response.headers.update(answer.headers)
        for warning in answer.warnings:
            text = warning.replace("\\", "\\\\").replace('"', '\\"')
            response.headers.add("Warning", f'299 - "{text}"')
        return response

    async def _answer(self, request: web.BaseRequest) -> Answer | WatchRequest:
        try:
            check_origin(request.headers, request.host)
            check_impersonation(request.headers)
            return await self._route(request)
        except ApiError as error:
            return _refusal(error)
        except web.RequestPayloadError as error:
            return _refusal(bad_request(f"the body of the request could not be read: {error}"))
        except RecursionError:
            return _refusal(bad_request("the object is nested too deeply"))
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:  # noqa: BLE001 - whatever went wrong here, no traceback may reach a client
            _LOG.exception("devcluster failed to answer %s %s", request.method, request.path)
            return _refusal(ApiError(500, "InternalError", "Internal error occurred: see the development server's log"))

    async def _route(self, request: web.BaseRequest) -> Answer | WatchRequest:
        parts = [unquote(part) for part in request.rel_url.raw_path.split("/") if part]
        if target := self._target(parts):
            call = Call(
                method=request.method,
                target=target,
                query=request.query,
                content_type=request.content_type if "Content-Type" in request.headers else "",
                accept=request.headers.get("Accept", ""),
                user_agent=request.headers.get("User-Agent", ""),
                body=await _read_body(request),
            )
            return self._objects.answer(call)
        if request.method != "GET":
            raise not_served()
        return self._document(parts, request.headers.get("Accept", ""))

    def _target(self, parts: list[str]) -> Target | None:
        """Find the objects that a path is about; None if it is about none. Raise ApiError 404 for unknown kinds."""
        match parts:
            case ["api", version, first, *rest]:
                group = ""
            case ["apis", group, version, first, *rest]:
                pass
            case _:
                return None
        namespace = None
        # A namespace's own status is the exception to what follows `namespaces/NAME`.
        if first == "namespaces" and len(rest) > 1 and (group or rest[1] != "status"):
            namespace, first, *rest = rest
        resource = self._registry.find(group, version, first)
        name, subresource = (*rest, "", "")[:2]
        if resource is None or rest[2:] or subresource not in (("", "status") if resource.has_status else ("",)):
            raise not_served()
        if resource.namespaced == (namespace is None) and (name or not resource.namespaced):
            raise not_served()
        namespace = namespace if resource.namespaced else ""
        return Target(resource=resource, namespace=namespace, name=name, subresource=subresource)

    def _document(self, parts: list[str], accept: str) -> Answer:
        """Answer what is about the server and its kinds, not about objects."""
        match parts:
            case [] | ["version"]:
                return Answer(body=encode(discovery.VERSION if parts else _ROOT_PATHS))
            case [("healthz" | "livez" | "readyz"), *_]:
                return Answer(body=b"ok", content_type="text/plain")
            case ["openapi", "v2"]:
                return Answer(body=V2_STUB, content_type=V2_TYPE)
            case ["openapi", "v3"]:
                return Answer(body=encode(self._documents.index()))
            case ["openapi", "v3", *path]:
                return Answer(body=self._documents.document("/".join(path)))
            case _:
                return self._discovery(parts, accept)

    def _discovery(self, parts: list[str], accept: str) -> Answer:
        groups = self._registry.groups()
        match parts:
            case ["api" | "apis"] if "as=APIGroupDiscoveryList" in accept:
                body = discovery.aggregated(groups, core=parts == ["api"])
                return Answer(body=encode(body), content_type=discovery.AGGREGATED)
            case ["api"]:
                body = discovery.CORE_VERSIONS
            case ["apis"]:
                body = discovery.group_list(groups)
            case ["apis", group]:
                body = discovery.group(groups, group)
            case ["api", version]:
                body = discovery.resource_list(groups, "", version)
            case ["apis", group, version]:
                body = discovery.resource_list(groups, group, version)
            case _:
                raise not_served()
        return Answer(body=encode(body))

    async def _stream(self, request: web.BaseRequest, watch: WatchRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": JSON_TYPE})
        await response.prepare(request)
        async with contextlib.aclosing(self._watches.follow(watch)) as batches:
            # A client that is gone is no mistake of anybody's.
            with contextlib.suppress(ConnectionError):
                async for batch in batches:
                    await self.gate.passage()
                    await response.write(batch)
        return response

    def _drop(self, request: web.BaseRequest) -> web.StreamResponse:
        self._note(request, 0)
        if request.transport:
            request.transport.close()
        return web.Response()

    def _note(self, request: web.BaseRequest, status: int) -> None:
        headers = request.headers
        self.record.append(
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


def _refusal(error: ApiError) -> Answer:
    return Answer(body=encode(error.body()), status=error.status, headers=error.headers)


async def _read_body(request: web.BaseRequest) -> bytes:
    """Read a body of bounded length; raise ApiError 413 for a longer one."""
    if not request.body_exists:
        return b""
    error = ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {BODY_LIMIT}")
    if (request.content_length or 0) > BODY_LIMIT:
        raise error
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise error
    return bytes(body)
