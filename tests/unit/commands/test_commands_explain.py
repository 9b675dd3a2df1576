"""`hookwright explain`, offline: the receiver's own verdict, told from files."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from command_line import run, write

from hookwright.providers.github import dialect
from support.objects import (
    DELIVERY_ID,
    JOB_SPEC,
    NAMESPACE,
    SECRET,
    make_wanted,
    push,
    raw_buildtrigger,
    raw_secret,
    raw_webhook,
)

TOP = {"outcome", "reason", "message", "remedy", "authenticityChecked", "filters", "builds"}
RULE = {"jsonPath", "matchEquals", "expected", "found", "matched", "error"}
BUILD = {"apiVersion", "kind", "namespace", "name", "serviceAccountName", "parameters"}


class Folder:
    """Files for one call of explain: manifests, a payload, and the headers of its delivery."""

    def __init__(self, path):
        self.path = path
        self.manifests = [raw_secret(), raw_buildtrigger(), raw_webhook()]
        self.payload = json.dumps(push()).encode()
        self.secret = SECRET
        self.more_headers = {}

    def arguments(self):
        headers = dialect.make_headers(event="push", delivery_id=DELIVERY_ID, body=self.payload, secret=self.secret)
        return [
            *("-f", write(self.path / "all.yaml", *self.manifests)),
            *("--payload", write(self.path / "payload", self.payload)),
            *("--headers", write(self.path / "headers.json", headers | self.more_headers)),
        ]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def explain(capsys, folder):
    """Run explain over the folder; with `without`, leaving out those options."""

    def call(*more, without=()):
        given = folder.arguments()
        pairs = [given[n : n + 2] for n in range(0, len(given), 2) if given[n] not in without]
        return run(capsys, "explain", *(part for pair in pairs for part in pair), "-o", "json", *more)

    return call


# ── the answer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_delivery_that_would_start_a_build(explain):
    """A right delivery has outcome, reason, what each filter expected and found, and the build; exit code 0."""
    ran = explain()
    answer = ran.json
    assert (ran.code, ran.err) == (0, "")
    assert (answer["outcome"], answer["reason"], answer["authenticityChecked"]) == ("started", "Accepted", True)
    assert answer["filters"] == [
        {
            "jsonPath": "$.ref",
            "matchEquals": "refs/heads/{Branch}",
            "expected": "refs/heads/main",
            "found": ["refs/heads/main"],
            "matched": True,
            "error": None,
        }
    ]
    (build,) = answer["builds"]
    assert (build["apiVersion"], build["kind"], build["namespace"]) == ("batch/v1", "Job", NAMESPACE)


def test_keys_of_the_answer_are_fixed(explain, folder):
    """Whatever the outcome, the JSON object has exactly its documented members."""
    for payload in (push(), push(ref="other"), "no object"):
        folder.payload = json.dumps(payload).encode()
        answer = explain().json
        assert set(answer) == TOP
        assert {frozenset(rule) for rule in answer["filters"]} == {frozenset(RULE)}
        assert {frozenset(build) for build in answer["builds"]} <= {frozenset(BUILD)}


def test_build_has_the_name_that_it_would_have(explain, folder):
    """With the UID of a real object in the files the build's name is the real one; without, it cannot be known."""
    from hookwright.builds.names import name_wanted

    assert explain().json["builds"][0]["name"] == name_wanted(make_wanted())
    del folder.manifests[2]["metadata"]["uid"]
    assert explain().json["builds"][0]["name"] is None


def test_parameters_are_those_that_the_build_receives(explain, folder):
    """The parameters of the build are the receiver's own."""
    folder.manifests[2]["spec"]["parameters"] = [
        {"name": "COMMIT", "jsonPath": "$.after"},
        {"name": "ID", "from": "deliveryId"},
    ]
    assert explain().json["builds"][0]["parameters"] == {"COMMIT": "6dcb09b5", "ID": DELIVERY_ID}


def test_delivery_that_is_filtered_out(explain, folder):
    """A filter that does not match says what it expected and what it found; exit code 1."""
    folder.payload = json.dumps(push(ref="refs/heads/other")).encode()
    ran = explain()
    assert (ran.code, ran.json["outcome"], ran.json["reason"], ran.json["builds"]) == (1, "ignored", "FilteredOut", [])
    (rule,) = ran.json["filters"]
    assert (rule["expected"], rule["found"], rule["matched"]) == ("refs/heads/main", ["refs/heads/other"], False)


