"""The verdict on a delivery: one reason for each case, asked for in an order that tells strangers nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from hookwright import reasons
from hookwright.builds.plan import End, Start, plan
from hookwright.builds.wanted import MAX_VALUE_LENGTH
from hookwright.filters import MAX_NODES
from hookwright.intake.judge import admit_all, judge
from hookwright.intake.receiver import answer
from hookwright.reasons import Outcome
from support.objects import (
    DELIVERY_ID,
    NEW_ID,
    NOON,
    SECRET,
    WEBHOOK_UID,
    make_buildtrigger,
    make_request,
    make_route,
    push,
)

ANYBODY = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
BAD_FILTER = {"filters": [{"jsonPath": "$.a.len()"}]}
NEEDS_TARGET = {"filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}]}
PATIENCE = timedelta(seconds=300)


def give_verdict(request=None, route=None, secrets=(SECRET,)):
    return judge(request or make_request(), route or make_route(), secrets, new_id=lambda: NEW_ID)


def parameters_of(payload, parameters, **headers):
    route = make_route(parameters=parameters)
    (wanted,) = give_verdict(make_request(payload, **headers), route).wanted
    return dict(wanted.parameters)


# ── one test per reason ───────────────────────────────────────────────────────────────────────────────────────────────


def test_right_delivery_is_accepted():
    """A signed push to the branch starts a build, under the sender's id."""
    verdict = give_verdict()
    assert (verdict.reason, verdict.outcome, verdict.delivery_id) == (reasons.ACCEPTED, Outcome.STARTED, DELIVERY_ID)
    (wanted,) = verdict.wanted
    assert (wanted.owner_kind, wanted.owner_name, wanted.owner_uid) == ("Webhook", "hello", WEBHOOK_UID)
    assert (wanted.namespace, wanted.target.name, wanted.accepted_at) == ("default", "hello", NOON)
    assert (wanted.undecided, dict(wanted.values), wanted.service_account) == ((), {}, None)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "post"])
def test_other_methods_are_not_allowed(method):
    """A delivery is a POST, and nothing else is."""
    assert give_verdict(make_request(method=method)).reason is reasons.METHOD_NOT_ALLOWED


def test_larger_body_is_too_large():
    """A body of one byte more than spec.maxBodyBytes is refused, one of exactly so many is not."""
    request = make_request()
    size = len(request.body)
    assert give_verdict(request, make_route(maxBodyBytes=size)).reason is reasons.ACCEPTED
    verdict = give_verdict(request, make_route(maxBodyBytes=size - 1))
    assert verdict.reason is reasons.BODY_TOO_LARGE
    assert str(size - 1) in verdict.message


def test_invalid_spec_is_not_judged():
    """Nothing starts by a spec that is refused; the answer does not say what is wrong with it."""
    verdict = give_verdict(route=make_route(**BAD_FILTER))
    assert (verdict.reason, verdict.message) == (reasons.SPEC_INVALID, reasons.SPEC_INVALID.sentence)


@pytest.mark.parametrize("secrets", [None, []])
def test_without_a_usable_secret_nobody_is_recognised(secrets):
    """A Secret that is missing or empty refuses everybody, the signed and the unsigned."""
    assert give_verdict(secrets=secrets).reason is reasons.SECRET_UNUSABLE
    assert give_verdict(make_request(secret=b""), secrets=secrets).reason is reasons.SECRET_UNUSABLE


def test_unsigned_delivery_has_its_own_reason():
    """The owner can tell a sender that does not sign from one that signs with another secret."""
    assert give_verdict(make_request(secret=None)).reason is reasons.SIGNATURE_MISSING
    assert give_verdict(make_request(secret=b"other")).reason is reasons.SIGNATURE_MISMATCH


def test_suspended_webhook_starts_nothing():
    """An authentic delivery to a suspended Webhook is answered and starts nothing."""
    verdict = give_verdict(route=make_route(suspend=True))
    assert (verdict.reason, verdict.wanted) == (reasons.SUSPENDED, ())


def test_other_content_types_are_unsupported():
    """An authentic delivery that is neither JSON nor GitHub's form is refused with what to choose."""
    request = make_request(content_type="text/plain")
    assert give_verdict(request).reason is reasons.CONTENT_TYPE_UNSUPPORTED


