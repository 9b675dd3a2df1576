"""Around the verdict: the Secret that may have changed, the journal before the answer, and what a caller is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright import reasons
from hookwright.builds.wanted import WantedBuild
from hookwright.errors import JournalCrowded, JournalUnwritable
from hookwright.intake.receiver import Answer, Receiver, answer, refuse_unknown
from hookwright.intake.request import Verdict
from hookwright.journal import Accept, RowError
from hookwright.reasons import CATALOGUE
from hookwright.scm import Provider
from support.deliveries import DELIVERIES
from support.objects import DELIVERY_ID, NEW_ID, SECRET, WEBHOOK_UID, make_request, make_route, make_wanted

OLD = b"the secret of yesterday"


@dataclass
class FakeSecrets:
    """A Secret with the value that was read last, and the value that it has now."""

    kept: bytes | None = SECRET
    now: bytes | None = None
    read_again_calls: int = 0

    async def read_all(self, refs):
        return [self.kept] if self.kept is not None else None

    async def read_all_again(self, refs, than):
        self.read_again_calls += 1
        return [self.now] if self.now is not None and [self.now] != list(than or ()) else None


@dataclass
class FakeJournal:
    """Takes deliveries once by their key, or fails."""

    rows: dict = field(default_factory=dict)
    error: Exception | None = None

    async def accept_all(self, deliveries):
        if self.error is not None:
            raise self.error
        taken = [Accept(new=one.key not in self.rows, first=None) for one in deliveries]
        self.rows |= {one.key: one for one in deliveries}
        return taken


@dataclass
class Bench:
    """A receiver with fakes around it, and what it reported."""

    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    journal: FakeJournal = field(default_factory=FakeJournal)
    reported: list = field(default_factory=list)
    forgiven: list = field(default_factory=list)

    async def receive(self, request=None, route=None):
        receiver = Receiver(
            secrets=self.secrets,
            journal=self.journal,
            report=lambda _route, _request, verdict: self.reported.append(verdict),
            forgive=lambda client, uid: self.forgiven.append((client, uid)),
            new_id=lambda: NEW_ID,
        )
        return await receiver.receive(route or make_route(), request or make_request())


def read(given: Answer):
    return json.loads(given.body)


async def test_accepted_delivery_is_in_the_journal_before_its_answer():
    """A 202 is given once the journal has the build that is wanted, under object, id and index."""
    bench = Bench()
    given = await bench.receive()
    ((key, row),) = bench.journal.rows.items()
    assert (key.uid, key.delivery_id, key.index) == (WEBHOOK_UID, DELIVERY_ID, 0)
    assert (row.namespace, row.name, row.kind) == ("default", "hello", "Webhook")
    assert WantedBuild.from_json(row.work).delivery_id == DELIVERY_ID
    assert given.status == 202


async def test_answer_names_the_build_that_is_being_created():
    """The answer has id, outcome, reason, message and the builds by their names."""
    document = read(await Bench().receive())
    assert set(document) == {"deliveryId", "outcome", "reason", "message", "builds"}
    assert (document["deliveryId"], document["outcome"], document["reason"]) == (DELIVERY_ID, "started", "Accepted")
    (build,) = document["builds"]
    assert set(build) == {"apiVersion", "kind", "namespace", "name"}
    assert (build["apiVersion"], build["kind"], build["namespace"]) == ("batch/v1", "Job", "default")
    assert build["name"].startswith("hello-")


async def test_second_delivery_with_one_id_is_a_duplicate():
    """A redelivery is answered 200 and names the build of the first one."""
    bench = Bench()
    first, second = await bench.receive(), await bench.receive()
    assert (second.status, read(second)["reason"]) == (200, "AlreadyDelivered")
    assert read(second)["builds"] == read(first)["builds"]
    assert len(bench.journal.rows) == 1


async def test_delivery_of_several_builds_is_a_duplicate_only_if_all_are():
    """A delivery in which one build is new starts something, so it is accepted."""
    bench = Bench()
    wanted = [make_wanted(index=index) for index in range(2)]
    receiver = Receiver(secrets=bench.secrets, journal=bench.journal, report=lambda *_: None)
    for builds, reason in ((wanted[:1], "Accepted"), (wanted, "Accepted"), (wanted, "AlreadyDelivered")):
        verdict = Verdict(reason=reasons.ACCEPTED, message="", delivery_id="d", wanted=tuple(builds))
        assert (await receiver._accept(verdict)).reason.name == reason


async def test_only_what_is_new_is_being_created():
    """Of a delivery that comes again those builds are named that it starts this time; of the others it is said."""
    bench = Bench()
    wanted = tuple(make_wanted(index=index) for index in range(3))
    receiver = Receiver(secrets=bench.secrets, journal=bench.journal, report=lambda *_: None)
    all_of_them = Verdict(reason=reasons.ACCEPTED, message="m", delivery_id="d", wanted=wanted)
    assert await receiver._accept(all_of_them) == all_of_them
    # The second one was refused, so that the journal takes it again.
    del bench.journal.rows[list(bench.journal.rows)[1]]
    again = await receiver._accept(all_of_them)
    assert again.wanted == wanted[1:2]
    assert again.message.startswith(f"{reasons.ACCEPTED.sentence} 2 of its 3 changes ")
    assert (await receiver._accept(all_of_them)).wanted == wanted


async def test_new_change_that_is_open():
    """If what is new waits for the provider's word, nothing is said to be created."""
    bench = Bench()
    wanted = (make_wanted(index=0), make_wanted(index=1, open_event=DELIVERIES[Provider.GITHUB, "push"].read_one()))
    receiver = Receiver(secrets=bench.secrets, journal=bench.journal, report=lambda *_: None)
    first = Verdict(reason=reasons.ACCEPTED, message="", delivery_id="d", wanted=wanted[:1])
    assert (await receiver._accept(first)).reason is reasons.ACCEPTED
    both = Verdict(reason=reasons.ACCEPTED, message="", delivery_id="d", wanted=wanted)
    again = await receiver._accept(both)
    assert (again.reason, again.wanted) == (reasons.FACTS_WANTED, wanted[1:])