def test_found_values_keep_their_types(explain, folder):
    """Found values are shown as the payload has them: numbers, null, objects and text that is no ASCII."""
    folder.manifests[2]["spec"]["filters"] = [{"jsonPath": "$.x[*]"}]
    folder.payload = json.dumps(push(x=[1, 1.0, None, {"a": [True]}, "ü", 2**70])).encode()
    assert explain().json["filters"][0]["found"] == [1, 1.0, None, {"a": [True]}, "ü", 2**70]


def test_refused_expression_is_the_filters_error(explain, folder):
    """An expression that is refused says why in `error`; other filters are told as they are; exit code 1."""
    good = {"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}
    folder.manifests[2]["spec"]["filters"] = [{"jsonPath": "$.a[", "matchEquals": "1"}, good]
    ran = explain()
    answer = ran.json
    assert (ran.code, answer["outcome"], answer["reason"]) == (1, "refused", "SpecInvalid")
    assert answer["message"].startswith("InvalidWebhookFilterPatternException: spec.filters[0].jsonPath: ")
    refused, fine = answer["filters"]
    assert (refused["matched"], refused["found"], refused["expected"]) == (False, [], None)
    assert "$.a[" in refused["error"]
    assert (fine["matched"], fine["error"], fine["expected"]) == (True, None, "refs/heads/main")


def test_unreadable_payload_is_every_filters_error(explain, folder):
    """What cannot be read cannot be filtered, and every filter says so."""
    folder.payload = b'{"ref": '
    answer = explain().json
    assert answer["reason"] == "BodyUnreadable"
    assert [rule["error"] for rule in answer["filters"]] == [answer["message"]]


def test_missing_target_is_said(explain, folder):
    """Without the BuildTrigger in the files a delivery may count, and the filter says what it lacks; exit code 0."""
    del folder.manifests[1]
    ran = explain()
    assert (ran.code, ran.json["outcome"], ran.json["reason"]) == (0, "pending", "TargetMissing")
    assert "BuildTrigger hello" in ran.json["message"]
    assert "Branch" in ran.json["filters"][0]["error"]


def test_misspelt_field_is_said(explain, folder):
    """A field that the kind does not have is refused in a file, where the API server would drop it in silence."""
    folder.manifests[2]["spec"]["filter"] = []
    ran = explain()
    assert (ran.code, ran.json["reason"], ran.json["builds"]) == (1, "SpecInvalid", [])
    assert "spec.filter:" in ran.json["message"]
    assert "misspelt" in ran.json["message"]


def test_filters_of_a_wrong_webhook_are_shown_all_the_same(explain, folder):
    """Of a Webhook that is refused for its shape each filter that can be read is shown, and of others why not."""
    spec = folder.manifests[2]["spec"]
    spec["filters"] += [{"jsonPath": "$.after", "matchEqual": "x"}, "text", {"jsonPath": "$.own", "matchEquals": "{O}"}]
    spec |= {"targetAction": 5, "actionConfiguration": {"O": "own", "X": 5}}
    folder.payload = json.dumps(push(own="own")).encode()
    answer = explain().json
    good, misspelt, text, own = answer["filters"]
    assert (good["matched"], good["expected"], own["matched"], own["expected"]) == (
        True,
        "refs/heads/main",
        True,
        "own",
    )
    assert (misspelt["jsonPath"], misspelt["matched"]) == ("$.after", False)
    assert "spec.filters[1].matchEqual" in misspelt["error"]
    assert (text["jsonPath"], "spec.filters[2]" in text["error"]) == ("", True)
    assert "spec.targetAction" in answer["message"]
    for wrong in ({}, "x", {"filters": "x", "actionConfiguration": [1]}, None):
        folder.manifests[2]["spec"] = wrong
        assert (explain().json["reason"], explain().json["filters"]) == ("SpecInvalid", [])


def test_ping_and_suspension_are_told(explain, folder):
    """Other outcomes are told as the receiver gives them; exit code 1, for nothing would start."""
    folder.more_headers = {"X-GitHub-Event": "ping"}
    assert (explain().code, explain().json["outcome"]) == (1, "ping")
    folder.manifests[2]["spec"]["suspend"] = True
    assert (explain().code, explain().json["outcome"]) == (1, "suspended")


# ── authenticity ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_secret_in_the_files_is_checked(explain, folder):
    """With the Secret in the files a forged signature is told apart from none."""
    folder.secret = b"forged"
    assert (explain().code, explain().json["reason"]) == (1, "SignatureMismatch")
    folder.secret = None
    assert explain().json["reason"] == "SignatureMissing"


def test_secret_as_users_write_it_is_checked(explain, folder):
    """A Secret with stringData, as manifests have it, counts, and goes before data."""
    folder.manifests[0] |= {"stringData": {"token": SECRET.decode()}, "data": {"token": "b3RoZXI="}}
    assert explain().json["reason"] == "Accepted"


def test_inline_secret_is_checked(explain, folder):
    """A secret in the spec needs no Secret."""
    folder.manifests[2]["spec"]["authenticationConfiguration"] = {"secretToken": SECRET.decode()}
    del folder.manifests[0]
    assert (explain().json["reason"], explain().json["authenticityChecked"]) == ("Accepted", True)
    folder.secret = b"forged"
    assert explain().json["reason"] == "SignatureMismatch"


def test_given_secret_goes_before_that_of_the_files(explain, tmp_path):
    """--secret-file is used with every byte of it."""
    assert explain("--secret-file", write(tmp_path / "secret", SECRET)).json["reason"] == "Accepted"
    assert explain("--secret-file", write(tmp_path / "secret", SECRET + b"\n")).json["reason"] == "SignatureMismatch"


def test_without_a_secret_the_answer_says_that_it_was_not_checked(explain, folder):
    """Without the Secret the delivery is judged otherwise, and the answer says that authenticity was not checked."""
    del folder.manifests[0]
    ran = explain()
    assert (ran.code, ran.json["reason"], ran.json["authenticityChecked"]) == (0, "Accepted", False)
    assert "Authenticity was not checked" in ran.json["message"]


def test_without_headers_it_is_not_checked(explain):
    """A payload alone has no signature to check; it is taken for JSON."""
    ran = explain(without=["--headers"])
    assert (ran.code, ran.json["reason"], ran.json["authenticityChecked"]) == (0, "Accepted", False)


def test_unauthenticated_webhook_has_nothing_to_check(explain, folder):
    """A Webhook without authentication is not said to be unchecked."""
    folder.manifests[2]["spec"] |= {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    answer = explain().json
    assert answer["authenticityChecked"] is True
    assert "not checked" not in answer["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"data": {}},
        {"data": {"token": ""}},
        {"data": {"token": "***"}},
        {"data": {"other": "eA=="}},
        {"data": "hush"},
        {"data": None, "stringData": ["hush"]},
        {"data": None, "stringData": {"token": ""}},
    ],
)
def test_unusable_secret_is_said(explain, folder, change):
    """A Secret in the files that could not be used in a cluster is told as such."""
    folder.manifests[0] |= change
    ran = explain()
    assert (ran.code, ran.json["reason"]) == (1, "SecretUnusable")


def test_no_output_holds_the_secret(explain, folder, capsys):
    """Neither form of the answer repeats the secret."""
    for secret in (SECRET, b"forged"):
        folder.secret = secret
        assert SECRET.decode() not in explain().out
        assert SECRET.decode() not in run(capsys, "explain", *folder.arguments()).out


# ── other schemes ─────────────────────────────────────────────────────────────────────────────────────────────────────

IP = {"authentication": "IP", "authenticationConfiguration": {"allowedIPRange": "192.0.2.0/24"}}


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.0.2.7", "Accepted"),
        ("::ffff:192.0.2.7", "Accepted"),
        ("192.0.3.7", "AddressNotAllowed"),
        ("::1", "AddressNotAllowed"),
    ],
)
def test_callers_address_is_given(explain, folder, address, reason):
    """For authentication IP --from says who calls, in whatever form."""
    folder.manifests[2]["spec"] |= IP
    answer = explain("--from", address).json
    assert (answer["reason"], answer["authenticityChecked"]) == (reason, True)


