"""Which object of a kind is meant where files may hold several. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hookwright.commands.file_objects import FileObject
from hookwright.errors import UsageError
from hookwright.kinds import BuildTrigger, ObjectKind, Webhook

K = TypeVar("K", bound=ObjectKind)

_OPTIONS = {Webhook.KIND: "--webhook", BuildTrigger.KIND: "--trigger"}


def choose_one(
    kind: type[K],
    objects: Sequence[FileObject[K]],
    name: str | None,
    namespace: str | None,
    *,
    counts: Callable[[FileObject[K]], bool] = lambda _: True,
) -> FileObject[K]:
    """Give the one of `objects` that is meant; where nobody says its name, one that `counts`.

    Raises:
        UsageError: there is none, or there are several.
    """
    meant = [
        one
        for one in objects
        if (counts(one) if name is None else one.name == name)
        and (namespace is None or one.namespace in ("", namespace))
    ]
    if not meant:
        there = f" {name}" if name is not None else f" of namespace {namespace}" if namespace is not None else ""
        names = _list_names(objects)
        raise UsageError(f"the files hold no {kind.KIND}{there}" + (f"; there is: {names}" if names else ""))
    # What is in no namespace is applied to the one that is named.
    places = {(one.namespace or namespace or "", one.name) for one in meant}
    if len({of_name for _, of_name in places}) > 1:
        choice = f"choose one with {_OPTIONS[kind.KIND]}: {_list_names(meant)}"
        raise UsageError(f"the files hold several {kind.KIND}s: {choice}")
    # Of one that is there twice the last counts, as for kubectl apply.
    last = meant[-1]
    if len(places) > 1:
        spaces = ", ".join(sorted(of_namespace or "none" for of_namespace, _ in places))
        raise UsageError(f"the files hold {kind.KIND} {last.name} in several namespaces: choose one with -n: {spaces}")
    return last


def _list_names(objects: Sequence[FileObject[K]]) -> str:
    return ", ".join(sorted({one.name for one in objects}))
