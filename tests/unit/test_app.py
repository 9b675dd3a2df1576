"""The composition root's own decisions: routes in line with objects, lists into the mirror, news for status."""

from __future__ import annotations

import pytest

from hookwright import reasons
from hookwright.app.feeds import fill
from hookwright.app.news import news_of_conclusion, news_of_verdict
from hookwright.app.upkeep import keep_routes
from hookwright.builds.starter import Conclusion
from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS
from hookwright.cluster.mirror import Mirror
from hookwright.errors import ClusterError, Unready
from hookwright.intake.request import Verdict
from hookwright.intake.routes import Routes, make_url
from hookwright.kinds import BuildReference, BuildTrigger, Webhook
from support.fakecluster import FakeCluster
from support.objects import (
    NOON,
    TRIGGER_UID,
    WEBHOOK_UID,
    make_request,
    make_route,
    make_wanted,
    push,
    raw_buildtrigger,
    raw_webhook,
)

KEY = b"k" * 32
GITHUB = {"provider": "GitHub", "repository": "octo/hello"}


class World:
    """A mirror with routes that are kept in line with it."""

    def __init__(self):
        self.mirror, self.routes = Mirror(), Routes([KEY])
        self.mirror.subscribe(lambda change: keep_routes(change, self.mirror, self.routes))
        self.version = 0

    def put(self, kind, raw, *, generation=1):
        self.version += 1
        raw["metadata"] |= {"resourceVersion": str(self.version), "generation": generation}
        self.mirror.put(kind, raw)

    def route(self, uid=WEBHOOK_UID):
        return self.routes.find(make_url("", [KEY], uid))


@pytest.fixture
def world():
    return World()


# ── routes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_webhook_has_a_route_as_soon_as_it_is_seen(world):
    """A Webhook can be delivered to before its status is written."""
    world.put(Webhook, raw_webhook())
    assert (world.route().name, world.route().target_exists) == ("hello", False)


def test_webhook_that_cannot_be_read_has_a_route_too(world):
    """Deliveries to a Webhook of another shape are answered with what is wrong, not with 404."""
    world.put(Webhook, raw_webhook(filters="all"))
    assert world.route().problem is not None


def test_target_brings_its_values(world):
    """A target that comes, changes or goes changes the routes of its Webhooks."""
    world.put(Webhook, raw_webhook())
    assert world.route().tests is None
    world.put(BuildTrigger, raw_buildtrigger())
    assert world.route().tests[0](push())
    world.put(BuildTrigger, raw_buildtrigger(source={"branch": "other"}), generation=2)
    assert not world.route().tests[0](push())
    world.mirror.remove(BuildTrigger, raw_buildtrigger())
    assert world.route().target_exists is False


def test_annotation_of_a_target_counts(world):
    """The source action is an annotation, which leaves the generation as it is."""
    world.put(BuildTrigger, raw_buildtrigger())
    world.put(Webhook, raw_webhook())
    assert world.route().problem is None
    world.put(BuildTrigger, raw_buildtrigger(metadata={"annotations": {"hookwright.dev/source-action": "Pull"}}))
    assert world.route().problem.field == "spec.targetAction"


def test_change_of_status_compiles_nothing(world):
    """What receivers and operator write into status leaves the route the very object it was."""
    world.put(Webhook, raw_webhook())
    world.put(BuildTrigger, raw_buildtrigger())
    before = world.route()
    world.put(Webhook, raw_webhook(status={"arn": "x"}))
    world.put(BuildTrigger, raw_buildtrigger(status={"arn": "x"}))
    assert world.route() is before


def test_edit_changes_the_route(world):
    """A new generation of the Webhook is what the next delivery is judged by."""
    world.put(Webhook, raw_webhook())
    world.put(Webhook, raw_webhook(suspend=True), generation=2)
    assert world.route().suspend is True


