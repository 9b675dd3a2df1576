"""From the bytes of a body to a JSON document, or an error that says what is wrong with them."""

from __future__ import annotations

from pydantic_core import from_json

from hookwright.errors import Unreadable
from hookwright.filters import JsonValue
from hookwright.intake.request import Request
from hookwright.reasons import BODY_UNREADABLE, CONTENT_TYPE_UNSUPPORTED


def read_payload(request: Request) -> JsonValue:
    """Give the JSON document in the body of `request`.

    Of a name that stands twice in an object the last value counts, as in the JSONPath reference implementation.

    Raises:
        Unreadable: another content type than JSON, bytes that are not UTF-8, text that is not JSON (NaN and Infinity
            are not), or more than 200 levels deep.
    """
    content_type = request.header("content-type") or ""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        shown = content_type[:100] or "none"
        raise Unreadable(
            f"the content type is {shown}; choose application/json at the sender", reason=CONTENT_TYPE_UNSUPPORTED.name
        )
    try:
        document: JsonValue = from_json(request.body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        # The parser names place and kind of the mistake, and never repeats the text.
        raise Unreadable(f"the body is not JSON: {error}", reason=BODY_UNREADABLE.name) from None
    return document
