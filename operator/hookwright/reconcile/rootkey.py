"""The root key, from which all URL tokens are made: a Secret of our own, which the operator makes if it is absent.

It holds a list of keys, one per line, base64: the first makes URLs, all are known. Whoever loses it loses every URL;
whoever reads it knows every URL. Receivers make none, and need no right to: they wait until it is there.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from hookwright.cluster import SECRETS, Cluster
from hookwright.errors import ClusterError, Unready
from hookwright.kinds import Raw

log = structlog.get_logger()

NAME = "hookwright-root-key"
KEY = "keys"
KEY_BYTES = 32
SHORTEST_KEY_BYTES = 16
FOLLOW_SECONDS = 10.0
# Receivers must know a key before anybody is given a URL made with it: each looks several times meanwhile.
RIPEN_SECONDS = 30.0
LOST_REMEDY = (
    "all URLs are others now, and the old ones answer 404; if the key was lost, put the old one back before the new"
)
_NOT_FOUND = 404


async def load_root_keys(cluster: Cluster, namespace: str, *, make: bool) -> tuple[bytes, ...]:
    """Give the root keys, newest first; if the Secret is absent, make one where `make` says so.

    Raises:
        Unready: the Secret cannot be used, or it, or its namespace, is not there.
        ClusterError: the API server refuses, or is away.
    """
    while True:
        found = await cluster.get(SECRETS, namespace=namespace, name=NAME)
        if found is not None:
            return read_root_keys(found, namespace)
        if not make:
            raise Unready(
                f"there is no Secret {NAME} in namespace {namespace} yet: the operator makes it when it starts; both "
                "must have the same HOOKWRIGHT_NAMESPACE"
            )
        try:
            await cluster.create(SECRETS, _new_secret(namespace), namespace=namespace)
            log.info("root key", state="a new one was made, since there was none")
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                raise Unready(
                    f"there is no namespace {namespace}: create it (kubectl create namespace {namespace}), "
                    "or set HOOKWRIGHT_NAMESPACE"
                ) from None
            # Another process was faster: its key is the one that counts.
            if error.reason != "AlreadyExists":
                raise


def read_root_keys(secret: Raw, namespace: str) -> tuple[bytes, ...]:
    """Give the keys in the Secret.

    Raises:
        Unready: there is none, or one that is too short or no base64.
    """
    where = f"Secret {NAME} in namespace {namespace}, key {KEY}"
    remedy = f"each line must be base64 of at least {SHORTEST_KEY_BYTES} random bytes; a new key makes new URLs"
    data: Mapping[str, str | None] = secret.get("data") or {}
    try:
        lines = base64.b64decode(data.get(KEY) or "", validate=True).split()
        keys = tuple(base64.b64decode(line, validate=True) for line in lines)
    except (binascii.Error, ValueError):
        raise Unready(f"{where}: not base64: {remedy}") from None
    if not keys:
        raise Unready(f"{where}: there is no key: {remedy}")
    if min(len(key) for key in keys) < SHORTEST_KEY_BYTES:
        raise Unready(f"{where}: a key is too short: {remedy}")
    return keys


def _new_secret(namespace: str) -> dict[str, Any]:
    line = base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": NAME,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "hookwright", "hookwright.dev/watched": "true"},
        },
        "type": "Opaque",
        "data": {KEY: base64.b64encode(line).decode()},
    }


class RootKeys:
    """The root keys as they are now; who makes URLs of them is told when they change.

    `usable` says whether the Secret had them when it was last looked at.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.usable = True
        self._keys = tuple(keys)
        self._subscribers: list[Callable[[], None]] = []

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys, newest first."""
        return self._keys

    def subscribe(self, told: Callable[[], None]) -> None:
        """Have `told` called when the keys have changed."""
        self._subscribers.append(told)

    def put(self, keys: Sequence[bytes]) -> None:
        """Take the keys as they are now."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            for told in self._subscribers:
                told()

    async def follow(
        self,
        cluster: Cluster,
        namespace: str,
        *,
        ripen: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Look now and then whether the keys were changed, until cancelled.

        Keys are taken `ripen` seconds after they were seen, if they are still the same then: `RIPEN_SECONDS` for who
        makes URLs that other processes must know. Who starts takes them as they are: an operator that is started within
        `FOLLOW_SECONDS` of a rotation gives out URLs that a receiver may not know yet for as long. A Secret that is
        gone or cannot be used changes nothing: URLs must not stop working because of a typing error.
        """
        while True:
            await sleep(FOLLOW_SECONDS)
            keys = await self._look(cluster, namespace)
            if keys is None or keys == self._keys:
                continue
            if ripen:
                log.info("root key", state="new keys were seen", used_in=ripen)
                await sleep(ripen)
                if await self._look(cluster, namespace) != keys:
                    continue
            lost = not set(keys) & set(self._keys)
            self.put(keys)
            if lost:
                log.warning("root key", state="none of the known keys is left", keys=len(keys), remedy=LOST_REMEDY)
            else:
                log.info("root key", state="the keys have changed", keys=len(keys))

    async def _look(self, cluster: Cluster, namespace: str) -> tuple[bytes, ...] | None:
        """Give the keys; None, and a word in the log, if they cannot be had."""
        try:
            found = await cluster.get(SECRETS, namespace=namespace, name=NAME)
            keys = read_root_keys(found, namespace) if found is not None else None
        except Unready as error:
            self.usable = False
            log.error("root key", error=error.message)
            return None
        except ClusterError as error:
            # That the API server is away says nothing of the Secret.
            self.usable = self.usable and error.transient
            log.warning("root key", error=error.message)
            return None
        self.usable = keys is not None
        if keys is None:
            log.error("root key", error=f"Secret {NAME} in namespace {namespace} is gone: put it back")
        return keys
