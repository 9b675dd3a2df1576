"""From the bytes of a body to a JSON document, or an error that says what is wrong with them."""

from __future__ import annotations

import binascii
import re

from pydantic_core import from_json

from hookwright.errors import Unreadable
from hookwright.filters import JsonValue
from hookwright.intake.request import Request
from hookwright.reasons import BODY_UNREADABLE, CONTENT_TYPE_UNSUPPORTED

FORM = "application/x-www-form-urlencoded"
# GitHub's form has one field.
_MAX_FIELDS = 16
_FIELD = b"payload"
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def read_media_type(request: Request) -> str:
    """Give the media type of a body, in small letters; empty if none is declared, or several are."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


def read_payload(request: Request, *, forms: bool = False) -> JsonValue:
    """Give the JSON document in the body of `request`; with `forms`, also the one in GitHub's form field `payload`.

    Of a name that stands twice in an object the last value counts, as in the JSONPath reference implementation. What
    charset is declared does not matter: JSON is UTF-8 (RFC 8259, 8.1).

    Raises:
        Unreadable: another content type than JSON, bytes that are not UTF-8, text that is not JSON (NaN and Infinity
            are not), or more than 200 levels deep; a form that has no such field, or two, or is no form.
    """
    media_type = read_media_type(request)
    body = request.body
    if forms and media_type == FORM:
        body = _read_form(body)
    elif media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        shown = (request.header("content-type") or "")[:100] or "missing, or there twice"
        raise Unreadable(
            f"the content type is {shown}; choose application/json at the sender", reason=CONTENT_TYPE_UNSUPPORTED.name
        )
    try:
        document: JsonValue = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        # The parser names place and kind of the mistake, and never repeats the text.
        raise Unreadable(f"the body is not JSON: {error}", reason=BODY_UNREADABLE.name) from None
    return document


def _read_form(body: bytes) -> bytes:
    """Give the one field `payload` of a form."""
    if not body.isascii() or _BROKEN_ESCAPE.search(body) or body.count(b"&") >= _MAX_FIELDS:
        message = f"the body is no form: ASCII, a % only before two hexadecimals, at most {_MAX_FIELDS} fields"
        raise Unreadable(message, reason=BODY_UNREADABLE.name)
    fields = [field.partition(b"=") for field in body.split(b"&")]
    payloads = [value for name, _, value in fields if _unescape(name) == _FIELD]
    if len(payloads) != 1:
        message = f"the form has {len(payloads)} fields named payload, not one; choose application/json at the sender"
        raise Unreadable(message, reason=BODY_UNREADABLE.name)
    return _unescape(payloads[0])


def _unescape(text: bytes) -> bytes:
    """Read `+` and the escapes in a form, of which none is broken.

    urllib's own function makes some objects of each escape: for 5 MiB of them it takes 400 MB, and seconds. Those of
    quoted-printable are the same with another sign before them, and are read without any.
    """
    return binascii.a2b_qp(text.replace(b"+", b" ").replace(b"=", b"=3D").replace(b"%", b"="))
