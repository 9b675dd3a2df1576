"""What filters must know of where events come from, and what the providers' payloads never say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hookwright.filters.groups.fields import FIELDS, PULL_REQUESTS
from hookwright.scm import EventType, Fact, FilterType, Provider

_FILES: Final = frozenset((FilterType.FILE_PATH,))
_FILES_AND_MESSAGE: Final = _FILES | {FilterType.COMMIT_MESSAGE}
_ACTOR: Final = frozenset((FilterType.ACTOR_ACCOUNT_ID,))
_NOTHING: Final[frozenset[FilterType]] = frozenset()


def _never(
    *, push: frozenset[FilterType], pull_request: frozenset[FilterType], release: frozenset[FilterType] = _NOTHING
) -> Mapping[EventType, frozenset[FilterType]]:
    return {EventType.PUSH: push, EventType.RELEASED: release} | dict.fromkeys(PULL_REQUESTS, pull_request)


# What no payload ever says though the event has it. What some say is not here: the files of a push to GitLab or Gitea
# with many commits, the message of one to an older Bitbucket Data Center, a release's name.
_NEVER: Final = {
    Provider.GITHUB: _never(push=_NOTHING, pull_request=_FILES_AND_MESSAGE),
    Provider.GITHUB_ENTERPRISE: _never(push=_NOTHING, pull_request=_FILES_AND_MESSAGE),
    Provider.GITLAB: _never(push=_NOTHING, pull_request=_FILES, release=_ACTOR),
    Provider.BITBUCKET_CLOUD: _never(push=_FILES, pull_request=_FILES_AND_MESSAGE),
    Provider.BITBUCKET_DATA_CENTER: _never(push=_FILES, pull_request=_FILES_AND_MESSAGE),
    Provider.GITEA: _never(push=_NOTHING, pull_request=_FILES_AND_MESSAGE),
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

    def never_says(self, kind: FilterType, event: EventType) -> bool:
        """Tell whether what a filter looks at is never known of such events: not by the payload, not by asking."""
        return FIELDS[kind].fact not in self.api and kind in _NEVER[self.provider].get(event, _NOTHING)
