"""Who has a name, and who is beyond the quota: what a schema cannot say, because it is about several objects. Pure.

AWS's webhook names are unique, and an account has at most 300 of them; a project has one webhook at CodeBuild. Here the
namespace takes the account's place. Of several objects that claim one name, or one place too many, the oldest have it:
by creationTimestamp, then by UID.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from hookwright.kinds import BuildTrigger, InvalidObject, Webhook

_NEVER = datetime.max.replace(tzinfo=UTC)
# Of those that wait for one name, so many are told at once who has it now. The others are nearer to it by then, and
# hear of it when they are next looked at: else a thousand of them that are deleted one by one are a million changes.
MAX_TOLD = 10


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one object stands to its siblings.

    `name_holder` is the object that has its name, None if that is itself. `quota` is the limit that it is beyond, None
    if it is within.
    """

    name_holder: str | None = None
    quota: int | None = None


GOOD_STANDING = Standing()
_Rank = tuple[datetime, str, str]  # age, UID, metadata.name


@dataclass(frozen=True)
class _Claim:
    rank: _Rank
    aws_name: str


def _guess_name(invalid: InvalidObject) -> str:
    """Give the name that an object claims of which it cannot be read: no project is called what a BuildTrigger gets."""
    name = invalid.metadata.name
    return name if invalid.kind == Webhook.KIND else f"?{name}"


class Claims:
    """The claims of all objects of one kind, by namespace; without `quota` there may be any number of them."""

    def __init__(self, *, quota: int | None = None) -> None:
        self._quota = quota if quota is not None else sys.maxsize
        self._claims: dict[tuple[str, str], _Claim] = {}
        self._by_name: dict[tuple[str, str], list[_Rank]] = defaultdict(list)
        self._by_age: dict[str, list[_Rank]] = defaultdict(list)

    def put(self, obj: Webhook | BuildTrigger | InvalidObject) -> list[str]:
        """Take an object as it is now; give the names of the others in its namespace that stand otherwise by that.

        All who get or lose a name or a place are among them; of those who go on waiting for a name, the first few.
        """
        metadata = obj.metadata
        if metadata.deletion_timestamp is not None:
            return self.remove(metadata.namespace, metadata.name)
        name = _guess_name(obj) if isinstance(obj, InvalidObject) else obj.aws_name
        rank = (metadata.creation_timestamp or _NEVER, metadata.uid, metadata.name)
        claim = _Claim(rank=rank, aws_name=name)
        before = self._claims.get((metadata.namespace, metadata.name))
        if before == claim:
            return []
        affected = self.remove(metadata.namespace, metadata.name)
        self._claims[metadata.namespace, metadata.name] = claim
        by_name = self._by_name[metadata.namespace, name]
        if self._insert(by_name, rank, limit=1):
            affected += [other[2] for other in by_name[:MAX_TOLD]]
        affected += self._insert(self._by_age[metadata.namespace], rank, limit=self._quota)
        return [one for one in dict.fromkeys(affected) if one != metadata.name]

    def remove(self, namespace: str, name: str) -> list[str]:
        """Forget an object; give the names of those that stand otherwise by that, as `put` does."""
        claim = self._claims.pop((namespace, name), None)
        if claim is None:
            return []
        by_name, by_age = self._by_name[namespace, claim.aws_name], self._by_age[namespace]
        affected = self._delete(by_name, claim.rank, limit=1) + self._delete(by_age, claim.rank, limit=self._quota)
        if by_name and by_name[0] > claim.rank:
            # Whoever still waits for the name learns who has it now.
            affected += [rank[2] for rank in by_name[:MAX_TOLD]]
        if not by_name:
            del self._by_name[namespace, claim.aws_name]
        if not by_age:
            del self._by_age[namespace]
        return list(dict.fromkeys(affected))

    def standing(self, namespace: str, name: str) -> Standing:
        """Say how an object stands; one that is not known stands well."""
        claim = self._claims.get((namespace, name))
        if claim is None:
            return GOOD_STANDING
        holder = self._by_name[namespace, claim.aws_name][0][2]
        beyond = bisect_left(self._by_age[namespace], claim.rank) >= self._quota
        if holder == name and not beyond:
            return GOOD_STANDING
        return Standing(name_holder=None if holder == name else holder, quota=self._quota if beyond else None)

    @staticmethod
    def _insert(ranks: list[_Rank], rank: _Rank, *, limit: int) -> list[str]:
        """Insert; give who was pushed beyond `limit` by that."""
        insort(ranks, rank)
        pushed = len(ranks) > limit and bisect_left(ranks, rank) < limit
        return [ranks[limit][2]] if pushed else []

    @staticmethod
    def _delete(ranks: list[_Rank], rank: _Rank, *, limit: int) -> list[str]:
        """Delete; give who came within `limit` by that."""
        place = bisect_left(ranks, rank)
        del ranks[place]
        return [ranks[limit - 1][2]] if place < limit <= len(ranks) else []
