"""`hookwright grant`: the rights with which a team lets Hookwright start builds as one ServiceAccount of its namespace.

Roles of that namespace, never of the cluster: whoever applies them needs no more power than over the namespace itself,
and what was granted is read where it counts. Names carry the account, so that a second grant leaves the first alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hookwright.commands.manifests import Manifest, check_label, check_subdomain, render
from hookwright.errors import UsageError

RBAC = "rbac.authorization.k8s.io"
# What builds can be, by the word for it on the command line: API group and resource.
BUILDS = {"jobs": ("batch", "jobs")}
# The chart's own names, those of mode split and that of mode single; which of them reconcile.
ACCOUNTS = ("hookwright-receiver", "hookwright-operator", "hookwright")
OPERATORS = ("hookwright-operator", "hookwright")
SECRETS_ROLE = "hookwright-keeps-secrets"


@click.command(
    short_help="Print the rights by which Hookwright starts a team's builds.",
    epilog="Example: hookwright grant team-a --service-account builder | kubectl apply -f -",
)
@click.argument("namespace")
@click.option("--service-account", required=True, help="The account of NAMESPACE as which builds are created.")
@click.option(
    "--hookwright-namespace",
    default="hookwright-system",
    envvar="HOOKWRIGHT_NAMESPACE",  # that of the pod, where one has it run there
    show_default=True,
    show_envvar=True,
    help="The namespace of Hookwright itself.",
)
@click.option(
    "--hookwright-account",
    "hookwright_accounts",
    multiple=True,
    default=ACCOUNTS,
    show_default=True,
    help="Hookwright's own account there, once for each. Default: those that the chart has in one mode or the other.",
)
@click.option(
    "--builds",
    type=click.Choice(list(BUILDS)),
    multiple=True,
    default=list(BUILDS),
    show_default=True,
    help="What the account may create, and delete; once for each.",
)
@click.option(
    "--operator-account",
    "operator_accounts",
    multiple=True,
    help=(
        "Which of Hookwright's accounts is the operator's, which keeps the Secrets of BuildTriggers, once for each. "
        f"Default: {' and '.join(OPERATORS)}, or the only one."
    ),
)
@click.option(
    "--no-secrets",
    is_flag=True,
    help="Leave out the right to keep the Secrets of BuildTriggers: you make them yourself, or need none.",
)
@click.option(
    "--impersonate-only",
    is_flag=True,
    help="Leave out all but the right to act as the account: its own right to create builds, and that on Secrets.",
)
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", help="How they are printed.")
def grant(
    namespace: str,
    service_account: str,
    hookwright_namespace: str,
    hookwright_accounts: Sequence[str],
    builds: Sequence[str],
    operator_accounts: Sequence[str],
    no_secrets: bool,  # noqa: FBT001 - click gives them by their names
    impersonate_only: bool,  # noqa: FBT001
    output: str,
) -> None:
    """Print the rights that let Hookwright start builds in NAMESPACE as one of its ServiceAccounts.

    Hookwright can then do whatever that account may: give the account no more than its builds need. Its operator may
    also make Secrets there, one for each BuildTrigger with a provider.
    """
    check_label(namespace, "NAMESPACE")
    check_subdomain(service_account, "--service-account")
    check_label(hookwright_namespace, "--hookwright-namespace")
    check_apart(namespace, hookwright_namespace)
    for account in hookwright_accounts:
        check_subdomain(account, "--hookwright-account")
    accounts = list(dict.fromkeys(hookwright_accounts))
    manifests = let_impersonate(namespace, service_account, hookwright_namespace, accounts)
    if not impersonate_only:
        manifests += let_create(namespace, service_account, list(dict.fromkeys(builds)))
    if not impersonate_only and not no_secrets:
        operators = find_operators(accounts, operator_accounts)
        manifests += let_keep_secrets(namespace, hookwright_namespace, operators)
    click.echo(render(manifests, output))


def check_apart(namespace: str, hookwright_namespace: str) -> None:
    """See to it that builds do not run beside Hookwright itself.

    Raises:
        UsageError: they would, in pods that can mount its root key.
    """
    if namespace == hookwright_namespace:
        raise UsageError(
            f"NAMESPACE {namespace!r}: it is Hookwright's own, where whoever may write a BuildTrigger would have the "
            "root key; have builds run in another one"
        )


def let_impersonate(
    namespace: str, service_account: str, hookwright_namespace: str, hookwright_accounts: Sequence[str]
) -> list[Manifest]:
    """Give the Role by which Hookwright may act as one account of `namespace`, and its binding."""
    role = f"hookwright-acts-as-{service_account}"
    rule = {
        "apiGroups": [""],
        "resources": ["serviceaccounts"],
        "resourceNames": [service_account],
        "verbs": ["impersonate"],
    }
    subjects = [_refer(hookwright_namespace, account) for account in hookwright_accounts]
    return [
        Manifest(
            raw=_role(namespace, role, rule),
            comments=(
                f"Hookwright may act as ServiceAccount {service_account} of namespace {namespace}, and as no other.",
                "It can then do whatever that account may: give the account no more than its builds need.",
            ),
        ),
        # Named by who is let in: a grant to another Hookwright must not take this one's place.
        Manifest(raw=_binding(namespace, f"{hookwright_namespace}-acts-as-{service_account}", role, subjects)),
    ]


def let_create(namespace: str, service_account: str, builds: Sequence[str]) -> list[Manifest]:
    """Give the Role by which an account of `namespace` may create builds, and delete old ones, and its binding."""
    role = f"hookwright-builds-as-{service_account}"
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": ["create", "delete"]}
        for group, resource in (BUILDS[build] for build in builds)
    ]
    comments = (
        f"Builds are created as ServiceAccount {service_account}, so it is that account which needs the right to.",
        "It deletes those that are beyond a BuildTrigger's history limits, too.",
    )
    return [
        Manifest(raw=_role(namespace, role, *rules), comments=comments),
        Manifest(raw=_binding(namespace, role, role, [_refer(namespace, service_account)])),
    ]


def let_keep_secrets(namespace: str, hookwright_namespace: str, operators: Sequence[str]) -> list[Manifest]:
    """Give the Role by which Hookwright's operator keeps the Secrets of BuildTriggers there, and its binding."""
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch"]}
    subjects = [_refer(hookwright_namespace, operator) for operator in operators]
    return [
        Manifest(
            raw=_role(namespace, SECRETS_ROLE, rule),
            comments=(
                "Hookwright's operator keeps the secret of each BuildTrigger with a provider in a Secret. RBAC cannot",
                "say which: this is the right to change every Secret of the namespace, and to make tokens of its",
                "ServiceAccounts. The chart's admissionPolicy narrows it; --no-secrets leaves it out.",
            ),
        ),
        Manifest(raw=_binding(namespace, f"{hookwright_namespace}-keeps-secrets", SECRETS_ROLE, subjects)),
    ]


def find_operators(accounts: Sequence[str], named: Sequence[str]) -> list[str]:
    """Say which of Hookwright's accounts are the operator's.

    Raises:
        UsageError: none is named, and none is known.
    """
    if named:
        return list(dict.fromkeys(check_subdomain(account, "--operator-account") for account in named))
    found = [account for account in accounts if account in OPERATORS or len(accounts) == 1]
    if not found:
        raise UsageError(
            f"--operator-account: say which of {', '.join(accounts)} is the operator's, which keeps the Secrets of "
            "BuildTriggers; or leave them out with --no-secrets"
        )
    return found


def _role(namespace: str, name: str, *rules: dict[str, Any]) -> dict[str, Any]:  # Any: a JSON object
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": list(rules),
    }


def _binding(namespace: str, name: str, role: str, subjects: list[dict[str, str]]) -> dict[str, Any]:  # as _role
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role},
        "subjects": subjects,
    }


def _refer(namespace: str, account: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
