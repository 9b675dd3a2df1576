"""What filters must know of where events come from, and what the providers' payloads never say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hookwright.scm import EventType, Fact, Provider

_BOTH: Final = frozenset(Fact)
_FILES: Final = frozenset((Fact.FILES,))

# What no payload of a push, or of a pull request, ever says. What some say and others do not is not here: the files of
# a push to GitLab or Gitea with many commits, the message of one to an older Bitbucket Data Center.
_NEVER_IN_PUSH: Final[dict[Provider, frozenset[Fact]]] = {
    Provider.BITBUCKET_CLOUD: _FILES,
    Provider.BITBUCKET_DATA_CENTER: _FILES,
}
_NEVER_IN_PULL_REQUEST: Final[dict[Provider, frozenset[Fact]]] = {
    Provider.GITHUB: _BOTH,
    Provider.GITHUB_ENTERPRISE: _BOTH,
    Provider.GITLAB: _FILES,
    Provider.BITBUCKET_CLOUD: _BOTH,
    Provider.BITBUCKET_DATA_CENTER: _BOTH,
    Provider.GITEA: _BOTH,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What filters must know of spec.source.

    `sends` are the events that the provider's dialect knows. `scoped`: it is an organisation or a group, not one
    repository. `api` is what the provider can be asked for.
    """

    provider: Provider
    sends: frozenset[EventType]
    scoped: bool = False
    api: frozenset[Fact] = frozenset()

    def never_says(self, fact: Fact, event: EventType) -> bool:
        """Tell whether nobody knows a fact of such events: not the payload, and the API cannot be asked."""
        table = _NEVER_IN_PULL_REQUEST if event.is_pull_request else _NEVER_IN_PUSH
        return fact not in self.api and fact in table.get(self.provider, frozenset())