def test_without_an_address_the_range_is_not_checked(explain, folder):
    """Without --from the range cannot be checked, and the answer says so."""
    folder.manifests[2]["spec"] |= IP
    answer = explain().json
    assert (answer["reason"], answer["authenticityChecked"]) == ("Accepted", False)
    assert "--from" in answer["message"]


SENT_AT = 1_777_636_800  # 2026-05-01T12:00:00Z


def sign_standard(folder, *, key=b"k" * 32):
    """Make the folder's delivery one of Standard Webhooks, sent at SENT_AT."""
    signed = b"msg_1.%d." % SENT_AT + folder.payload
    folder.manifests[2]["spec"]["authentication"] = "STANDARD_WEBHOOKS"
    folder.manifests[0] = raw_secret(value=b"whsec_" + base64.b64encode(key))
    folder.more_headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(SENT_AT),
        "webhook-signature": "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode(),
    }


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2026-05-01T12:00:00Z", "Accepted"),
        ("2026-05-01T14:04:59+02:00", "Accepted"),
        (str(SENT_AT + 300), "Accepted"),
        (str(SENT_AT + 301), "TimestampOutOfWindow"),
        ("2026-05-01T11:54:59Z", "TimestampOutOfWindow"),
    ],
)
def test_recorded_delivery_is_judged_at_its_time(explain, folder, at, reason):
    """A delivery that says when it was sent is judged at the time that --at gives, in either form."""
    sign_standard(folder)
    assert explain("--at", at).json["reason"] == reason