def test_broken_body_is_unreadable():
    """An authentic delivery that is no JSON is refused with where it breaks."""
    verdict = give_verdict(make_request(body=b'{"ref": '))
    assert verdict.reason is reasons.BODY_UNREADABLE
    assert "line 1" in verdict.message


def test_ping_is_answered():
    """A ping with a right signature is told that all is well, whatever the filters say."""
    verdict = give_verdict(make_request({"zen": "Keep it logically awesome."}, x_github_event="ping"))
    assert (verdict.reason, verdict.wanted) == (reasons.PING, ())


@pytest.mark.parametrize("payload", [push(ref="refs/heads/other"), push(ref=None), {}, [], "refs/heads/main", None])
def test_other_payload_is_filtered_out(payload):
    """A payload in which the filter finds something else, or nothing, starts nothing."""
    request = make_request(body=b"null") if payload is None else make_request(payload)
    verdict = give_verdict(request)
    assert (verdict.reason, verdict.wanted) == (reasons.FILTERED_OUT, ())


def test_every_filter_must_match():
    """One filter that does not match is enough to start nothing."""
    route = make_route(filters=[{"jsonPath": "$.ref"}, {"jsonPath": "$.deleted", "matchEquals": "false"}])
    assert give_verdict(make_request(push(deleted=False)), route).reason is reasons.ACCEPTED
    assert give_verdict(make_request(push(deleted=True)), route).reason is reasons.FILTERED_OUT


def test_service_account_of_the_webhook_goes_with_the_build():
    """The account that the Webhook names is kept for the start."""
    (wanted,) = give_verdict(route=make_route(serviceAccountName="builder")).wanted
    assert wanted.service_account == "builder"


def test_no_filters_match_everything():
    """With filters: [] every authentic delivery starts a build."""
    assert give_verdict(make_request({}), make_route(filters=[])).reason is reasons.ACCEPTED


def test_missing_target_is_waited_for():
    """A delivery to a target that is not there is kept, and said to be pending."""
    verdict = give_verdict(route=make_route(missing=True, filters=[]))
    assert (verdict.reason, verdict.outcome) == (reasons.TARGET_MISSING, Outcome.PENDING)
    assert len(verdict.wanted) == 1


# ── the order of the checks ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changes", [{"suspend": True}, {"filters": [{"jsonPath": "$.never", "matchEquals": "x"}]}, {"filters": []}]
)
@pytest.mark.parametrize("body", [b"{}", b"not JSON"])
def test_strangers_learn_nothing(changes, body):
    """Suspended or not, filtered out or not, JSON or not: who is not authentic always gets the same answer."""
    for secret, reason in ((None, reasons.SIGNATURE_MISSING), (b"other", reasons.SIGNATURE_MISMATCH)):
        request = make_request(body=body, secret=secret, content_type="text/plain", x_github_event="ping")
        verdict = give_verdict(request, make_route(**changes))
        assert (verdict.reason, verdict.message) == (reason, reason.sentence)


def test_method_comes_before_size():
    """A request of another method is told so, however large it is."""
    request = make_request(method="PUT")
    assert give_verdict(request, make_route(maxBodyBytes=1)).reason is reasons.METHOD_NOT_ALLOWED


def test_size_comes_before_everything_about_the_object():
    """A body that is too large is not hashed, and is refused as such before authenticity."""
    request = make_request(secret=None)
    assert give_verdict(request, make_route(maxBodyBytes=1)).reason is reasons.BODY_TOO_LARGE
    assert give_verdict(request, make_route(maxBodyBytes=1), secrets=None).reason is reasons.BODY_TOO_LARGE


def test_invalid_spec_comes_before_the_secret():
    """A spec that is refused says 503 although its Secret is missing too, and to strangers too."""
    route = make_route(**BAD_FILTER)
    assert give_verdict(route=route, secrets=None).reason is reasons.SPEC_INVALID
    assert give_verdict(make_request(secret=None), route).reason.status == 503


def test_suspension_comes_before_the_body():
    """A suspended Webhook does not read bodies: senders disable hooks that answer 4xx."""
    assert give_verdict(make_request(body=b"not JSON"), make_route(suspend=True)).reason is reasons.SUSPENDED


