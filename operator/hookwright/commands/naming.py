"""How an object is named on the command line: hello, or with its kind before it, as kubectl has it (bt/hello)."""

from __future__ import annotations

from dataclasses import dataclass

from hookwright.errors import UsageError
from hookwright.kinds import BuildTrigger, Webhook

# The kinds that take deliveries; of two objects with one name the first is meant.
KINDS = (Webhook, BuildTrigger)


@dataclass(frozen=True, kw_only=True)
class Named:
    """An object's name as somebody wrote it; without a kind any that takes deliveries is meant."""

    kind: type[Webhook | BuildTrigger] | None
    name: str

    def may_be(self, kind: type[Webhook | BuildTrigger] | None) -> bool:
        """Say whether one of this kind may be meant."""
        return self.kind in (None, kind)


def read_name(text: str) -> Named:
    """Read NAME or KIND/NAME; a kind may be written as kubectl takes it, in capitals or not.

    Raises:
        UsageError: there is no such kind, or no name.
    """
    before, slash, name = text.partition("/")
    if not slash:
        return Named(kind=None, name=text)
    for kind in KINDS:
        if before.lower() in (kind.KIND.lower(), kind.PLURAL, *kind.SHORT_NAMES) and name:
            return Named(kind=kind, name=name)
    raise UsageError(f"{text}: write webhook/NAME, buildtrigger/NAME (bt/NAME), or NAME alone")
