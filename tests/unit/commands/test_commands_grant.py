"""`hookwright grant`: exactly the rights that are asked for, in one namespace, and none in another's place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from command_line import run

from hookwright.devcluster import DevCluster

OURS = "hookwright-system"
EXAMPLE = Path(__file__).parents[3] / "examples" / "rights" / "team" / "builds.yaml"


def grant(capsys, *arguments):
    """Run `hookwright grant`; give its objects."""
    ran = run(capsys, "grant", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return list(yaml.safe_load_all(ran.out))


def find_rights(objects, *, namespace):
    """Give who may do what, whatever the objects are called: (subject's namespace, its name, what it may)."""
    roles = {one["metadata"]["name"]: one["rules"] for one in objects if one["kind"] == "Role"}
    return {
        (subject.get("namespace", namespace), subject["name"], yaml.safe_dump(rule))
        for binding in objects
        if binding["kind"] == "RoleBinding"
        for subject in binding["subjects"]
        for rule in roles[binding["roleRef"]["name"]]
    }


def identify(objects):
    return [(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]) for one in objects]


def test_grant_means_what_the_example_means(capsys):
    """For ServiceAccount default it gives the very rights of examples/rights/team."""
    example = list(yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8")))
    expected = find_rights(example, namespace="team-a")
    assert len(expected) == 6
    assert find_rights(grant(capsys, "team-a", "--service-account", "default"), namespace="team-a") == expected


def test_grant_stays_in_its_namespace(capsys):
    """Everything is a Role or a RoleBinding of the namespace, and each binding is of a Role that is printed too."""
    objects = grant(capsys, "team-a", "--service-account", "builder")
    assert {(one["kind"], one["metadata"]["namespace"]) for one in objects} == {
        ("Role", "team-a"),
        ("RoleBinding", "team-a"),
    }
    roles = {one["metadata"]["name"] for one in objects if one["kind"] == "Role"}
    references = [one["roleRef"] for one in objects if one["kind"] == "RoleBinding"]
    assert {reference["kind"] for reference in references} == {"Role"}
    assert {reference["name"] for reference in references} == roles


def test_hookwright_may_be_that_account_only(capsys):
    """Without Secrets each of Hookwright's accounts receives one right: to impersonate the one named ServiceAccount."""
    objects = grant(capsys, "team-a", "--service-account", "builder", "--no-secrets")
    rights = find_rights(objects, namespace="team-a")
    ours = {who: yaml.safe_load(rule) for where, who, rule in rights if where == "hookwright-system"}
    rule = {
        "apiGroups": [""],
        "resources": ["serviceaccounts"],
        "resourceNames": ["builder"],
        "verbs": ["impersonate"],
    }
    assert ours == dict.fromkeys(("hookwright-receiver", "hookwright-operator", "hookwright"), rule)
    assert len([where for where, _, _ in rights if where == "hookwright-system"]) == 3


@pytest.mark.parametrize(
    ("options", "operators"),
    [
        ([], ["hookwright", "hookwright-operator"]),
        (["--hookwright-account", "hookwright-receiver", "--hookwright-account", "hookwright"], ["hookwright"]),
        (["--hookwright-account", "any"], ["any"]),
        (["--hookwright-account", "a", "--hookwright-account", "b", "--operator-account", "b"], ["b"]),
        (["--operator-account", "x", "--operator-account", "y", "--operator-account", "x"], ["x", "y"]),
    ],
)
def test_operator_alone_keeps_secrets(capsys, options, operators):
    """Only the operator, which nobody reaches from outside, may create and patch Secrets of the namespace."""
    objects = grant(capsys, "team-a", "--service-account", "builder", *options)
    rights = [(where, who, yaml.safe_load(rule)) for where, who, rule in find_rights(objects, namespace="team-a")]
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch"]}
    found = sorted(who for where, who, one in rights if "secrets" in one["resources"] and (where, one) == (OURS, rule))
    assert found == operators
    assert len([one for _, _, one in rights if "secrets" in one["resources"]]) == len(operators)


def test_operator_that_is_not_known_must_be_named(capsys):
    """Among several accounts of other names nobody guesses which one operates."""
    arguments = ["team-a", "--service-account", "b", "--hookwright-account", "x", "--hookwright-account", "y"]
    ran = run(capsys, "grant", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "--operator-account" in ran.err
    assert grant(capsys, *arguments, "--no-secrets")


@pytest.mark.parametrize(("one", "other"), [("default", "builder"), ("a", "a-b"), ("x", "x.y"), ("builds-as-a", "a")])
def test_two_grants_in_a_namespace_do_not_clash(capsys, one, other):
    """A second grant for another account replaces nothing of the first."""
    first = identify(grant(capsys, "team-a", "--service-account", one))
    second = identify(grant(capsys, "team-a", "--service-account", other))
    # The right on Secrets is for the namespace, whoever builds there.
    assert len(set(first + second)) == 8 + 2


def test_grant_to_a_second_hookwright_leaves_the_first_its_right(capsys):
    """Two installations may act as one account: what is applied twice is the same, and the bindings are two."""
    first = grant(capsys, "team-a", "--service-account", "builder")
    second = grant(capsys, "team-a", "--service-account", "builder", "--hookwright-namespace", "staging")
    by_name = dict(zip(identify(first), first, strict=True))
    assert [one for one in second if by_name.get(tuple(*identify([one])), one) != one] == []
    holders = {where for where, _, rule in find_rights(first + second, namespace="team-a") if "impersonate" in rule}
    assert holders == {"hookwright-system", "staging"}


def test_receiver_and_operator_may_have_accounts_of_their_own(capsys):
    """Each account that is named is let in, once, and hookwright itself only if it is named."""
    accounts = ["receiver", "operator", "receiver"]
    options = [word for account in accounts for word in ("--hookwright-account", account)]
    objects = grant(capsys, "team-a", "--service-account", "builder", "--impersonate-only", *options)
    (binding,) = [one for one in objects if one["kind"] == "RoleBinding"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": name, "namespace": "hookwright-system"} for name in ("receiver", "operator")
    ]


def test_impersonate_only_gives_the_account_itself_nothing(capsys):
    """With --impersonate-only no right of the account's own is printed."""
    objects = grant(capsys, "team-a", "--service-account", "builder", "--impersonate-only")
    rights = find_rights(objects, namespace="team-a")
    assert {who for _, who, _ in rights} == {"hookwright-receiver", "hookwright-operator", "hookwright"}


def test_builds_are_what_hookwright_can_start(capsys):
    """--builds takes jobs, which is the default, and nothing that Hookwright cannot start."""
    assert grant(capsys, "a", "--service-account", "b", "--builds", "jobs") == grant(
        capsys, "a", "--service-account", "b"
    )
    assert run(capsys, "grant", "a", "--service-account", "b", "--builds", "pipelineruns").code == 2


def test_pod_of_hookwright_knows_where_it_is(capsys, monkeypatch):
    """What a pod of another namespace prints names the accounts of that one; an option says otherwise."""
    monkeypatch.setenv("HOOKWRIGHT_NAMESPACE", "hooks")
    told = grant(capsys, "team-a", "--service-account", "builder")
    assert {where for where, _, _ in find_rights(told, namespace="team-a")} == {"hooks", "team-a"}
    told = grant(capsys, "team-a", "--service-account", "builder", "--hookwright-namespace", OURS)
    assert {where for where, _, _ in find_rights(told, namespace="team-a")} == {OURS, "team-a"}


def test_json_is_a_list_of_the_same(capsys):
    """-o json prints a List of what the YAML holds."""
    ran = run(capsys, "grant", "team-a", "--service-account", "builder", "-o", "json")
    assert (ran.code, ran.json["kind"]) == (0, "List")
    assert ran.json["items"] == grant(capsys, "team-a", "--service-account", "builder")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["Team_A", "--service-account", "builder"], "NAMESPACE 'Team_A'"),
        (["team.a", "--service-account", "builder"], "NAMESPACE 'team.a'"),
        (["a" * 64, "--service-account", "builder"], "NAMESPACE "),
        (["", "--service-account", "builder"], "NAMESPACE ''"),
        (["team-a\n", "--service-account", "builder"], "NAMESPACE 'team-a\\n'"),
        (["hookwright-system", "--service-account", "default"], "NAMESPACE 'hookwright-system': it is"),
        (["a", "--service-account", "b", "--hookwright-namespace", "a"], "NAMESPACE 'a': it is Hookwright's own"),
        (["team-a", "--service-account", "*"], "--service-account '*'"),
        (["team-a", "--service-account", ""], "--service-account ''"),
        (["team-a", "--service-account", "system:serviceaccount:team-a:builder"], "--service-account "),
        (["team-a", "--service-account", "b" * 254], "--service-account "),
        (["team-a", "--service-account", "b", "--hookwright-namespace", "x/y"], "--hookwright-namespace 'x/y'"),
        (["team-a", "--service-account", "b", "--hookwright-account", "-x"], "--hookwright-account '-x'"),
        (["team-a", "--service-account", "b", "--operator-account", "x/y"], "--operator-account 'x/y'"),
    ],
)
def test_names_that_cannot_be_are_refused(capsys, arguments, named):
    """What Kubernetes refuses, or is the root key's place, is said in one line, code 2; nothing is there to apply."""
    ran = run(capsys, "grant", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"hookwright: {named}")


def test_account_may_have_dots_and_look_like_a_number(capsys):
    """A ServiceAccount's name is a subdomain; one like a number stays a text for kubectl's reader of YAML too."""
    assert grant(capsys, "team-a", "--service-account", "ci.builder")
    ran = run(capsys, "grant", "1e3", "--service-account", "2e3")
    assert "namespace: '1e3'" in ran.out
    assert "- '2e3'" in ran.out


def test_account_must_be_named(capsys):
    """There is no default account: whom Hookwright may be is said by whoever grants it."""
    ran = run(capsys, "grant", "team-a")
    assert (ran.code, ran.out) == (2, "")
    assert "--service-account" in ran.err


def test_api_server_takes_what_is_printed(capsys):
    """The Roles and bindings are objects of the API, with nothing missing and nothing misspelt."""
    cluster = DevCluster()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    for manifest in grant(capsys, "team-a", "--service-account", "builder"):
        stored = cluster.apply(manifest)
        assert {name: stored[name] for name in manifest if name != "metadata"} == {
            name: value for name, value in manifest.items() if name != "metadata"
        }