def test_url_goes_with_its_object(world):
    """A Webhook that is deleted, or re-created under its name, leaves no URL behind."""
    world.put(Webhook, raw_webhook())
    world.put(Webhook, raw_webhook(metadata={"uid": "another"}))
    assert (world.route(), world.route("another").uid) == (None, "another")
    world.mirror.remove(Webhook, raw_webhook(metadata={"uid": "another"}))
    assert len(world.routes) == 0


@pytest.mark.parametrize("source", [{}, GITHUB])
def test_buildtrigger_with_a_provider_has_a_route(world, source):
    """Only who names a Git host can be delivered to; who no longer does, cannot any more."""
    world.put(BuildTrigger, raw_buildtrigger(source=source))
    assert (world.route(TRIGGER_UID) is not None) == bool(source)
    world.put(BuildTrigger, raw_buildtrigger(source={}), generation=2)
    assert (world.route(TRIGGER_UID), len(world.routes)) == (None, 0)


def test_route_of_a_buildtrigger_follows_it(world):
    """An edit counts, status does not, and the URL goes with the object."""
    world.put(BuildTrigger, raw_buildtrigger(source=GITHUB))
    before = world.route(TRIGGER_UID)
    world.put(BuildTrigger, raw_buildtrigger(source=GITHUB, status={"arn": "x"}))
    assert world.route(TRIGGER_UID) is before
    world.put(BuildTrigger, raw_buildtrigger(source=GITHUB, suspend=True), generation=2)
    assert world.route(TRIGGER_UID).suspend is True
    world.mirror.remove(BuildTrigger, raw_buildtrigger())
    assert world.route(TRIGGER_UID) is None


def test_younger_buildtrigger_of_a_project_waits(world):
    """It takes no deliveries until the older one is gone, or has another project."""
    young = {"name": "young", "uid": "young", "creationTimestamp": "2026-05-01T13:00:00Z"}
    world.put(BuildTrigger, raw_buildtrigger(source=GITHUB, metadata=young))
    assert world.route("young").problem is None
    old = {"creationTimestamp": "2026-05-01T12:00:00Z"}
    world.put(BuildTrigger, raw_buildtrigger(source=GITHUB, metadata=old))
    assert world.route("young").problem.code == "ResourceAlreadyExistsException"
    world.put(BuildTrigger, raw_buildtrigger(source=GITHUB, metadata=old, projectName="other"), generation=2)
    assert world.route("young").problem is None


def test_buildtrigger_that_cannot_be_read_has_a_route(world):
    """Deliveries to it are answered with what is wrong, and a Webhook of its name has its own route."""
    world.put(Webhook, raw_webhook())
    world.put(BuildTrigger, raw_buildtrigger(projectName=""))
    assert world.route(TRIGGER_UID).problem.code == "InvalidInputException"
    assert (world.route().KIND, world.route(TRIGGER_UID).KIND) == ("Webhook", "BuildTrigger")


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def cluster():
    made = FakeCluster()
    made.put(WEBHOOKS, raw_webhook())
    made.put(BUILDTRIGGERS, raw_buildtrigger())
    return made


async def test_list_fills_the_mirror_targets_first(cluster):
    """Everything is listed, and no Webhook is seen before its target."""
    mirror, seen = Mirror(), []
    mirror.subscribe(lambda change: seen.append(change.key.kind))
    assert await fill(mirror, cluster)
    assert seen == ["BuildTrigger", "Webhook"]


async def test_list_forgets_what_has_gone(cluster):
    """An object that went while nobody watched is forgotten with the next list."""
    mirror = Mirror()
    await fill(mirror, cluster)
    cluster.drop(WEBHOOKS, "hello")
    await fill(mirror, cluster)
    assert mirror.webhook("default", "hello") is None