async def test_unwritable_journal_is_503_with_retry_after():
    """What is not on disk is not accepted, and the sender is told when to try again."""
    bench = Bench(journal=FakeJournal(error=JournalUnwritable("the disk /var/lib/x is full")))
    given = await bench.receive()
    assert (given.status, read(given)["reason"], read(given)["builds"]) == (503, "JournalUnwritable", [])
    assert dict(given.headers)["retry-after"].isdecimal()
    assert "/var/lib" not in given.body.decode()


async def test_crowded_journal_is_503_with_retry_after():
    """A namespace whose deliveries fill the journal is told so, for itself and its owner, but not how full it is."""
    bench = Bench(journal=FakeJournal(error=JournalCrowded("they take 512 bytes of /var/lib/x")))
    given = await bench.receive()
    assert (given.status, read(given)["reason"], read(given)["builds"]) == (503, "JournalCrowded", [])
    assert dict(given.headers)["retry-after"].isdecimal()
    assert "512" not in given.body.decode()
    assert [verdict.reason for verdict in bench.reported] == [reasons.JOURNAL_CROWDED]


async def test_row_that_the_journal_never_takes_is_too_large():
    """What the build would receive can be more than the journal takes in one row: the answer is 413, not an error."""
    bench = Bench(journal=FakeJournal(error=RowError("the work has 2000000 bytes")))
    assert (await bench.receive()).status == 413


async def test_changed_secret_works_with_the_next_delivery():
    """A signature that does not fit has the Secret read again, and is judged by what is there now."""
    bench = Bench(secrets=FakeSecrets(kept=OLD, now=SECRET))
    assert (await bench.receive()).status == 202
    assert bench.secrets.read_again_calls == 1


async def test_old_secret_is_refused_after_a_change():
    """A delivery signed with neither the kept nor the present secret is refused."""
    bench = Bench(secrets=FakeSecrets(kept=OLD, now=SECRET))
    assert (await bench.receive(make_request(secret=b"forged"))).status == 401


@pytest.mark.parametrize(
    ("request_", "route"),
    [
        (make_request(), make_route()),
        (make_request(secret=None), make_route()),
        (make_request(method="GET"), make_route()),
        (make_request(body=b"no JSON"), make_route()),
        (make_request(secret=b"x"), make_route(maxBodyBytes=1)),
        (make_request(secret=b"x"), make_route(filters=[{"jsonPath": "$["}])),
    ],
)
async def test_secret_is_read_again_for_wrong_signatures_only(request_, route):
    """Nothing but a well-formed signature that does not fit makes us ask the API server."""
    bench = Bench()
    await bench.receive(request_, route)
    assert bench.secrets.read_again_calls == 0


async def test_missing_secret_is_503():
    """A Webhook whose Secret is not there refuses everybody with 503 and Retry-After."""
    given = await Bench(secrets=FakeSecrets(kept=None)).receive()
    assert (given.status, read(given)["reason"]) == (503, "SecretUnusable")
    assert "retry-after" in dict(given.headers)


async def test_inline_secret_needs_no_cluster():
    """A secret in the spec is used as it is, and nothing is read for it."""
    bench = Bench(secrets=FakeSecrets(kept=OLD, now=SECRET))
    route = make_route(authenticationConfiguration={"secretToken": SECRET.decode()})
    assert (await bench.receive(route=route)).status == 202
    assert (await bench.receive(make_request(secret=OLD), route)).status == 401
    assert bench.secrets.read_again_calls == 0


