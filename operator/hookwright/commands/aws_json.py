"""JSON as the AWS CLI prints it: a value knows where it stands, so that what is wrong with it can be said. Pure.

No message repeats a value: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookwright.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Place:
    """A value in a file, and where it stands there; null counts as absent, as it does at AWS.

    All that read it raise `UsageError` for what is not of the type that AWS has there.
    """

    file: str
    path: str = ""
    value: object = field(repr=False)

    def refuse(self, why: str) -> UsageError:
        """Make the error that says what is wrong with the value."""
        where = f"{self.file}: {self.path}" if self.path else self.file
        return UsageError(f"{where}: {why}")

    def members(self) -> Mapping[str, object]:
        """Give the members of an object, without those that are null."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.refuse("should be an object, as the AWS CLI prints it")
        return {name: value for name, value in self.value.items() if value is not None}

    def member(self, name: str) -> Place:
        """Give the place of a member, which need not be there."""
        path = f"{self.path}.{name}" if self.path else name
        return Place(file=self.file, path=path, value=self.members().get(name))

    def items(self) -> list[Place]:
        """Give the places of a list's items."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.refuse("should be a list, as the AWS CLI prints it")
        return [Place(file=self.file, path=f"{self.path}[{i}]", value=value) for i, value in enumerate(self.value)]

    def optional_text(self) -> str | None:
        """Give a text, or None where there is nothing."""
        if self.value is not None and not isinstance(self.value, str):
            raise self.refuse("should be a string")
        return self.value

    def text(self) -> str:
        """Give a text that must be there."""
        text = self.optional_text()
        if text is None:
            raise self.refuse("is required")
        return text

    def number(self) -> int | None:
        """Give a whole number, or None where there is nothing."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.refuse("should be a whole number")
        return self.value

    def flag(self) -> bool:
        """Give a boolean; false where there is nothing."""
        if self.value is not None and not isinstance(self.value, bool):
            raise self.refuse("should be true or false")
        return self.value is True
