"""URLs, and which route each belongs to."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from hookwright.intake.route import Route

PATH = "/hooks/"
_TOKEN_BYTES = 24  # 192 bits: 32 characters that need no escaping
_OUR_URL = re.compile(PATH + r"([A-Za-z0-9_-]{32})\Z")


def make_token(root_key: bytes, uid: str) -> str:
    """Give the URL token of the object with `uid`: unguessable, and the same whenever it is asked for."""
    digest = hmac.digest(root_key, f"url-token/{uid}".encode(), "sha256")
    return urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()


def make_url(public_url: str, root_keys: Sequence[bytes], uid: str) -> str:
    """Give the URL of the object with `uid`: that of the first root key, which is the newest."""
    return public_url + PATH + make_token(root_keys[0], uid)


def find_token(url: str) -> str | None:
    """Give the URL token of what may be a URL of ours, made with any key; None if it cannot be one."""
    found = _OUR_URL.search(url)
    return found[1] if found is not None else None


class Routes:
    """The routes by URL token. A URL made with any of the root keys is known, so that a key can be rotated.

    `base` is the path of the public URL, which a proxy before us may leave in the path of a request or take off.
    """

    def __init__(self, root_keys: Sequence[bytes], *, base: str = "") -> None:
        self._prefix = base + PATH
        self._root_keys = tuple(root_keys)
        self._by_token: dict[str, Route] = {}

    def __len__(self) -> int:
        return len(self._by_token) // len(self._root_keys)

    def replace_keys(self, root_keys: Sequence[bytes]) -> None:
        """Know URLs by `root_keys` from now on."""
        routes = {id(route): route for route in self._by_token.values()}
        self._root_keys = tuple(root_keys)
        self._by_token = {}
        for route in routes.values():
            self.put(route)

    def put(self, route: Route) -> None:
        """Add the route of an object, or replace it."""
        for key in self._root_keys:
            self._by_token[make_token(key, route.uid)] = route

    def remove(self, uid: str) -> None:
        """Forget the route of the object with `uid`."""
        for key in self._root_keys:
            self._by_token.pop(make_token(key, uid), None)

    def find(self, path: str) -> Route | None:
        """Give the route that `path` leads to; None if there is none."""
        # With the base first: it may begin as our own paths do, and no token has a slash.
        if path.startswith(self._prefix):
            return self._by_token.get(path[len(self._prefix) :])
        return self._by_token.get(path[len(PATH) :]) if path.startswith(PATH) else None