def test_ping_that_is_no_json_is_refused():
    """A ping tells whether deliveries would be read: one that is no JSON is refused."""
    request = make_request(content_type="text/plain", x_github_event="ping")
    assert give_verdict(request).reason is reasons.CONTENT_TYPE_UNSUPPORTED


def test_ping_that_is_not_authentic_is_refused():
    """A ping is no way around the signature."""
    assert give_verdict(make_request(secret=b"other", x_github_event="ping")).reason is reasons.SIGNATURE_MISMATCH


# ── ids ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{"without": ["x-github-delivery"]}, {"x_github_delivery": "a b"}])
def test_delivery_without_a_good_id_gets_one(headers):
    """What has no id of its sender, or a malformed one, is a delivery of its own."""
    assert give_verdict(make_request(**headers)).delivery_id == NEW_ID


def test_unauthenticated_delivery_always_gets_an_id():
    """A stranger cannot choose the id, and so make another's delivery a duplicate."""
    verdict = give_verdict(make_request(secret=None), make_route(**ANYBODY), secrets=())
    assert (verdict.reason, verdict.delivery_id) == (reasons.ACCEPTED, NEW_ID)


# ── parameters ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "value"),
    [
        ("text", "text"),
        ("", ""),
        ("line\nbreak", "line\nbreak"),
        ("$(OTHER) `x` $$", "$(OTHER) `x` $$"),
        ("nul\0nul", "nul\N{REPLACEMENT CHARACTER}nul"),
        ("\N{GRINNING FACE}", "\N{GRINNING FACE}"),
        (42, "42"),
        (0, "0"),
        (2**70, str(2**70)),
        (1.0, "1.0"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ({"a": 1}, ""),
        (["a"], ""),
    ],
)
def test_parameter_from_the_payload(found, value):
    """A string comes as it is, a number or boolean as JSON writes it; null, objects, arrays and nothing are empty."""
    assert parameters_of(push(x=found), [{"name": "X", "jsonPath": "$.x"}]) == {"X": value}


def test_parameter_that_finds_nothing_is_empty():
    """A build has all its parameters, those for which nothing was found being empty."""
    assert parameters_of(push(), [{"name": "X", "jsonPath": "$.x.y"}]) == {"X": ""}


def test_parameter_is_the_first_that_is_found():
    """Of several values that an expression finds the first counts."""
    payload = push(commits=[{"id": "a"}, {"id": "b"}])
    assert parameters_of(payload, [{"name": "X", "jsonPath": "$.commits[*].id"}]) == {"X": "a"}


@pytest.mark.parametrize("letter", ["x", "ü", "\N{GRINNING FACE}", "\0"])
def test_long_parameter_is_cut_to_what_linux_takes(letter):
    """40,000 characters are cut so that name and value fit into one environment variable, whatever the letters."""
    name = "N" * 128
    (value,) = parameters_of(push(x=letter * 40_000), [{"name": name, "jsonPath": "$.x"}]).values()
    assert len(value) == MAX_VALUE_LENGTH
    assert len(f"{name}={value}\0".encode()) <= 128 * 1024


def test_literal_parameter_is_as_it_stands():
    """A value in the spec is not interpreted."""
    assert parameters_of(push(), [{"name": "X", "value": "$.ref {Branch}"}]) == {"X": "$.ref {Branch}"}


def test_parameters_from_the_delivery():
    """Id, time and event of the delivery can be parameters."""
    sources = [{"name": name, "from": name} for name in ("deliveryId", "acceptedAt", "eventHeader")]
    assert parameters_of(push(), sources, x_github_event="release") == {
        "deliveryId": DELIVERY_ID,
        "acceptedAt": "2026-05-01T12:00:00Z",
        "eventHeader": "release",
    }


def test_event_header_is_empty_where_there_is_none():
    """A sender without a name for what happened leaves the parameter empty; a long name is cut."""
    source = [{"name": "E", "from": "eventHeader"}]
    assert parameters_of(push(), source, without=["x-github-event"]) == {"E": ""}
    assert len(parameters_of(push(), source, x_github_event="e" * 40_000)["E"]) == MAX_VALUE_LENGTH


# ── filters that wait for their target ────────────────────────────────────────────────────────────────────────────────


def wanted_without_target(payload, **changes):
    return give_verdict(make_request(payload), make_route(missing=True, **changes))


