"""Looking for secrets where none may be, in every form in which one could stand there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus


def write_forms(secret: bytes) -> set[bytes]:
    """Give the forms of a secret: as it is, base64 (also inside of something longer), hexadecimal, in URLs, in JSON."""
    forms = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for before in range(3):
        # What stands before it in base64 shifts it; the letters at its ends depend on their neighbours.
        text = base64.b64encode(b"\0" * before + secret + b"\0" * (-(before + len(secret)) % 3))
        middle = text[-(-before * 4 // 3) : len(text) - 4] if before else text[: len(text) - 4]
        forms |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    forms.add(base64.b64encode(secret).rstrip(b"="))
    text = secret.decode(errors="replace")
    if text.encode() == secret:
        forms |= {quote(text, safe="").encode(), quote_plus(text).encode(), json.dumps(text)[1:-1].encode()}
    # Forms as short as these stand everywhere.
    return {form for form in forms if len(form) >= 8}


def find_leaks(places: Mapping[str, bytes], secrets: Mapping[str, bytes]) -> Iterator[str]:
    """Say which secret stands in which place."""
    for name, secret in secrets.items():
        for form in write_forms(secret):
            for place, text in places.items():
                if form in text:
                    at = text.index(form)
                    yield f"{name} in {place}: …{text[max(at - 60, 0) : at + 60].decode(errors='replace')}…"
