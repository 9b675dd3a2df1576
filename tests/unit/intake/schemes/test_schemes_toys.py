"""A toy of each kind, plugged in from here: to add a scheme or a kind of target, nothing else has to be touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from hookwright import reasons
from hookwright.builds import targets
from hookwright.builds.plan import End, Start, Wait, plan
from hookwright.builds.targets import BuildKind, TargetKind, find_build_kind, find_values
from hookwright.builds.wanted import TargetRef, Undecided, WantedBuild
from hookwright.cluster.resources import JOBS
from hookwright.errors import InvalidSpec, NotAuthentic
from hookwright.intake import schemes
from hookwright.intake.judge import judge
from hookwright.intake.receiver import Receiver
from hookwright.intake.request import Request
from hookwright.intake.rules import INVALID_AUTHENTICATION
from hookwright.intake.schemes import Scheme
from hookwright.intake.schemes.scheme import AnySender, is_one_of, read_header, refuse_member
from hookwright.intake.webhook_route import compile_webhook
from hookwright.journal import Accept
from hookwright.kinds import AuthenticationConfiguration, ObjectKind, ObjectMeta, Webhook
from hookwright.kinds.authentication import MEMBERS, Members
from support.objects import NEW_ID, NOON, make_buildtrigger, make_request, make_wanted, make_webhook

TOY = "TOY_REVERSED"


class Reversed(AnySender):
    """The secret comes backwards in a header of the owner's choosing; the id of a delivery is in X-Toy-Id."""

    def __init__(self, configuration: AuthenticationConfiguration) -> None:
        self.header = (configuration.header or "").lower()
        if not self.header.startswith("x-"):
            raise refuse_member("header", f"{configuration.header}: a toy's header begins with X-; name another")

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        given = read_header(request, self.header)
        if given is None:
            raise NotAuthentic("no toy", reason=reasons.TOKEN_MISSING.name)
        if not is_one_of(given[::-1], self.usable(secrets)):
            raise NotAuthentic("another toy", reason=reasons.TOKEN_MISMATCH.name)

    def delivery_id(self, request: Request) -> str | None:
        return request.header("x-toy-id")

    def event(self, request: Request) -> str | None:
        return "played"


@pytest.fixture
def toy(monkeypatch):
    """Add the scheme: its class in SCHEMES, its members in MEMBERS; its name would be one more value of an enum."""
    monkeypatch.setitem(schemes.SCHEMES, TOY, Reversed)
    monkeypatch.setitem(MEMBERS, TOY, Members(secret=True, needs=("header",)))


def toy_webhook(**changes) -> Webhook:
    """Give a Webhook with the scheme, which the enum of this version would not let in."""
    members = {"secretTokenRef": {"name": "hello-webhook"}, "header": "X-Toy", **changes}
    webhook = make_webhook(filters=[], parameters=[{"name": "EVENT", "from": "eventHeader"}])
    configuration = AuthenticationConfiguration.model_validate(
        {name: value for name, value in members.items() if value is not None}
    )
    spec = webhook.spec.model_copy(update={"authentication": TOY, "authentication_configuration": configuration})
    return webhook.model_copy(update={"spec": spec})


def toy_request(token="terces", **headers):
    return make_request(secret=None, without=["x-github-delivery"], x_toy=token, x_toy_id="toy-1", **headers)


def test_toy_is_a_scheme():
    """The toy has the face of a scheme, as the checker of types sees it too."""
    scheme: Scheme = Reversed(AuthenticationConfiguration(header="X-Toy"))
    assert (scheme.needs_secret, scheme.reads_forms) == (True, False)


@pytest.mark.usefixtures("toy")
def test_toy_is_compiled_into_a_route():
    """compile_webhook makes the scheme, for the members that it asks for."""
    route = compile_webhook(toy_webhook(), make_buildtrigger())
    assert route.problem is None
    assert isinstance(route.scheme, Reversed)
    assert [ref.name for ref in route.secret_refs] == ["hello-webhook"]


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"header": None}, "header"),
        ({"prefix": "p"}, "prefix"),
        ({"secretTokenRef": None}, ""),
        ({"header": "Toy"}, "header"),
    ],
)
def test_members_of_the_toy_are_checked(changes, field):
    """What the toy needs and takes is held to as that of any other scheme, and so are its own rules."""
    problem = compile_webhook(toy_webhook(**changes), make_buildtrigger()).problem
    assert isinstance(problem, InvalidSpec)
    path = "spec.authenticationConfiguration" + (f".{field}" if field else "")
    assert (problem.code, problem.field) == (INVALID_AUTHENTICATION, path)


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("token", "secrets", "reason"),
    [
        ("terces", [b"secret"], reasons.ACCEPTED),
        ("terces", [b"other", b"secret"], reasons.ACCEPTED),
        ("secret", [b"secret"], reasons.TOKEN_MISMATCH),
        ([], [b"secret"], reasons.TOKEN_MISSING),
        ("", [b"\n"], reasons.SECRET_UNUSABLE),
        ("terces", None, reasons.SECRET_UNUSABLE),
    ],
)
def test_toy_is_judged(token, secrets, reason):
    """The verdict asks the toy who it is, which delivery it is and what happened."""
    route = compile_webhook(toy_webhook(), make_buildtrigger())
    verdict = judge(toy_request(token), route, secrets, new_id=lambda: NEW_ID)
    assert (verdict.reason, verdict.delivery_id) == (reason, "toy-1")
    assert [wanted.parameters for wanted in verdict.wanted] == [{"EVENT": "played"}] * (reason is reasons.ACCEPTED)


