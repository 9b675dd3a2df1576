"""The mirror: typed copies of the objects that are watched, and who depends on whom.

A raw object becomes a typed one here, once. Whoever must know of changes subscribes; calls come in the event loop's
thread, in the order of the changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import structlog

from hookwright.cluster.claims import Claims, Standing
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, ObjectMeta, Raw, Webhook, recognise
from hookwright.logs import name_object

log = structlog.get_logger()

# So many objects that went are remembered.
MAX_REMEMBERED = 10_000
DEFAULT_QUOTA = 300


class Key(NamedTuple):
    """Which object: kind, namespace and name."""

    kind: str
    namespace: str
    name: str


class TargetName(Protocol):
    """Kind and name of a target."""

    @property
    def kind(self) -> str:
        """Its kind."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...


@dataclass(frozen=True, kw_only=True)
class Change:
    """An object that came, changed or went (`found` is None then); `before` is what it was.

    `ours` is a change of status that we have just written ourselves. `siblings` are others of its kind that stand
    otherwise by this change: one of them may have got a name, or a place within the quota.
    """

    key: Key
    found: ObjectKind | InvalidObject | None
    before: ObjectKind | InvalidObject | None
    ours: bool = False
    siblings: tuple[Key, ...] = ()


class Mirror:
    """Typed copies of our objects and of their targets; `quota` is for the Webhooks of one namespace."""

    def __init__(self, *, quota: int = DEFAULT_QUOTA) -> None:
        self._claims = {Webhook.KIND: Claims(quota=quota), BuildTrigger.KIND: Claims()}
        self._objects: dict[Key, ObjectKind | InvalidObject] = {}
        self._by_target: dict[Key, set[Key]] = defaultdict(set)
        self._by_secret: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._subscribers: list[Callable[[Change], None]] = []
        self._gone: dict[str, None] = {}  # the newest UIDs of objects that went; UIDs never come back

    def subscribe(self, told: Callable[[Change], None]) -> None:
        """Have `told` called for each change, a target's change once for the target itself."""
        self._subscribers.append(told)

    def put(self, kind: type[ObjectKind], raw: Raw, *, ours: bool = False) -> None:
        """Take an object as the API server shows it; what is known already, or older than that, is passed over."""
        self.take(kind, recognise(kind, raw), ours=ours)

    def take(self, kind: type[ObjectKind], found: ObjectKind | InvalidObject, *, ours: bool = False) -> None:
        """Take an object as `put` does, which has been typed already."""
        if found.metadata.uid in self._gone:
            # An answer or a page of a list that was under way while the object went.
            return
        key = Key(kind.KIND, found.metadata.namespace, found.metadata.name)
        before = self._objects.get(key)
        if before is not None and not _is_news(found.metadata, before.metadata):
            return
        if before is not None and before.metadata.uid != found.metadata.uid:
            # Nobody has seen it go, or will say so.
            self._bury(before.metadata.uid)
        self._objects[key] = found
        self._settle(key, before, found, ours=ours)

    def remove(self, kind: type[ObjectKind], raw: Raw) -> None:
        """Forget an object that is gone, unless another of its name has come meanwhile."""
        metadata = raw.get("metadata") or {}
        known = {name: metadata.get(name, "") for name in ("namespace", "name", "uid")}
        self.forget(kind, ObjectMeta(**known))

    def forget(self, kind: type[ObjectKind], metadata: ObjectMeta) -> None:
        """Forget an object as `remove` does."""
        key = Key(kind.KIND, metadata.namespace, metadata.name)
        before = self._objects.get(key)
        if before is None or (metadata.uid and before.metadata.uid != metadata.uid):
            return
        del self._objects[key]
        self._bury(before.metadata.uid)
        self._settle(key, before, None)

    def uids(self, kind: type[ObjectKind]) -> set[str]:
        """Give the UIDs of the objects of `kind` that are known."""
        return {found.metadata.uid for key, found in self._objects.items() if key.kind == kind.KIND}

    def retain(self, kind: type[ObjectKind], uids: set[str]) -> None:
        """Forget the objects of `kind` that a complete list did not show."""
        for key in [k for k, o in self._objects.items() if k.kind == kind.KIND and o.metadata.uid not in uids]:
            before = self._objects.pop(key)
            self._bury(before.metadata.uid)
            self._settle(key, before, None)

    def _bury(self, uid: str) -> None:
        self._gone[uid] = None
        if len(self._gone) > MAX_REMEMBERED:
            del self._gone[next(iter(self._gone))]

    def find(self, key: Key) -> ObjectKind | InvalidObject | None:
        """Give an object of any kind."""
        return self._objects.get(key)

    def webhook(self, namespace: str, name: str) -> Webhook | InvalidObject | None:
        """Give a Webhook."""
        found = self._objects.get(Key(Webhook.KIND, namespace, name))
        return found if isinstance(found, Webhook | InvalidObject) else None

    def buildtrigger(self, namespace: str, name: str) -> BuildTrigger | InvalidObject | None:
        """Give a BuildTrigger."""
        found = self._objects.get(Key(BuildTrigger.KIND, namespace, name))
        return found if isinstance(found, BuildTrigger | InvalidObject) else None

    def target(self, namespace: str, ref: TargetName) -> ObjectKind | InvalidObject | None:
        """Give the target that `ref` names; None if it does not exist."""
        return self._objects.get(Key(ref.kind, namespace, ref.name))

    def target_of(self, webhook: Webhook | InvalidObject) -> ObjectKind | InvalidObject | None:
        """Give what spec.targetPipeline of a Webhook names; None if it does not exist."""
        if isinstance(webhook, InvalidObject):
            return None
        return self.target(webhook.metadata.namespace, webhook.spec.target_pipeline)

    def standing(self, obj: Webhook | BuildTrigger | InvalidObject) -> Standing:
        """Say how an object stands to the others of its kind and namespace."""
        kind = obj.kind if isinstance(obj, InvalidObject) else obj.KIND
        return self._claims[kind].standing(obj.metadata.namespace, obj.metadata.name)

    def keys(self, kind: str) -> list[Key]:
        """Give the keys of all objects of `kind`."""
        return [key for key in self._objects if key.kind == kind]

    def count(self, kind: str) -> int:
        """Give how many objects of `kind` there are."""
        return sum(key.kind == kind for key in self._objects)

    def objects_on(self, namespace: str, secret: str) -> list[Key]:
        """Give the Webhooks and BuildTriggers that depend on a Secret."""
        return sorted(self._by_secret.get((namespace, secret), ()))

    def webhooks_of(self, target: Key) -> list[Key]:
        """Give the Webhooks whose target is `target`."""
        return sorted(self._by_target.get(target, ()))

    def _settle(
        self,
        key: Key,
        before: ObjectKind | InvalidObject | None,
        found: ObjectKind | InvalidObject | None,
        *,
        ours: bool = False,
    ) -> None:
        """Bring the indexes in line with a change, and tell of it."""
        self._index(key, before, found)
        names: list[str] = []
        claims = self._claims.get(key.kind)
        if claims is not None:
            if isinstance(found, Webhook | BuildTrigger | InvalidObject):
                names = claims.put(found)
            else:
                names = claims.remove(key.namespace, key.name)
        siblings = tuple(Key(key.kind, key.namespace, name) for name in names)
        self._tell(Change(key=key, found=found, before=before, ours=ours, siblings=siblings))

    def _index(
        self, key: Key, before: ObjectKind | InvalidObject | None, found: ObjectKind | InvalidObject | None
    ) -> None:
        for obj, change in ((before, set[Key].discard), (found, set[Key].add)):
            if isinstance(obj, Webhook):
                pipeline = obj.spec.target_pipeline
                _change(self._by_target, Key(pipeline.kind, key.namespace, pipeline.name), key, change)
            if isinstance(obj, Webhook | BuildTrigger):
                for name in obj.secret_names:
                    _change(self._by_secret, (key.namespace, name), key, change)

    def _tell(self, change: Change) -> None:
        for told in self._subscribers:
            try:
                told(change)
            except Exception:
                # A mistake about one object must not hide the others, nor end the process with each list that has it.
                log.exception("mirror", **name_object(*change.key))


def _is_news(found: ObjectMeta, before: ObjectMeta) -> bool:
    """Whether `found` is another object, or a later state of the same one.

    A list and a watch run side by side, so that an older state can arrive after a newer one. Versions that are numbers
    are compared as numbers, which etcd's revisions allow; of others the newest to arrive counts.
    """
    if found.uid != before.uid:
        return True
    old, new = before.resource_version, found.resource_version
    if old.isdecimal() and new.isdecimal():
        return int(new) > int(old)
    return new != old


P = TypeVar("P")


def _change(index: dict[P, set[Key]], place: P, key: Key, change: Callable[[set[Key], Key], None]) -> None:
    """Change what an index holds at `place`; an empty place is not kept."""
    change(index[place], key)
    if not index[place]:
        del index[place]
