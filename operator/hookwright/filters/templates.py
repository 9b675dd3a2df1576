"""`{Key}` placeholders in matchEquals, as AWS has them.

A key stands in braces, is case-sensitive, may be given several times, and is replaced by its value from the action's
configuration: once, so braces in a value stay. Braces around anything but a key are literal text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hookwright.errors import HookwrightError

# Letters, digits, `_` and `-`, as in AWS's action configurations and in the parameter names of build systems.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")


class UnknownKey(HookwrightError):
    """A placeholder whose key has no value; `key` is its name without the braces."""

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, kw_only=True)
class Template:
    """A matchEquals text: `text` as written, `keys` the keys that it names, each once, in the order of the text."""

    text: str
    keys: tuple[str, ...]

    def expand(self, values: Mapping[str, str]) -> str:
        """Replace every placeholder by its value; raise `UnknownKey` for the first key that `values` lacks."""
        for key in self.keys:
            if key not in values:
                known = ", ".join(sorted(values)) or "none"
                raise UnknownKey(f'"{self.text}" names the key {key}, which has no value; known keys: {known}', key=key)
        return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]], self.text)


def parse_template(text: str) -> Template:
    """Find the placeholders of a matchEquals text; every text is a template, so nothing is refused."""
    return Template(text=text, keys=tuple(dict.fromkeys(_PLACEHOLDER.findall(text))))