def test_recorded_delivery_is_old_now(explain, folder):
    """Without --at it is judged now."""
    sign_standard(folder)
    assert explain().json["reason"] == "TimestampOutOfWindow"


def test_every_secret_is_tried(explain, folder):
    """A delivery may be signed with any of the Webhook's secrets; one that is missing is named if none fits."""
    configuration = {
        "secretTokenRef": {"name": "new", "key": "token"},
        "additionalSecretTokenRefs": [{"name": "hello-webhook", "key": "token"}],
    }
    folder.manifests[2]["spec"]["authenticationConfiguration"] = configuration
    assert explain().json["reason"] == "Accepted"
    folder.secret = b"the new one"
    answer = explain().json
    assert answer["reason"] == "SignatureMismatch"
    assert "Secret new was not tried" in answer["message"]
    folder.manifests.append(raw_secret(name="new", value=b"the new one"))
    assert explain().json["reason"] == "Accepted"


# ── other targets, and siblings ───────────────────────────────────────────────────────────────────────────────────────


def raw_cronjob(**metadata):
    """Give a CronJob with more fields than Hookwright looks at."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "hello", "namespace": NAMESPACE, **metadata},
        "spec": {"schedule": "@daily", "suspend": True, "jobTemplate": {"spec": JOB_SPEC}},
    }


def test_cronjob_is_a_target(explain, folder):
    """A CronJob in the files is a target, with values for filters in its annotations."""
    folder.manifests[1] = raw_cronjob(annotations={"config.hookwright.dev/Branch": "main"})
    folder.manifests[2]["spec"]["targetPipeline"] = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "hello"}
    answer = explain().json
    assert (answer["reason"], answer["filters"][0]["expected"]) == ("Accepted", "refs/heads/main")
    assert answer["builds"][0]["serviceAccountName"] == "default"
    folder.manifests[1] = raw_cronjob()
    assert "{Branch} has no value" in explain().json["message"]


def test_cronjob_without_a_job_is_said(explain, folder):
    """A CronJob that has no Job is a target that cannot make a build."""
    folder.manifests[1] = raw_cronjob() | {"spec": {"schedule": "@daily"}}
    folder.manifests[2]["spec"] |= {
        "targetPipeline": {"apiVersion": "batch/v1", "kind": "CronJob", "name": "hello"},
        "filters": [],
    }
    ran = explain()
    assert (ran.code, ran.json["reason"]) == (1, "TargetInvalid")


def test_name_that_another_webhook_has_is_said(explain, folder):
    """Of two Webhooks with one name the later one is refused, as in a cluster."""
    folder.manifests.append(raw_webhook(metadata={"name": "b", "uid": "b"}, name="hello", filters=[]))
    assert explain("--webhook", "hello").json["reason"] == "Accepted"
    answer = explain("--webhook", "b").json
    assert answer["reason"] == "SpecInvalid"
    assert answer["message"].startswith("ConcurrentModificationException: spec.name: hello: ")
    folder.manifests[-1]["metadata"]["namespace"] = "other"
    assert "ConcurrentModification" not in explain("--webhook", "b").json["message"]


def test_target_that_is_not_ready_is_said(explain, folder):
    """What the status of a BuildTrigger says is repeated: the build would be tried, and refused."""
    folder.manifests[1]["status"] = {"observedGeneration": 1, "errorCode": "X", "errorMessage": "no image"}
    answer = explain().json
    assert (answer["reason"], "hello is not ready: no image" in answer["message"]) == ("Accepted", True)


def test_form_is_read_where_the_scheme_reads_forms(explain, folder):
    """Filters are shown for GitHub's form bodies too, where the receiver reads them."""
    folder.manifests[2]["spec"] |= {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    folder.payload = b"payload=" + json.dumps(push()).replace(" ", "").encode()
    folder.more_headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = explain().json
    assert (answer["reason"], answer["filters"][0]["matched"]) == ("Accepted", True)


def test_kinds_of_other_groups_are_not_ours(explain, folder):
    """An object of another group with the name of one of our kinds is passed over."""
    folder.manifests.append({"apiVersion": "other.dev/v1", "kind": "Webhook", "metadata": {"name": "x"}, "spec": 5})
    assert explain().json["reason"] == "Accepted"


# ── which Webhook ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_of_several_webhooks_is_chosen_by_name(explain, folder):
    """With several Webhooks in the files the name says which; without one it is asked for, with all names."""
    folder.manifests.append(raw_webhook(metadata={"name": "other", "uid": "o"}, filters=[]))
    assert explain("--webhook", "other").json["filters"] == []
    assert len(explain("--webhook", "hello").json["filters"]) == 1
    ran = explain()
    assert (ran.code, ran.out) == (2, "")
    assert "--webhook: hello, other" in ran.err


def test_name_may_be_an_argument(explain, folder):
    """With -f the Webhook's NAME may also be given as for a cluster, and must not contradict --webhook."""
    folder.manifests.append(raw_webhook(metadata={"name": "other", "uid": "o"}, filters=[]))
    assert explain("other").json["filters"] == []
    assert explain("other", "--webhook", "other").json["filters"] == []
    ran = explain("other", "--webhook", "hello")
    assert (ran.code, "choose one" in ran.err) == (2, True)


def test_one_of_several_namespaces_is_chosen(explain, folder):
    """A Webhook that is in several namespaces is chosen by -n, which is asked for."""
    folder.manifests.append(raw_webhook(metadata={"namespace": "b", "uid": "o"}, filters=[]))
    ran = explain()
    assert (ran.code, "Webhook hello in several namespaces: choose one with -n: b, default" in ran.err) == (2, True)
    assert explain("-n", "b").json["filters"] == []
    assert len(explain("-n", "default").json["filters"]) == 1
    ran = explain("-n", "c")
    assert (ran.code, "no Webhook of namespace c" in ran.err) == (2, True)
    folder.manifests = [raw_webhook(metadata={"namespace": None}), raw_webhook(filters=[])]
    assert explain("-n", "default").json["filters"] == []
    ran = explain()
    assert (ran.code, "-n: default, none" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "NAME"),
        (["hello", "--headers", "x"], "--payload"),
        (["hello", "--from", "::1"], "--payload"),
        (["hello", "--at", "5"], "--payload"),
        (["hello", "--webhook", "hello"], "--webhook"),
        (["-f", "x"], "--payload"),
        (["-f", "x", "--payload", "x", "--kubeconfig", __file__], "--kubeconfig"),
        (["hello", "--from", "nobody"], "192.0.2.1"),
        (["hello", "--from", "192.0.2.0/24"], "192.0.2.1"),
        (["hello", "--at", "noon"], "2026-05-01T12:00:00Z"),
        (["hello", "--at", "2026-05-01T12:00:00"], "2026-05-01T12:00:00Z"),
        (["hello", "--at", "9" * 12], "2026-05-01T12:00:00Z"),
        (["hello", "--at", "9" * 40], "2026-05-01T12:00:00Z"),
    ],
)
def test_options_that_do_not_fit_are_a_usage_error(capsys, arguments, words):
    """Options that contradict one another, and values that cannot be, are refused before anything is read."""
    ran = run(capsys, "explain", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in " ".join(ran.err.split())


def test_unknown_webhook_is_said_with_those_that_there_are(explain, folder):
    """A name that no Webhook has is a usage error; so are files without any."""
    ran = explain("--webhook", "nobody")
    assert (ran.code, "no Webhook nobody" in ran.err, "hello" in ran.err) == (2, True, True)
    folder.manifests = [raw_secret()]
    ran = explain()
    assert (ran.code, "hold no Webhook" in ran.err) == (2, True)


def test_target_of_another_namespace_is_not_the_target(explain, folder):
    """A BuildTrigger of the same name in another namespace is as good as none."""
    folder.manifests[1]["metadata"]["namespace"] = "other"
    assert explain().json["reason"] == "TargetMissing"


# ── bad files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("-f", "a: [1"),
        ("-f", "metadata: x"),
        ("-f", "apiVersion: v1\nkind: Secret\nmetadata: x"),
        ("-f", None),
        ("--payload", None),
        ("--headers", None),
        ("--headers", "[]"),
        ("--headers", '{"X-A": 1}'),
        ("--secret-file", None),
    ],
)
def test_bad_file_is_one_line_and_exit_code_2(explain, tmp_path, option, content):
    """A file that is missing or of another form is one line on standard error, no traceback, and exit code 2."""
    file = tmp_path / "bad"
    if content is not None:
        write(file, content)
    ran = explain(option, file, without=[] if option == "-f" else [option])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("hookwright: ")
    assert ran.err.count("\n") == 1
    assert str(file) in ran.err


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_text_says_what_the_json_says(capsys, folder):
    """The text for people has outcome, reason, each filter, and what would start."""
    ran = run(capsys, "explain", *folder.arguments())
    assert ran.code == 0
    assert ran.out.startswith("started (Accepted): ")
    assert "filter $.ref matches" in ran.out
    assert "would start: Job" in ran.out
    folder.payload = json.dumps(push(ref="x" * 1000)).encode()
    ran = run(capsys, "explain", *folder.arguments())
    assert ran.code == 1
    assert "filter $.ref does not match" in ran.out
    assert "hookwright explain" not in ran.out
    assert max(len(line) for line in ran.out.splitlines()) < 250


