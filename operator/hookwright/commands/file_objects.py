"""The objects in files, typed, and how they belong together: what the mirror is to the operator.

Files are read strictly: a field that a kind does not have would be dropped by the API server in silence.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from hookwright.cluster import SECRETS
from hookwright.cluster.claims import Claims, Standing
from hookwright.cluster.mirror import DEFAULT_QUOTA
from hookwright.cluster.secret_values import FoundSecret, SecretState, judge_secret
from hookwright.intake.route import SecretRef
from hookwright.kinds import GROUP, BuildTrigger, CronJob, InvalidObject, ObjectKind, ObjectMeta, Raw, Webhook, read

K = TypeVar("K", bound=ObjectKind)

UNKNOWN = FoundSecret(state=SecretState.UNKNOWN)
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class FileObject(Generic[K]):
    """An object, the file that it is from, and how it is written there.

    `taken` is what the API server would make of it: without the fields that its kind does not have. None if it is not
    of its kind's shape even then.
    """

    file: Path
    raw: Raw = field(repr=False)  # it may hold a secret
    found: K | InvalidObject
    taken: K | None

    @property
    def name(self) -> str:
        """Its metadata.name, as it is written."""
        return str((self.raw.get("metadata") or {}).get("name") or "")

    @property
    def namespace(self) -> str:
        """Its metadata.namespace, as it is written; empty if it is not."""
        return str((self.raw.get("metadata") or {}).get("namespace") or "")


class FileObjects:
    """What there is in files; `quota` is for the Webhooks of one namespace.

    Of objects that claim one name the one that has it is the oldest, as in a cluster; files mostly do not say how old
    an object is: then the one that comes first, which is made first.
    """

    def __init__(self, manifests: Sequence[tuple[Path, Raw]], *, quota: int = DEFAULT_QUOTA) -> None:
        self.webhooks = [_type(Webhook, file, raw) for file, raw in manifests if is_of(Webhook, raw)]
        self.buildtriggers = [_type(BuildTrigger, file, raw) for file, raw in manifests if is_of(BuildTrigger, raw)]
        self.cronjobs = [_type(CronJob, file, raw) for file, raw in manifests if is_of(CronJob, raw)]
        self._secrets = [raw for _, raw in manifests if (raw.get("apiVersion"), raw.get("kind")) == _SECRET]
        self._claims = {Webhook.KIND: Claims(quota=quota), BuildTrigger.KIND: Claims()}
        self._claim(Webhook.KIND, [one.taken or one.found for one in self.webhooks])
        self._claim(BuildTrigger.KIND, [one.taken or one.found for one in self.buildtriggers])

    def _claim(self, kind: str, objects: Sequence[Webhook | BuildTrigger | InvalidObject]) -> None:
        for index, one in enumerate(objects):
            self._claims[kind].put(_date(one, _LATEST - timedelta(seconds=len(objects) - index)))

    def standing(self, obj: Webhook | BuildTrigger | InvalidObject) -> Standing:
        """Say how a Webhook or BuildTrigger stands to the others of its kind in its namespace."""
        kind = obj.kind if isinstance(obj, InvalidObject) else obj.KIND
        return self._claims[kind].standing(obj.metadata.namespace, obj.metadata.name)

    def target(self, *, kind: str, namespace: str, name: str) -> BuildTrigger | CronJob | InvalidObject | None:
        """Give a target; None if it is not in the files."""
        of_kind: Sequence[FileObject[BuildTrigger] | FileObject[CronJob]] = (
            self.cronjobs if kind == CronJob.KIND else self.buildtriggers
        )
        found = [one.found for one in of_kind if (one.namespace, one.name) == (namespace, name)]
        # Of an object that is there twice the last counts, as for kubectl apply.
        return found[-1] if found else None

    def secret(self, ref: SecretRef) -> FoundSecret:
        """Say what is where a secret should be; UNKNOWN if its Secret is not in the files."""
        found = self.secret_object(ref.namespace, ref.name)
        return judge_secret(found, ref.key) if found is not None else UNKNOWN

    def secret_object(self, namespace: str, name: str) -> Raw | None:
        """Give a Secret as the API server would show it, as far as it can be read; None if it is not in the files."""
        found: Raw | None = None
        for raw in self._secrets:
            metadata = raw.get("metadata") or {}
            if (metadata.get("namespace") or "", metadata.get("name")) == (namespace, name):
                texts = _members(raw, "stringData").items()
                plain = {key: base64.b64encode(str(value).encode()).decode() for key, value in texts}
                owners = metadata.get("ownerReferences")
                told = {
                    "name": name,
                    "annotations": _members(metadata, "annotations"),
                    "ownerReferences": [one for one in owners if isinstance(one, Mapping)]
                    if isinstance(owners, list)
                    else [],
                }
                found = {"metadata": told, "data": {**_members(raw, "data"), **plain}}
        return found


_SECRET = (SECRETS.api_version, SECRETS.kind)


def is_of(kind: type[ObjectKind], raw: Raw) -> bool:
    """Say whether an object in a file is of `kind`: others may have a kind of the same name."""
    if raw.get("kind") != kind.KIND:
        return False
    version = str(raw.get("apiVersion"))
    return version == CronJob.API_VERSION if kind is CronJob else version.partition("/")[0] == GROUP


def find_pipeline(raw: Raw) -> tuple[str, str] | None:
    """Give kind and name of the target of a Webhook that is not of its kind's shape; None if it names none."""
    spec = raw.get("spec")
    pipeline = spec.get("targetPipeline") if isinstance(spec, Mapping) else None
    if not isinstance(pipeline, Mapping) or not isinstance(pipeline.get("name"), str):
        return None
    return str(pipeline.get("kind", BuildTrigger.KIND)), pipeline["name"]


def _type(kind: type[K], file: Path, raw: Raw) -> FileObject[K]:
    # Of a CronJob only a part is known here.
    found = _read(kind, raw, strict=kind is not CronJob)
    taken = _read(kind, raw, strict=False) if isinstance(found, InvalidObject) else found
    return FileObject(file=file, raw=raw, found=found, taken=None if isinstance(taken, InvalidObject) else taken)


def _read(kind: type[K], raw: Raw, *, strict: bool) -> K | InvalidObject:
    try:
        return read(kind, raw, strict=strict)
    except InvalidObject as invalid:
        return invalid


def _date(obj: Webhook | BuildTrigger | InvalidObject, otherwise: datetime) -> Webhook | BuildTrigger | InvalidObject:
    """Give an object an age, if it has none."""
    metadata: ObjectMeta = obj.metadata
    written = metadata.creation_timestamp
    # YAML has times without a zone.
    age = otherwise if written is None else written if written.tzinfo is not None else written.replace(tzinfo=UTC)
    dated = metadata.model_copy(update={"creation_timestamp": age})
    if isinstance(obj, InvalidObject):
        return InvalidObject(obj.kind, dated, obj.problems, obj.found_status)
    return obj.model_copy(update={"metadata": dated})


def _members(raw: Raw, name: str) -> Raw:
    """Give a part of an object in a file, which may have any form."""
    part = raw.get(name)
    return part if isinstance(part, Mapping) else {}