async def test_secret_of_another_object_is_refused():
    """A delivery that is signed for one Webhook is not accepted by another one."""
    other = make_route(authenticationConfiguration={"secretToken": "of the other one"})
    assert (await Bench().receive(make_request(secret=SECRET), other)).status == 401


@pytest.mark.parametrize("request_", [make_request(secret=None), make_request(secret=b"x")])
async def test_caller_does_not_learn_which_check_failed(request_):
    """Missing and wrong signatures look alike from outside; the report has what was wrong."""
    bench = Bench()
    given = await bench.receive(request_)
    document = read(given)
    assert (given.status, document["reason"], document["message"], document["builds"]) == (
        401,
        "NotAuthentic",
        reasons.NOT_AUTHENTIC.sentence,
        [],
    )
    assert next(v.reason for v in bench.reported) in (reasons.SIGNATURE_MISSING, reasons.SIGNATURE_MISMATCH)


async def test_what_is_accepted_is_reported_by_its_start():
    """The receiver reports what ends with the answer, and leaves what was accepted to whoever starts it."""
    bench = Bench()
    await bench.receive()
    assert bench.reported == []
    await bench.receive()
    await bench.receive(make_request({"ref": "other"}, x_github_delivery="another"))
    assert [v.reason for v in bench.reported] == [reasons.ALREADY_DELIVERED, reasons.FILTERED_OUT]


async def test_delivery_that_waits_for_its_target_is_reported_at_once():
    """Status says that a target is missing before anything could start."""
    bench = Bench()
    given = await bench.receive(route=make_route(missing=True))
    assert (given.status, read(given)["outcome"]) == (202, "pending")
    assert [v.reason for v in bench.reported] == [reasons.TARGET_MISSING]


async def test_no_answer_holds_a_secret_or_a_payload():
    """No answer repeats the body, the secret or the signature."""
    for route in (make_route(), make_route(suspend=True), make_route(filters=[{"jsonPath": "$["}])):
        for request in (make_request({"ref": "hush"}), make_request({"ref": "hush"}, secret=b"x")):
            text = (await Bench().receive(request, route)).body.decode()
            assert not any(word in text for word in ("hush", SECRET.decode(), request.header("x-hub-signature-256")))


@pytest.mark.parametrize("reason", [r for r in CATALOGUE.values() if r.status is not None], ids=str)
def test_every_reason_answers_with_its_status(reason):
    """Each reason's answer has its HTTP status, as JSON, with Retry-After where trying again helps."""
    given = answer(Verdict(reason=reason, message="text", delivery_id="d", wanted=(make_wanted(),)), "Webhook")
    headers = dict(given.headers)
    assert (given.status, headers["content-type"]) == (reason.status, "application/json")
    assert ("retry-after" in headers) == (reason.status in (429, 503))
    assert ("allow" in headers) == (reason.status == 405)
    assert read(given)["outcome"] == str(reason.outcome)


def test_unknown_url_is_404_without_an_id():
    """A request to no URL of ours is no delivery, so it has no id."""
    given = refuse_unknown()
    document = read(given)
    assert (given.status, document["reason"], document["outcome"]) == (404, "URLUnknown", "refused")
    assert (document["deliveryId"], document["builds"]) == (None, [])


@pytest.mark.parametrize(
    "error", [None, JournalUnwritable("the disk is full"), RowError("the work has 2000000 bytes")], ids=repr
)
async def test_authentic_sender_is_forgiven_whatever_the_journal_does(error):
    """A sender that proved itself is not counted, by its address and the object, and its verdict says that it did."""
    bench = Bench(journal=FakeJournal(error=error))
    await bench.receive()
    await bench.receive()
    assert bench.forgiven == [(None, WEBHOOK_UID)] * 2
    assert all(verdict.authentic for verdict in bench.reported)
    assert bench.reported


async def test_stranger_is_not_forgiven():
    """A sender that proved nothing stays counted."""
    bench = Bench()
    await bench.receive(make_request(secret=b"x"))
    assert bench.forgiven == []


@given(st.one_of(st.none(), st.text(max_size=300)), st.text(max_size=300))
def test_answer_is_json_whatever_is_in_it(delivery_id, message):
    """Quotes, braces, controls and half surrogates in an id or a message stay inside their strings, and ASCII."""
    for wanted in ((), (make_wanted(),)):
        given = answer(
            Verdict(reason=reasons.METHOD_NOT_ALLOWED, message=message, delivery_id=delivery_id, wanted=wanted),
            "Webhook",
        )
        document = read(given)
        assert set(document) == {"deliveryId", "outcome", "reason", "message", "builds"}
        assert (document["deliveryId"], document["message"]) == (delivery_id, message)
        assert given.body.isascii()