def test_text_says_what_is_wrong_with_the_body_once(capsys, folder):
    """A body that is no JSON is said to be none once, not with every filter, and with what to do."""
    folder.payload = b"{"
    ran = run(capsys, "explain", *folder.arguments())
    assert (ran.code, ran.out.count("not JSON")) == (1, 1)
    assert "what to do: Send JSON." in ran.out


def test_text_speaks_to_no_terminal(capsys, folder):
    """What a payload holds cannot move a terminal's cursor, nor begin a line of its own."""
    folder.payload = json.dumps(push(ref="a\x1b[2J\x9b\u202eb\nc"), ensure_ascii=False).encode()
    ran = run(capsys, "explain", *folder.arguments())
    assert ran.code == 1
    assert [one for line in ran.out.splitlines() for one in line if not one.isprintable()] == []
    ran = run(capsys, "explain", *folder.arguments(), "-o", "json")
    assert ran.json["filters"][0]["found"] == ["a\x1b[2J\x9b\u202eb\nc"]
    assert [one for line in ran.out.splitlines() for one in line if not one.isprintable()] == []


def test_target_that_cannot_be_read_starts_nothing(explain, folder):
    """A BuildTrigger with a misspelt field is said, and the answer is no."""
    folder.manifests[1]["spec"]["source"]["brnch"] = "main"
    ran = explain()
    assert (ran.code, ran.json["outcome"], ran.json["reason"]) == (1, "failed", "TargetInvalid")
    assert ran.json["builds"] == []
    assert "brnch" in ran.json["message"]