async def test_list_does_not_forget_what_a_watch_showed_meanwhile(cluster):
    """An object that was made after the list, and was seen by the watch before its end, stays."""
    mirror = Mirror()
    await fill(mirror, cluster)
    newcomer = raw_webhook(metadata={"name": "new", "uid": "new", "resourceVersion": "999"})
    recreated = raw_webhook(metadata={"uid": "again", "resourceVersion": "1000"})

    def watch(change):
        if change.found.metadata.uid == WEBHOOK_UID:
            mirror.put(Webhook, newcomer)
            mirror.put(Webhook, recreated)

    mirror.subscribe(watch)
    cluster.put(WEBHOOKS, raw_webhook(suspend=True))
    await fill(mirror, cluster)
    assert mirror.webhook("default", "new") is not None
    assert mirror.webhook("default", "hello").metadata.uid == "again"


async def test_missing_crds_are_said(cluster):
    """A cluster without our CRDs is answered with the command that installs them."""
    cluster.fail("list", BUILDTRIGGERS, status=404, reason="NotFound")
    with pytest.raises(Unready, match="kubectl apply -f crds/"):
        await fill(Mirror(), cluster)


async def test_kind_that_is_refused_does_not_keep_the_others_out(cluster):
    """A right that is missing for one kind is passed on after the others were listed, and what went of them is seen."""
    mirror = Mirror()
    await fill(mirror, cluster)
    cluster.drop(WEBHOOKS, "hello")
    cluster.fail("list", BUILDTRIGGERS, status=403, message="no right")
    with pytest.raises(ClusterError, match="no right"):
        await fill(mirror, cluster)
    assert mirror.webhook("default", "hello") is None
    assert mirror.buildtrigger("default", "hello") is not None


async def test_absent_api_server_is_not_a_missing_crd(cluster):
    """Any other refusal of a list is passed on, to be tried again."""
    cluster.fail("list", BUILDTRIGGERS, status=503)
    with pytest.raises(ClusterError):
        await fill(Mirror(), cluster)


# ── news ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_created_build_moves_last_triggered():
    """A build that exists is news of the delivery, by the time it was accepted, and of the start, by its own time."""
    later = NOON.replace(hour=13)
    build = BuildReference(api_version="batch/v1", kind="Job", name="hello-x")
    conclusion = Conclusion(wanted=make_wanted(), reason=reasons.BUILD_CREATED, message="made", time=later, build=build)
    news = news_of_conclusion(conclusion)
    assert (news.uid, news.last_triggered) == (WEBHOOK_UID, later)
    assert (news.last_delivery.time, news.last_delivery.outcome, news.last_delivery.build) == (NOON, "started", build)


@pytest.mark.parametrize("reason", [reasons.START_DELAYED, reasons.BUILD_FORBIDDEN, reasons.TARGET_MISSING])
def test_build_that_does_not_exist_moves_nothing(reason):
    """LastTriggered does not move for a delivery that waits or has failed."""
    news = news_of_conclusion(Conclusion(wanted=make_wanted(), reason=reason, message="no", time=NOON))
    assert (news.last_triggered, news.last_delivery.reason) == (None, reason.name)


def test_verdict_is_news_with_its_remedy():
    """Status says of a delivery that starts nothing why, and what to do."""
    verdict = Verdict(reason=reasons.FILTERED_OUT, message="no match.", delivery_id="d")
    news = news_of_verdict(make_route(), make_request(), verdict)
    assert (news.uid, news.last_delivery.id, news.last_delivery.time) == (WEBHOOK_UID, "d", NOON)
    assert news.last_delivery.message == f"no match. {reasons.FILTERED_OUT.remedy}"
    assert news.last_triggered is None


def test_duplicate_names_the_first_build():
    """A duplicate in status says which build the first delivery started."""
    verdict = Verdict(reason=reasons.ALREADY_DELIVERED, message="known.", delivery_id="d", wanted=(make_wanted(),))
    assert news_of_verdict(make_route(), make_request(), verdict).last_delivery.build.kind == "Job"
