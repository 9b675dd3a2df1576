"""From the bytes of a body to a JSON document, or an error that says what is wrong with them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from pydantic_core import from_json

from hookwright.errors import Unreadable
from hookwright.filters import JsonValue
from hookwright.intake.request import Request
from hookwright.reasons import BODY_UNREADABLE, CONTENT_TYPE_UNSUPPORTED

_FORM = "application/x-www-form-urlencoded"
# GitHub's form has one field.
_MAX_FIELDS = 16


def read_payload(request: Request, *, forms: bool = False) -> JsonValue:
    """Give the JSON document in the body of `request`; with `forms`, also the one in GitHub's form field `payload`.

    Of a name that stands twice in an object the last value counts, as in the JSONPath reference implementation.

    Raises:
        Unreadable: another content type than JSON, bytes that are not UTF-8, text that is not JSON (NaN and Infinity
            are not), or more than 200 levels deep.
    """
    content_type = request.header("content-type") or ""
    media_type = content_type.partition(";")[0].strip().lower()
    body: bytes | str = request.body
    if forms and media_type == _FORM:
        body = _read_form(request.body)
    elif media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        shown = content_type[:100] or "none"
        raise Unreadable(
            f"the content type is {shown}; choose application/json at the sender", reason=CONTENT_TYPE_UNSUPPORTED.name
        )
    try:
        document: JsonValue = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        # The parser names place and kind of the mistake, and never repeats the text.
        raise Unreadable(f"the body is not JSON: {error}", reason=BODY_UNREADABLE.name) from None
    return document


def _read_form(body: bytes) -> str:
    """Give the one field `payload` of a form."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        # Bytes beyond ASCII, escapes that are not UTF-8, too many fields: its own text would repeat the body.
        raise Unreadable("the body is not a form in UTF-8", reason=BODY_UNREADABLE.name) from None
    payloads = [value for name, value in fields if name == "payload"]
    if len(payloads) != 1:
        message = f"the form has {len(payloads)} fields named payload, not one; choose application/json at the sender"
        raise Unreadable(message, reason=BODY_UNREADABLE.name)
    return payloads[0]
