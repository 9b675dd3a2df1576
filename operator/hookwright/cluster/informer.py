"""Follows one resource of the Kubernetes API: lists it, watches it, and tells what came, changed and went.

An operator of all namespaces leaves our own kinds to kopf. All else is followed here, because kopf

- filters by label only after it has received every object: all Secrets of a cluster would come to us;
- does not survive a resource that we may not watch, or that is not there: an ERROR event or a 404 ends it;
- keeps memory and a task for each object, also for those that nobody asked about.

Here a right that is missing is said once, asked for again now and then, and does not keep anything else from working.
What is kept of an object is who it is and its version: to keep more is the listener's matter.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import NoReturn

import structlog

from hookwright.cluster.answers import ADDED, DELETED, MODIFIED
from hookwright.cluster.port import PAGE, Cluster
from hookwright.cluster.resources import Resource
from hookwright.errors import ClusterError
from hookwright.kinds import Raw
from hookwright.logs import name_object

log = structlog.get_logger()

Place = tuple[str, str]  # namespace and name
Seen = Callable[[str, Raw], None]

# The API server ends a watch after so long; it would do so after 30 to 60 minutes by itself.
WATCH_SECONDS = 290
# A watch that ends sooner is a failure, so that a server that ends each at once is not asked without a pause.
SHORTEST_WATCH_SECONDS = 1.0
# A watch that went for so long makes the failures before it forgotten.
STEADY_SECONDS = 30.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
# A right that is missing, and a resource that is not there, are asked for so often.
REFUSED_SECONDS = 300.0
_FORBIDDEN = 403
_GONE = 410


class Informer:
    """Tells `seen` what becomes of the objects of one resource that `label_selector` chooses.

    `seen(event, raw)` is called in the event loop's thread, in order: ADDED for what is there at first and for what
    comes, MODIFIED for each other state, DELETED for what went or is not chosen any more. Of what went unseen, while
    the watch was broken, only the metadata's namespace, name and uid are given. An object that took another's name is
    DELETED and ADDED. Objects need not say their kind. What the API server refuses is asked for again after
    `refused_seconds` (None: `REFUSED_SECONDS`).
    `remedy_absent` is what to do where the resource is not there; `refused` is told of each refusal, `listed` of each
    time when all that is there has been told.
    """

    def __init__(
        self,
        cluster: Cluster,
        resource: Resource,
        *,
        seen: Seen,
        namespace: str | None = None,
        label_selector: str = "",
        page_size: int = PAGE,
        refused_seconds: float | None = None,
        remedy_absent: str = "",
        refused: Callable[[ClusterError], None] = lambda _: None,
        listed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.synced = asyncio.Event()
        """Set once everything that is there has been told."""
        self._cluster = cluster
        self._resource = resource
        self._seen = seen
        self._namespace = namespace
        self._selector = label_selector
        self._page_size = page_size
        self._refused_seconds = refused_seconds
        self._remedy_absent = remedy_absent
        self._tell_refusal = refused
        self._tell_listed = listed
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._known: dict[Place, tuple[str, str]] = {}  # uid and resourceVersion
        self._settled = asyncio.Event()
        self._heard_at = -math.inf
        self._going = False
        self._verb = "list"  # what is being done
        self._refused = False
        self._failures = 0

    @property
    def going(self) -> bool:
        """Whether a watch goes, as far as we know."""
        return self._going

    @property
    def available(self) -> bool:
        """Whether the API server lets us list and watch, as far as we know."""
        return not self._refused

    def shows(self, raw: Raw) -> bool:
        """Whether an object is among those that it chooses, as far as we know."""
        known = self._known.get(_place(raw))
        return known is not None and known[0] == raw["metadata"].get("uid", "")

    async def settled(self) -> bool:
        """Wait until all that is there has been told, or the API server refuses; give which it is (`available`)."""
        await self._settled.wait()
        return self.available

    def as_of(self, now: float) -> float:
        """Give up to what time everything has been told: `now` while a watch goes; -inf if never.

        A watch that has died without a word is found out after a minute or so: until then it seems to go.
        """
        return now if self._going else self._heard_at

    async def run(self) -> None:
        """List and watch until cancelled; what fails is tried again."""
        while True:
            await self._sleep(await self._try())

    async def _try(self) -> float:
        """List and watch for as long as it goes; give how long to wait then."""
        try:
            await self._follow(await self._list())
        except ClusterError as error:
            return self._judge(error)
        except Exception:
            # A mistake in one answer, or in reading it, must not end this for good.
            log.exception("informer", resource=self._resource.plural)
            return self._back_off()

    async def _list(self) -> str:
        """Tell what is there and what is not there any more; give the list's resourceVersion."""
        self._verb = "list"
        began = self._clock()
        unseen = set(self._known)
        version = ""
        async for page in self._cluster.list_pages(
            self._resource, namespace=self._namespace, label_selector=self._selector, size=self._page_size
        ):
            for raw in page.items:
                unseen.discard(self._take(raw))
            version = page.resource_version
        for place in unseen:
            self._remove(place)
        self._heard_at = began
        self.synced.set()
        self._settled.set()
        self._tell_listed()
        return version

    async def _follow(self, version: str) -> NoReturn:
        """Watch, one watch after the other; after an error a list must say what was missed."""
        self._verb = "watch"
        while True:
            began = self._clock()
            events = self._cluster.watch(
                self._resource,
                namespace=self._namespace,
                label_selector=self._selector,
                resource_version=version,
                seconds=WATCH_SECONDS,
            )
            try:
                async with aclosing(events):
                    async for event, raw in events:
                        self._hear()
                        version = raw["metadata"]["resourceVersion"]
                        if event in (ADDED, MODIFIED):
                            self._take(raw)
                        elif event == DELETED:
                            self._remove(_place(raw), raw)
            finally:
                self._going = False
                lasted = self._clock() - began
                if lasted >= STEADY_SECONDS:
                    self._failures = 0
            if lasted < SHORTEST_WATCH_SECONDS:
                raise ClusterError("the API server ends the watch at once", status=0)
            # It has ended in order: up to now nothing was left out.
            self._heard_at = self._clock()

    def _take(self, raw: Raw) -> Place:
        """Tell of an object as it is now, unless this is known."""
        metadata = raw["metadata"]
        place, state = _place(raw), (metadata.get("uid", ""), metadata.get("resourceVersion", ""))
        before = self._known.get(place)
        if before is not None and before[0] != state[0]:
            self._remove(place)
            before = None
        if before != state:
            self._known[place] = state
            self._tell(ADDED if before is None else MODIFIED, raw)
        return place

    def _remove(self, place: Place, raw: Raw | None = None) -> None:
        """Tell that an object went; without `raw` nobody saw it go."""
        if place not in self._known:
            return
        uid, _ = self._known.pop(place)
        namespace, name = place
        self._tell(DELETED, raw or {"metadata": {"namespace": namespace, "name": name, "uid": uid}})

    def _tell(self, event: str, raw: Raw) -> None:
        try:
            self._seen(event, raw)
        except Exception:
            # A mistake of the listener about one object must not hide the others from it.
            log.exception("informer", **name_object(self._resource.kind, *_place(raw)))

    def _hear(self) -> None:
        """Note that the watch goes."""
        self._going = True
        if self._refused:
            log.info("informer", resource=self._resource.plural, namespace=self._namespace, state="followed again")
        self._refused = False
        self._heard_at = self._clock()

    def _judge(self, error: ClusterError) -> float:
        """Say what is wrong, where it is news, and give how long to wait."""
        if error.status == _GONE and self._failures == 0:
            # The version is too old, which a list mends: no failure, unless it comes again.
            self._failures = 1
            return 0.0
        if error.transient or error.status == _GONE:
            # Connections break, which a list mends: that is no trouble before it happens again.
            say = log.warning if self._failures else log.info
            wait = self._back_off()
            say("informer", verb=self._verb, resource=self._resource.plural, error=error.message, again_in=wait)
            return wait
        wait = REFUSED_SECONDS if self._refused_seconds is None else self._refused_seconds
        if not self._refused:
            log.warning(
                "informer",
                verb=self._verb,
                resource=self._resource.plural,
                namespace=self._namespace,
                error=error.message,
                remedy=self._find_remedy(error),
                again_in=wait,
            )
        self._refused = True
        self._tell_refusal(error)
        self._settled.set()
        return wait

    def _find_remedy(self, error: ClusterError) -> str:
        resource, group = self._resource.plural, self._resource.group or "the core group"
        if error.status == _FORBIDDEN:
            where = f"a Role in namespace {self._namespace}" if self._namespace else "a ClusterRole"
            return f"if they are to be watched, allow list and watch on {resource} of {group} in {where}"
        return self._remedy_absent or f"if {resource} of {group} are used here, install what serves them"

    def _back_off(self) -> float:
        self._failures += 1
        wait = min(FIRST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 16), LONGEST_WAIT_SECONDS)
        return wait * (1 + self._jitter() / 4)


def _place(raw: Raw) -> Place:
    metadata = raw["metadata"]
    return metadata.get("namespace", ""), metadata.get("name", "")