@pytest.mark.parametrize(("branch", "step"), [("main", Start), ("other", End)])
def test_filter_is_decided_once_the_target_is_there(branch, step):
    """What a missing target has to say is decided when it has come, by what was found in the payload."""
    (wanted,) = wanted_without_target(push(), **NEEDS_TARGET).wanted
    target = make_buildtrigger(source={"repository": "octo/hello", "branch": branch})
    assert isinstance(plan(wanted, target, now=NOON, patience=PATIENCE, attempts=0), step)


def test_filter_that_no_target_can_make_match_is_decided_now():
    """A delivery in which the expression finds no text cannot match, whatever the target says."""
    assert wanted_without_target({"ref": None}, **NEEDS_TARGET).reason is reasons.FILTERED_OUT
    assert wanted_without_target({}, **NEEDS_TARGET).reason is reasons.FILTERED_OUT


def test_filters_that_need_no_target_are_decided_now():
    """Of several filters those without a value of the target are not put off."""
    changes = {"filters": [*NEEDS_TARGET["filters"], {"jsonPath": "$.deleted", "matchEquals": "{Deleted}"}]}
    changes["actionConfiguration"] = {"Deleted": "false"}
    assert wanted_without_target(push(deleted=True), **changes).reason is reasons.FILTERED_OUT
    verdict = wanted_without_target(push(deleted=False), **changes)
    assert verdict.reason is reasons.TARGET_MISSING
    assert [rule.match_equals for rule in verdict.wanted[0].undecided] == ["refs/heads/{Branch}"]


def test_own_values_go_before_those_of_the_target():
    """A key of actionConfiguration counts when the filter is decided later, as it does when it is decided now."""
    changes = {
        "filters": [{"jsonPath": "$.ref", "matchEquals": "{Kind}/{Branch}"}],
        "actionConfiguration": {"Kind": "refs/heads"},
    }
    (wanted,) = wanted_without_target(push(), **changes).wanted
    assert isinstance(plan(wanted, make_buildtrigger(), now=NOON, patience=PATIENCE, attempts=0), Start)


def test_texts_that_are_kept_are_few_and_short():
    """Of an undecided filter no more is kept than a matchEquals could equal, and at most a thousand texts."""
    payload = {"all": ["x" * 50_151, "y" * 50_150, *(str(n) for n in range(2000))]}
    changes = {"filters": [{"jsonPath": "$.all[*]", "matchEquals": "{Branch}"}]}
    (undecided,) = wanted_without_target(payload, **changes).wanted[0].undecided
    assert undecided.found[:2] == ("y" * 50_150, "0")
    assert len(undecided.found) == 1000


# ── payloads that take too long ───────────────────────────────────────────────────────────────────────────────────────

MANY = {"all": [0] * (MAX_NODES // 4)}


def parameters_from(*expressions):
    return [{"name": f"P{place}", "jsonPath": text} for place, text in enumerate(expressions)]


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": [{"jsonPath": "$.all[?(@==1 || @==2 || @==3 || @==4)]", "matchEquals": "x"}]},
        {"filters": [{"jsonPath": f"$.all[{start}:]"} for start in range(5)]},
        {"filters": [], "parameters": parameters_from(*(f"$.all[{start}:]" for start in range(5)))},
        {"filters": [{"jsonPath": "$.all[*]"}], "parameters": parameters_from("$..x", "$..y", "$..z")},
        {"missing": True, "filters": [{"jsonPath": f"$.all[{n}:]", "matchEquals": "{Branch}"} for n in range(5)]},
        {
            "missing": True,
            "filters": [{"jsonPath": "$.all[?(@==1 || @==2 || @==3 || @==4)]", "matchEquals": "{Branch}"}],
        },
    ],
)
def test_payload_with_too_many_values_is_refused(changes):
    """What could not be looked at is neither filtered out nor built with empty parameters: it is refused."""
    verdict = give_verdict(make_request(MANY), make_route(**changes))
    assert (verdict.reason, verdict.wanted) == (reasons.PAYLOAD_TOO_COMPLEX, ())