@dataclass
class FakeSecrets:
    """A Secret that has just been changed."""

    kept: list[bytes]
    now: list[bytes]

    async def read_all(self, refs):
        return self.kept

    async def read_all_again(self, refs, than):
        return self.now


@dataclass
class FakeJournal:
    """Takes each delivery once."""

    keys: list[Any] = field(default_factory=list)

    async def accept_all(self, deliveries):
        taken = [Accept(new=one.key not in self.keys, first=None) for one in deliveries]
        self.keys += [one.key for one in deliveries]
        return taken


@pytest.mark.usefixtures("toy")
async def test_toy_is_received():
    """The receiver answers 202, then 200 for the duplicate; a new secret works at once; strangers learn nothing."""
    journal = FakeJournal()
    secrets = FakeSecrets(kept=[b"old"], now=[b"secret"])
    receiver = Receiver(secrets=secrets, journal=journal, report=lambda *_: None, new_id=lambda: NEW_ID)
    route = compile_webhook(toy_webhook(), make_buildtrigger())
    answers = [await receiver.receive(route, toy_request(token)) for token in ("terces", "terces", "nothing", [])]
    assert [answer.status for answer in answers] == [202, 200, 401, 401]
    assert json.loads(answers[0].body)["builds"] == json.loads(answers[1].body)["builds"]
    assert answers[2].body == answers[3].body
    assert {key.delivery_id for key in journal.keys} == {"toy-1"}


# ── a kind of target ──────────────────────────────────────────────────────────────────────────────────────────────


class Kettle(ObjectKind):
    """Something that makes tea."""

    KIND: ClassVar[str] = "Kettle"
    water: str = "soft"


class Kettles:
    """How kettles make builds."""

    api_version = "toys.example.com/v1"
    build = BuildKind(api_version="toys.example.com/v1", kind="Tea", resource=JOBS)

    def values(self, target: Kettle) -> dict[str, str]:
        return {"Water": target.water}

    def service_account(self, target: Kettle) -> str | None:
        return "butler"

    def render(self, wanted: WantedBuild, target: Kettle) -> dict[str, Any]:
        return {"kind": "Tea", "spec": {"water": target.water, "for": wanted.delivery_id}}


@pytest.fixture
def kettle(monkeypatch) -> Kettle:
    """Add the kind to the registry, and give one."""
    kettles: TargetKind[Kettle] = Kettles()
    monkeypatch.setitem(targets.TARGET_KINDS, Kettle.KIND, kettles)
    return Kettle(kind=Kettle.KIND, metadata=ObjectMeta(name="copper", namespace="default", uid="k-1"))


def wanted_of(target, **changes) -> WantedBuild:
    reference = TargetRef(api_version=Kettles.api_version, kind=target.KIND, name=target.metadata.name)
    return make_wanted(target=reference, **changes)


def decide(wanted, target):
    return plan(wanted, target, now=NOON, patience=timedelta(seconds=300), attempts=0)


def test_toy_makes_what_it_makes(kettle):
    """What is planned and rendered is what the toy says, as the account that it names."""
    step = decide(wanted_of(kettle), kettle)
    assert isinstance(step, Start)
    assert step.manifest == {"kind": "Tea", "spec": {"water": "soft", "for": make_wanted().delivery_id}}
    assert step.service_account == "butler"
    assert find_build_kind(wanted_of(kettle).target).kind == "Tea"


def test_values_of_the_toy_fill_placeholders(kettle):
    """What the toy holds by nature decides filters, and its annotations go before that."""
    undecided = [Undecided(match_equals="{Water}", found=("hard",))]
    assert isinstance(decide(wanted_of(kettle, undecided=undecided), kettle), End)
    annotations = {"config.hookwright.dev/Water": "hard"}
    hard = kettle.model_copy(update={"metadata": kettle.metadata.model_copy(update={"annotations": annotations})})
    assert find_values(hard) == {"Water": "hard"}
    assert isinstance(decide(wanted_of(hard, undecided=undecided), hard), Start)


def test_missing_toy_is_waited_for(kettle):
    """A toy that is not there is waited for under its own kind and name."""
    step = decide(wanted_of(kettle), None)
    assert isinstance(step, Wait)
    assert "Kettle copper in namespace default" in step.message


def test_route_to_the_toy_is_compiled(kettle):
    """A Webhook's filters take the toy's values, and its target's kind and API version belong together."""
    webhook = make_webhook(filters=[{"jsonPath": "$.ref", "matchEquals": "{Water}"}])
    pipeline = webhook.spec.target_pipeline.model_copy(
        update={"api_version": Kettles.api_version, "kind": Kettle.KIND, "name": "copper"}
    )
    webhook = webhook.model_copy(update={"spec": webhook.spec.model_copy(update={"target_pipeline": pipeline})})
    route = compile_webhook(webhook, kettle)
    assert route.problem is None
    assert route.values == {"Water": "soft"}
    verdict = judge(make_request({"ref": "soft"}), route, [b"It's a Secret to Everybody"], new_id=lambda: NEW_ID)
    (wanted,) = verdict.wanted
    assert isinstance(decide(wanted, kettle), Start)
    old = pipeline.model_copy(update={"api_version": "batch/v1"})
    wrong = webhook.model_copy(update={"spec": webhook.spec.model_copy(update={"target_pipeline": old})})
    assert "a Kettle has toys.example.com/v1" in compile_webhook(wrong, kettle).problem.message
