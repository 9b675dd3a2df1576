"""`hookwright start`: one request at a time, and an answer that says what became of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from command_line import run

from hookwright import reasons
from hookwright.app.operating import reconcile
from hookwright.builds.by_hand import REF, REQUESTED_AT
from hookwright.builds.starter import Starter
from hookwright.cluster import BUILDTRIGGERS, JOBS
from hookwright.cluster.mirror import Key, Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.commands.start import Told, describe, make_value
from hookwright.commands.start_request import LOOK_SECONDS, Asking
from hookwright.errors import ClusterError, UsageError
from hookwright.reconcile.announcer import Announcer
from hookwright.reconcile.rootkey import RootKeys
from hookwright.reconcile.world import World
from hookwright.settings import Settings
from support.fakecluster import FakeCluster
from support.objects import NOON, raw_buildtrigger

TRIGGER = Key("BuildTrigger", "default", "hello")


class Scene:
    """A cluster in which an operator looks at the BuildTrigger each time that somebody waits, unless it is away."""

    def __init__(self):
        self.cluster, mirror = FakeCluster(), Mirror()
        self.cluster.feed(mirror)
        self.put_trigger()
        self.seconds = 0.0
        self.away = False
        self.meanwhile = []
        self.world = World(
            cluster=self.cluster,
            mirror=mirror,
            secrets=SecretReader(self.cluster, clock=lambda: self.seconds),
            announcer=Announcer(self.cluster, lambda: NOON),
            clock=lambda: NOON,
            settings=Settings(),
            root_keys=RootKeys([b"k" * 32]),
            starter=Starter(cluster=self.cluster, targets=mirror, clock=lambda: NOON, patience=timedelta(0)),
        )

    def put_trigger(self, **changes):
        self.cluster.put(BUILDTRIGGERS, raw_buildtrigger(**changes))

    async def sleep(self, seconds):
        self.seconds += seconds
        for act in self.meanwhile[:1]:
            self.meanwhile.remove(act)
            act()
        self.cluster.show()
        if not self.away:
            with suppress(ClusterError):
                await reconcile(TRIGGER, self.world)

    def asking(self, *, value="mine", ref="main", seconds=10, name="hello"):
        return Asking(
            cluster=self.cluster,
            namespace="default",
            name=name,
            value=value,
            ref=ref,
            seconds=seconds,
            now=lambda: self.seconds,
            sleep=self.sleep,
        )

    def annotate(self, **annotations):
        """Write annotations as another user does."""
        trigger = self.cluster.find(BUILDTRIGGERS, "hello")
        metadata = {**trigger["metadata"], "annotations": annotations}
        self.cluster.put(BUILDTRIGGERS, {**trigger, "metadata": metadata})

    def jobs(self):
        return [job["metadata"]["name"] for job in self.cluster.all(JOBS)]


@pytest.fixture
def scene():
    return Scene()


# ── what is said ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_start_names_the_job_that_was_made(scene):
    """The request is an annotation; the answer names the very Job that the operator has made."""
    answer = await scene.asking(ref="release/1").ask()
    assert (str(answer.outcome), answer.reason) == ("started", reasons.BUILD_CREATED.name)
    assert [answer.job] == scene.jobs()
    annotations = scene.cluster.find(BUILDTRIGGERS, "hello")["metadata"]["annotations"]
    assert annotations == {REQUESTED_AT: "mine", REF: "release/1"}
    assert describe(Told(namespace="default", answer=answer), trigger="hello")["build"]["name"] == answer.job


async def test_without_a_ref_the_last_one_is_not_built_again(scene):
    """A request without --ref is of spec.source.branch, whatever an earlier one has left."""
    await scene.asking(value="first", ref="release/1").ask()
    await scene.asking(value="second", ref=None).ask()
    assert REF not in scene.cluster.find(BUILDTRIGGERS, "hello")["metadata"]["annotations"]
    assert len(scene.jobs()) == 2


async def test_refused_start_says_why(scene):
    """What status says of the failed start is the answer, and no build is named."""
    scene.cluster.fail("create", JOBS, status=403, message="cannot create resource jobs", times=9, dry_run=False)
    answer = await scene.asking().ask()
    assert (str(answer.outcome), answer.reason) == ("failed", reasons.BUILD_FORBIDDEN.name)
    assert "cannot create resource jobs" in answer.message
    assert describe(Told(namespace="default", answer=answer), trigger="hello")["build"] is None


async def test_nobody_at_work_is_said_after_the_time(scene):
    """Without an operator the wait ends, and the answer says what to look at."""
    scene.away = True
    answer = await scene.asking(seconds=5).ask()
    assert str(answer.outcome) == "pending"
    assert "operator" in answer.message
    assert scene.seconds <= 5 + LOOK_SECONDS


async def test_start_that_waits_says_for_what(scene):
    """A build that cannot be made now is pending, with the operator's reason."""
    message = "forbidden: exceeded quota: jobs"
    scene.cluster.fail("create", JOBS, status=403, message=message, times=999, dry_run=False)
    answer = await scene.asking().ask()
    assert (str(answer.outcome), answer.reason) == ("pending", reasons.QUOTA_EXCEEDED.name)
    assert message in answer.message


