"""Which members a scheme takes: one table, said twice, by CEL rules at apply and by the operator's own check."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from hookwright.kinds import Authentication, AuthenticationConfiguration, Webhook, check_members, crd, given_members
from hookwright.kinds.authentication import ERROR, MAX_ADDITIONAL_SECRETS, MEMBERS, SECRET_MEMBERS, make_rules
from support.cel import broken, holds

FIELD = "spec.authenticationConfiguration"
# A value for each member of the configuration: the rules look only at which are there.
VALUES = {
    "secretTokenRef": {"name": "hello-webhook", "key": "token"},
    "secretToken": "secret",
    "additionalSecretTokenRefs": [{"name": "old", "key": "token"}],
    "allowedIPRange": "192.0.2.0/24",
    "username": "hook",
    "header": "X-Signature",
    "algorithm": "SHA256",
    "encoding": "HEX",
    "prefix": "sha256=",
    "timestampHeader": "X-Time",
    "signedContent": "{timestamp}{body}",
    "toleranceSeconds": 60,
}
RULES = make_rules()
SCHEMA = crd(Webhook)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def spec_of(authentication, given):
    return {
        "authentication": str(authentication),
        "authenticationConfiguration": {name: VALUES[name] for name in given},
    }


def mentioned(rule):
    return sorted(set(re.findall(r"self\.authenticationConfiguration\.(\w+)", rule)))


def every_combination():
    for size in range(len(VALUES) + 1):
        for given in itertools.combinations(VALUES, size):
            for authentication in Authentication:
                yield authentication, frozenset(given)


def test_every_member_is_looked_at_here():
    """No member of the configuration is left out of these tests, or of the table."""
    schema = SCHEMA["properties"]["authenticationConfiguration"]["properties"]
    assert set(VALUES) == set(schema)
    taken = {name for members in MEMBERS.values() for name in (*members.needs, *members.takes)}
    assert taken | set(SECRET_MEMBERS) == set(VALUES)
    assert set(MEMBERS) == set(Authentication)
    assert {name for rule in RULES for name in mentioned(rule)} == set(VALUES)


def test_rules_are_those_of_the_crd():
    """What is evaluated here is what an API server is given, rule by rule and message by message."""
    given = {rule["rule"]: rule["message"] for rule in SCHEMA["x-kubernetes-validations"]}
    assert RULES.items() <= given.items()


def test_rules_and_check_give_the_same_verdict_on_all_that_can_be_written():
    """For each scheme with each set of members, the CEL rules refuse if and only if the operator's check does.

    A rule depends on the scheme and the members that it mentions and on nothing else, so that each is evaluated once
    for each combination of those.
    """
    tables = {}
    for rule in RULES:
        names = mentioned(rule)
        subsets = [frozenset(c) for n in range(len(names) + 1) for c in itertools.combinations(names, n)]
        tables[rule] = {
            (scheme, subset): holds(rule, spec_of(scheme, subset)) for scheme in Authentication for subset in subsets
        }
    mentions = {rule: frozenset(mentioned(rule)) for rule in RULES}
    refused = 0
    for authentication, given in every_combination():
        wrong = [rule for rule, table in tables.items() if not table[authentication, given & mentions[rule]]]
        verdict = check_members(authentication, given)
        assert (verdict is None) == (not wrong), (authentication, given, verdict, wrong)
        if verdict is not None:
            refused += 1
            # The field that the operator names is one of those that the API server names.
            assert verdict[0] in {RULES[rule].split(": ")[1] for rule in wrong}, (authentication, given, verdict)
    # UNAUTHENTICATED; IP; four with a secret in one of two places and further ones or none; STANDARD_WEBHOOKS with one
    # option more; HMAC with four options more, and a time with or without its tolerance, or none.
    taken = 8 * 2 ** len(VALUES) - refused
    assert taken == 1 + 1 + 4 * 4 + 4 * 2 + 4 * 2**4 * 3


def test_whole_objects_are_judged_as_the_table_says():
    """All rules on objects as they are written, for a sample of combinations: nothing hides in another member."""
    chance = random.Random(7)
    for authentication, given in chance.sample(list(every_combination()), 60):
        assert (broken({"x-kubernetes-validations": rules_of_the_crd()}, spec_of(authentication, given)) == []) == (
            check_members(authentication, given) is None
        )


def rules_of_the_crd():
    return [rule for rule in SCHEMA["x-kubernetes-validations"] if rule["rule"] in RULES]


@pytest.mark.parametrize("authentication", list(Authentication))
def test_empty_list_of_secrets_is_none(authentication):
    """`additionalSecretTokenRefs: []` is not there, to the rules and to the check."""
    right = {"IP": {"allowedIPRange"}, "UNAUTHENTICATED": set()}.get(authentication, {"secretToken"})
    right |= {"HMAC": {"header"}, "BASIC": {"username"}}.get(authentication, set())
    spec = spec_of(authentication, right)
    spec["authenticationConfiguration"]["additionalSecretTokenRefs"] = []
    assert broken({"x-kubernetes-validations": rules_of_the_crd()}, spec) == []
    configuration = AuthenticationConfiguration.model_validate(spec["authenticationConfiguration"])
    assert given_members(configuration) == right
    assert check_members(authentication, given_members(configuration)) is None


@pytest.mark.parametrize("name", VALUES)
def test_member_that_is_set_is_given(name):
    """Each member is found by its name in YAML, and null is none."""
    assert given_members(AuthenticationConfiguration.model_validate({name: VALUES[name]})) == {name}
    if name != "additionalSecretTokenRefs":
        assert given_members(AuthenticationConfiguration.model_validate({name: None})) == frozenset()


@pytest.mark.parametrize(
    ("authentication", "given", "field", "told"),
    [
        ("GITHUB_HMAC", set(), FIELD, "either secretTokenRef or secretToken; there is neither"),
        ("BASIC", {"username"}, FIELD, "either secretTokenRef or secretToken; there is neither"),
        ("HMAC", {"header", "secretToken", "secretTokenRef"}, FIELD, "there are both"),
        ("GITHUB_HMAC", {"additionalSecretTokenRefs"}, FIELD, "there is neither"),
        ("IP", set(), f"{FIELD}.allowedIPRange", "IP needs it"),
        ("HMAC", {"secretToken"}, f"{FIELD}.header", "HMAC needs it"),
        ("BASIC", {"secretTokenRef"}, f"{FIELD}.username", "BASIC needs it"),
        ("UNAUTHENTICATED", {"secretToken"}, f"{FIELD}.secretToken", "takes no properties; remove it"),
        ("IP", {"allowedIPRange", "secretToken"}, f"{FIELD}.secretToken", "remove it (it takes allowedIPRange)"),
        ("GITLAB_TOKEN", {"secretToken", "prefix"}, f"{FIELD}.prefix", "GITLAB_TOKEN does not take it; remove it"),
        ("STANDARD_WEBHOOKS", {"secretToken", "header"}, f"{FIELD}.header", "toleranceSeconds)"),
        (
            "HMAC",
            {"secretToken", "header", "toleranceSeconds"},
            f"{FIELD}.toleranceSeconds",
            "the time in timestampHeader; add that, or remove this",
        ),
    ],
)
def test_check_says_field_and_remedy(authentication, given, field, told):
    """The first thing that is wrong comes with its field and with what to do."""
    named, message = check_members(authentication, frozenset(given))
    assert named == field
    assert told in message


@pytest.mark.parametrize(("rule", "message"), RULES.items(), ids=lambda text: text[:60])
def test_each_rule_can_be_broken_and_says_what_to_do(rule, message):
    """No rule holds for everything; its message has AWS's code, the field, and what is right."""
    assert any(not holds(rule, spec_of(*one)) for one in every_combination() if set(one[1]) <= set(mentioned(rule)))
    code, field, told = message.split(": ", 2)
    assert (code, field.startswith(FIELD)) == (ERROR, True)
    assert re.search(r"remove it|needs|add that", told)


