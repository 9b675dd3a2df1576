"""Lists, in pages and at versions: which state and which part of it a request asks for.

The rules are those of k8s.io/apimachinery `pkg/apis/internalversion/validation` and k8s.io/apiserver `pkg/storage`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hookwright.devcluster.errors import ApiError, Cause, bad_request, forbidden_field, invalid_options, not_supported
from hookwright.devcluster.queries import number
from hookwright.devcluster.store import Stored
from hookwright.devcluster.values import decode, encode

_MATCH: Final = "resourceVersionMatch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Which part of a list is asked for.

    `version` is the state that is wanted, None for the present one. `after` is the namespace and name that the page
    before ended with; `limit` is 0 where there is none.
    """

    version: int | None
    after: tuple[str, str] | None
    limit: int


def read_page(query: Mapping[str, str], present: int) -> Page:
    """Read what a list asks for; `present` is the newest version.

    Raises ApiError: 400 for what cannot be read, 422 for what does not go together, 504 for a version yet to come.
    """
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    token, limit = query.get("continue", ""), number(query, "limit")
    causes: list[Cause] = []
    if "sendInitialEvents" in query:
        causes.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if match and token:
        causes.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    elif match and not version:
        causes.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
    elif match not in ("Exact", "NotOlderThan", ""):
        causes.append(not_supported(_MATCH, match, ("Exact", "NotOlderThan", "")))
    elif match == "Exact" and version == "0":
        causes.append(forbidden_field(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if causes:
        raise invalid_options("ListOptions", causes)
    wanted = read_version(query, present)
    if token and wanted:
        raise bad_request("specifying resource version is not allowed when using continue")
    if token:
        at, namespace, name = _read_token(token)
        return Page(version=at, after=(namespace, name), limit=limit if version != "0" else 0)
    # Version 0 is what is at hand, whole; any other one with a limit, and no match, is meant exactly.
    is_exact = match == "Exact" or (wanted and limit and not match)
    return Page(version=wanted if is_exact else None, after=None, limit=limit if version != "0" else 0)


def read_version(query: Mapping[str, str], present: int) -> int:
    """Read a resourceVersion, 0 for none; raise ApiError 504 for one that has not come yet."""
    version = number(query, "resourceVersion")
    if version > present:
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        message = f"Timeout: Too large resource version: {version}, current: {present}"
        details = {"causes": [cause], "retryAfterSeconds": 1}
        raise ApiError(504, "Timeout", message, details=details, headers={"Retry-After": "1"})
    return version


def check_watch(query: Mapping[str, str]) -> None:
    """Raise ApiError 422 for a watch that asks for what only a list, or another watch, can do."""
    match, sends = query.get("resourceVersionMatch", ""), "sendInitialEvents" in query
    causes: list[Cause] = []
    if sends and match != "NotOlderThan":
        causes.append(forbidden_field(_MATCH, f"sendInitialEvents requires setting {_MATCH} to NotOlderThan"))
    if match and not sends:
        causes.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"))
    if match not in ("NotOlderThan", ""):
        causes.append(not_supported(_MATCH, match, ("NotOlderThan",)))
    if causes:
        raise invalid_options("ListOptions", causes)


def write_token(version: int, last: Stored) -> str:
    """Return the `continue` token of the page after the one that ends with `last`."""
    return base64.urlsafe_b64encode(encode([version, last.namespace, last.name])).decode()


def _read_token(token: str) -> tuple[int, str, str]:
    try:
        version, namespace, name = decode(base64.urlsafe_b64decode(token))
        return int(version), str(namespace), str(name)
    except (binascii.Error, ValueError, TypeError) as error:
        raise bad_request("continue key is not valid") from error
