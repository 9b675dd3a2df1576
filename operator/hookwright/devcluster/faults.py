"""What tests may do to the server: hold all requests, answer chosen ones as told, and look at what was asked."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hookwright.devcluster.errors import ApiError

REQUESTS: Final = 10_000
"""How many requests are remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request as it was recorded.

    `query` is the raw query string. `status` is 0 where the connection was closed without an answer.
    """

    method: str
    path: str
    query: str
    user_agent: str
    impersonate_user: str
    impersonate_groups: tuple[str, ...]
    status: int


@dataclass(eq=False, kw_only=True)
class Fault:
    """What becomes of the requests that it matches.

    They get `error` for an answer or, where there is none, no answer at all; `after` lets them take effect first.
    `times` counts down to 0; None is for ever. `hits` counts the requests that met it.
    """

    method: str | None
    path: re.Pattern[str]
    error: ApiError | None
    after: bool = False
    times: int | None = None
    hits: int = 0
    _faults: list[Fault] = field(default_factory=list, repr=False)

    def remove(self) -> None:
        """End it; may be called twice, and from any thread."""
        if self in self._faults:
            self._faults.remove(self)


class Faults:
    """The faults that are in force, in the order in which they came."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, *, method: str | None, path: str, error: ApiError | None, after: bool, times: int | None) -> Fault:
        """Put a fault in force; `path` is a regular expression for the whole path, without the query."""
        fault = Fault(method=method, path=re.compile(path), error=error, after=after, times=times, _faults=self._faults)
        self._faults.append(fault)
        return fault

    def match(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        for fault in list(self._faults):
            if fault.method in (None, method) and fault.path.fullmatch(path):
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        fault.remove()
                return fault
        return None


def chosen_error(status: int, reason: str, message: str, headers: Mapping[str, str]) -> ApiError:
    """Return the error that a test has chosen."""
    retry_after = headers.get("Retry-After", "")
    details = {"retryAfterSeconds": int(retry_after)} if retry_after.isdigit() else {}
    return ApiError(status, reason, message or reason, details=details, headers=headers)


class Gate:
    """Open, or closed; who comes while it is closed waits."""

    def __init__(self) -> None:
        self._closed = False
        self._waiting: list[asyncio.Future[None]] = []

    def close(self) -> None:
        """Let nobody pass from now on."""
        self._closed = True

    def open(self) -> None:
        """Let everybody pass."""
        self._closed = False
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def passage(self) -> None:
        """Return when the gate is open."""
        while self._closed:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter


def new_record() -> deque[Request]:
    """Return an empty record of requests."""
    return deque(maxlen=REQUESTS)