def test_rules_are_within_the_bounds_of_an_api_server():
    """A rule and its message are short, and lists have a bound, so that the API server's estimate of cost is small."""
    assert len(RULES) < 30
    assert all(len(rule) < 400 and len(message) < 300 for rule, message in RULES.items())
    refs = SCHEMA["properties"]["authenticationConfiguration"]["properties"]["additionalSecretTokenRefs"]
    assert refs["maxItems"] == MAX_ADDITIONAL_SECRETS


@pytest.mark.parametrize(
    ("member", "good", "bad"),
    [
        ("username", ["a", "ü", "a b", "x" * 255], ["", "a:b", "a\n", "a\0", "\x7f", "x" * 256]),
        ("header", ["X-S", "x_s", "x" * 100], ["", "X S", "X:S", "Ü", "x" * 101, "a\n"]),
        ("timestampHeader", ["X-T"], ["", "X T"]),
        ("prefix", ["sha256=", "!", "HMAC ", "~" * 32], ["", " ", " a", "ü", "x" * 33, "a\n"]),
        ("signedContent", ["{body}", "x" * 100], ["", "{bod}"[:5], "x" * 101]),
        ("toleranceSeconds", [1, 3600], [0, -1, 3601, "60", 1.5, True]),
        ("algorithm", ["SHA1", "SHA512"], ["MD5", "sha256", ""]),
        ("encoding", ["HEX", "BASE64"], ["hex", "BASE32"]),
        ("allowedIPRange", ["x", "x" * 100], ["", "x" * 101]),
        ("secretToken", ["x", "x" * 100], ["", "x" * 101]),
        (
            "secretTokenRef",
            [{"name": "a"}, {"name": "a", "key": "x.y_z-1"}],
            [{}, {"name": "A"}, {"name": "a", "key": "/"}],
        ),
        ("additionalSecretTokenRefs", [[], [{"name": "a"}] * 4], [[{"name": "a"}] * 5, [{}], {"name": "a"}]),
    ],
)
def test_members_have_bounds(member, good, bad):
    """Each member is as long and of the form that its description allows, and not more."""
    for value in good:
        assert AuthenticationConfiguration.model_validate({member: value})
    for value in bad:
        with pytest.raises(ValueError, match=r"validation error"):
            AuthenticationConfiguration.model_validate({member: value})


def test_key_of_a_secret_has_a_default():
    """A Secret with one key may be named alone."""
    read = AuthenticationConfiguration.model_validate({"secretTokenRef": {"name": "a"}})
    assert read.secret_token_ref.key == "token"