def test_definite_paths_work_in_any_payload():
    """Fifty parameters and five filters that lead to one value each never make a payload too complex."""
    changes = {
        "filters": [{"jsonPath": f"$.all[{place}]", "matchEquals": "0"} for place in range(5)],
        "parameters": parameters_from(*(f"$.all[{place}]" for place in range(50))),
    }
    payload = {"all": [0] * (2 * MAX_NODES)}
    (wanted,) = give_verdict(make_request(payload), make_route(**changes)).wanted
    assert set(wanted.parameters.values()) == {"0"}


def test_filter_that_does_not_match_spares_the_rest():
    """A delivery that an earlier filter passes over is passed over, whatever the others would cost."""
    filters = [{"jsonPath": "$.ref"}, *({"jsonPath": f"$.all[{start}:]"} for start in range(4))]
    assert give_verdict(make_request(MANY), make_route(filters=filters)).reason is reasons.FILTERED_OUT


def test_each_delivery_has_a_budget_of_its_own():
    """What one delivery spends the next one still has."""
    route = make_route(filters=[{"jsonPath": "$.all[*]"}], parameters=parameters_from("$..x"))
    request = make_request(MANY)
    assert [give_verdict(request, route).reason for _ in range(3)] == [reasons.ACCEPTED] * 3


# ── what takes no proof ───────────────────────────────────────────────────────────────────────────────────────────────

OTHERS = {
    "limited": (make_request(), {}, lambda: 1.0),
    "suspended": (make_request(), {"suspend": True}, admit_all),
    "ping": (make_request(x_github_event="ping"), {}, admit_all),
    "ignored": (make_request({"ref": "refs/heads/other"}), {}, admit_all),
    "no JSON": (make_request(body=b"no JSON"), {}, admit_all),
    "no JSON type": (make_request(content_type="text/plain"), {}, admit_all),
}


@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.parametrize("secret", [SECRET, b"another"])
def test_who_proved_itself_has_done_so_whatever_comes_of_it(case, secret):
    """Pings, suspended, filtered, limited and unreadable deliveries are authentic if they are signed, and only then."""
    request, changes, admit = OTHERS[case]
    verdict = judge(request, make_route(**changes), (secret,), new_id=lambda: NEW_ID, admit=admit)
    assert verdict.authentic is (secret is SECRET)
    assert (verdict.reason is reasons.SIGNATURE_MISMATCH) is (secret is not SECRET)


@pytest.mark.parametrize(
    ("request_", "changes", "secrets"),
    [
        (make_request(method="GET"), {}, (SECRET,)),
        (make_request(), {"maxBodyBytes": 1}, (SECRET,)),
        (make_request(), BAD_FILTER, (SECRET,)),
        (make_request(), {}, None),
        (make_request(x_gitea_event="push", content_type="application/x-www-form-urlencoded"), {}, (SECRET,)),
    ],
)
def test_who_was_not_looked_at_has_proved_nothing(request_, changes, secrets):
    """What is refused before the signature is looked at counts as anybody's."""
    assert not give_verdict(request_, make_route(**changes), secrets).authentic


def test_unauthenticated_callers_count_as_authentic():
    """Where anybody may call, the limit by address does not hold them: the owner sets a rate limit."""
    assert give_verdict(make_request(secret=None), make_route(**ANYBODY), None).authentic


def test_owner_reads_which_filter_does_not_match():
    """The verdict names the filter, its expression and what it wanted, and says nothing of the payload."""
    filters = [{"jsonPath": "$.after"}, {"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}]
    verdict = give_verdict(make_request(push(ref="refs/heads/secret")), make_route(filters=filters))
    assert verdict.reason is reasons.FILTERED_OUT
    assert verdict.message == "spec.filters[1]: $.ref does not give refs/heads/main"
    absent = give_verdict(make_request({"ref": "x"}), make_route(filters=filters))
    assert absent.message == "spec.filters[0]: $.after finds nothing that is not null"


def test_owner_reads_which_address_was_refused():
    """The verdict on a caller outside the range says which address was seen; the answer to the caller does not."""
    configuration = {"allowedIPRange": "192.0.2.0/24"}
    route = make_route(authentication="IP", authenticationConfiguration=configuration)
    request = replace(make_request(), client=ip_address("10.0.3.7"))
    verdict = give_verdict(request, route)
    assert verdict.reason is reasons.ADDRESS_NOT_ALLOWED
    assert "10.0.3.7" in verdict.message
    assert b"10.0.3.7" not in answer(verdict, "Webhook").body