# ── others ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_two_who_ask_get_two_builds(scene):
    """A request waits until the one before was dealt with, so that none is overwritten."""
    scene.annotate(**{REQUESTED_AT: "theirs"})
    answer = await scene.asking().ask()
    assert str(answer.outcome) == "started"
    assert len(scene.jobs()) == 2


async def test_request_that_is_never_dealt_with_stands_in_the_way(scene):
    """If the request before is not dealt with in time, nothing is written."""
    scene.away = True
    scene.annotate(**{REQUESTED_AT: "theirs"})
    answer = await scene.asking().ask()
    assert (str(answer.outcome), scene.cluster.count("patch", BUILDTRIGGERS)) == ("pending", 0)
    assert "earlier request" in answer.message


async def test_write_of_another_is_no_failure(scene):
    """A BuildTrigger that was written between the look and the request is looked at again."""
    scene.cluster.interrupt("patch", BUILDTRIGGERS, lambda: scene.annotate(other="x"))
    answer = await scene.asking().ask()
    assert str(answer.outcome) == "started"
    assert len(scene.jobs()) == 1


async def test_request_that_is_overwritten_is_told(scene):
    """Kubectl may overwrite a request before the operator sees it: then it is said, unless the Job is there."""
    scene.meanwhile = [lambda: scene.annotate(**{REQUESTED_AT: "theirs"})]
    answer = await scene.asking().ask()
    assert str(answer.outcome) == "failed"
    assert "another request" in answer.message
    assert answer.job not in scene.jobs()


async def test_request_that_is_overwritten_after_its_build_has_started(scene):
    """A build that is there was started, though status is about a later request by now."""
    scene.away = True
    asking = scene.asking()

    def start_and_overwrite():
        job = {"metadata": {"name": answer_name, "namespace": "default"}}
        scene.cluster.put(JOBS, job)
        scene.annotate(**{REQUESTED_AT: "theirs"})

    answer_name = (await scene.asking(seconds=0).ask()).job
    scene.annotate()
    scene.meanwhile = [start_and_overwrite]
    answer = await asking.ask()
    assert (str(answer.outcome), answer.job) == ("started", answer_name)


async def test_api_server_that_is_away_for_a_moment_is_waited_for(scene):
    """Once the request is written, an API server that does not answer is asked again until the time is over."""
    scene.meanwhile = [lambda: scene.cluster.fail("get", BUILDTRIGGERS, status=503, times=2)]
    answer = await scene.asking().ask()
    assert str(answer.outcome) == "started"
    scene.cluster.fail("get", BUILDTRIGGERS, status=503, times=99)
    with pytest.raises(ClusterError):
        await scene.asking(value="second").ask()


# ── what cannot be asked ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_unknown_trigger_is_a_mistake_in_the_words(scene):
    """A BuildTrigger that is not there is named, with its namespace."""
    with pytest.raises(UsageError, match="no BuildTrigger other in namespace default"):
        await scene.asking(name="other").ask()


async def test_nothing_that_says_what_to_build(scene):
    """Without --ref and spec.source.branch nothing is written."""
    scene.put_trigger(source={"repository": "octo/hello"})
    with pytest.raises(UsageError, match="--ref"):
        await scene.asking(ref=None).ask()
    assert scene.cluster.count("patch", BUILDTRIGGERS) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hello", "--ref", "a..b"], "--ref 'a..b'"),
        (["hello", "--ref", "-x"], "--ref '-x'"),
        (["hello", "--ref", "x" * 256], "--ref 256 characters"),
        (["Hello"], "TRIGGER 'Hello'"),
        ([""], "TRIGGER ''"),
        (["webhook/hello"], "webhook/hello"),
        (["job/hello"], "job/hello"),
        (["hello", "--timeout", "0"], "--timeout"),
        (["hello", "-n", "a/b"], "--namespace 'a/b'"),
    ],
)
def test_words_that_cannot_be_are_refused(capsys, arguments, said):
    """What is no ref or no name is said in one line, exit code 2, and no cluster is asked."""
    ran = run(capsys, "start", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_help_has_an_example(capsys):
    """--help says how it is typed."""
    ran = run(capsys, "start", "--help")
    assert ran.code == 0
    assert "hookwright start hello --ref main" in ran.out


def test_values_are_never_the_same():
    """Two requests of one moment have two values, which are short and can be printed."""
    values = {make_value() for _ in range(100)}
    assert len(values) == 100
    assert all(value.isprintable() and len(value) < 64 for value in values)
