"""Webhooks of AWS CodePipeline made into manifests, and what of them could not be carried over. Pure.

What Hookwright would refuse is kept and said, not mended in silence: whoever imports decides what it is to be. Nothing
that is said holds a secret, nor AWS's URL, which is one where authentication is UNAUTHENTICATED.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookwright.builds.targets import DEFAULT_SOURCE_ACTION, SOURCE_ACTION_ANNOTATION, find_api_version, is_secret_name
from hookwright.commands.codepipeline_json import AwsWebhook, Listing, Pipeline
from hookwright.commands.manifests import choose_names
from hookwright.commands.remarks import Remark, hide_urls, is_aws_own
from hookwright.errors import InvalidExpression
from hookwright.filters import compile_filter, parse_template
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import API_VERSION, Authentication, BuildTrigger, CronJob, InvalidObject, Raw, Webhook, read

# As long as a name may be at AWS, which is also the limit of spec.targetPipeline.name.
LONGEST_NAME = 100
# Of a kind of target, where that is shorter: Kubernetes adds 11 characters to a CronJob's name for that of a Job.
LONGEST_TARGETS = {CronJob.KIND: 52}
MAX_WEBHOOKS = 300
SECRET_KEY = "token"  # noqa: S105 - the key in a Secret, not what is at it
_CONFIGURATION = "spec.actionConfiguration"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What one webhook became: the Webhook, and the Secret that it needs, if any; and what is to be said of each."""

    aws_name: str
    webhook: Raw
    remarks: tuple[Remark, ...]
    secret: Raw | None = field(repr=False)
    secret_remarks: tuple[Remark, ...]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user chose: the namespace of all objects, what is to be started, and pipelines to take values from."""

    namespace: str | None = None
    target_kind: str = BuildTrigger.KIND
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)


def convert(listing: Listing, wishes: Wishes, *, new_token: Callable[[], str]) -> list[Imported]:
    """Make manifests of the webhooks of a file, in its order.

    `new_token` gives a secret for each webhook whose own one AWS does not show.
    """
    found: dict[str, list[AwsWebhook]] = {}
    for webhook in listing.webhooks:
        found.setdefault(webhook.name, []).append(webhook)
    kept = [same[0] for same in found.values()]
    pipelines = [webhook.target_pipeline for webhook in kept]
    names = choose_names(found, longest=LONGEST_NAME, otherwise="webhook")
    targets = choose_names(
        pipelines, longest=LONGEST_TARGETS.get(wishes.target_kind, LONGEST_NAME), otherwise="pipeline"
    )
    imported = []
    for webhook in kept:
        metadata = {"name": names[webhook.name]}
        metadata |= {"namespace": wishes.namespace} if wishes.namespace is not None else {}
        target = targets[webhook.target_pipeline]
        imported.append(_import(webhook, wishes, metadata, target, new_token, found[webhook.name][1:]))
    return imported


def describe_listing(listing: Listing, pipelines: Collection[str]) -> list[Remark]:
    """Say what concerns no single webhook: that the file holds only some, or none, and pipelines that none starts."""
    remarks = []
    if not listing.webhooks:
        remarks.append(Remark(text="there is no webhook in it"))
    if not listing.complete:
        text = "AWS has more webhooks than are in it (NextToken): list them without --max-items and --no-paginate"
        remarks.append(Remark(text=text, lost=True))
    names = {webhook.name for webhook in listing.webhooks}
    if len(names) > MAX_WEBHOOKS:
        text = (
            f"LimitExceededException: {len(names)} webhooks; by default a namespace may have {MAX_WEBHOOKS}, as at AWS"
        )
        remarks.append(Remark(text=text, lost=True))
    started = {webhook.target_pipeline for webhook in listing.webhooks}
    remarks += [Remark(text=f"no webhook starts pipeline {name}") for name in sorted({*pipelines} - started)]
    return remarks


def _import(
    webhook: AwsWebhook,
    wishes: Wishes,
    metadata: Mapping[str, str],
    target: str,
    new_token: Callable[[], str],
    repeated: list[AwsWebhook],
) -> Imported:
    values, value_remarks = _find_values(webhook, wishes.pipelines.get(webhook.target_pipeline))
    secret, secret_remarks = _make_secret(webhook, metadata, new_token)
    tags = [{"key": key, "value": value} for key, value in webhook.tags if not is_aws_own(key)]
    spec: dict[str, Any] = {  # Any: a JSON object
        "name": webhook.name,
        "targetPipeline": {
            "apiVersion": find_api_version(wishes.target_kind),
            "kind": wishes.target_kind,
            "name": target,
        },
        "targetAction": webhook.target_action,
        **({"actionConfiguration": values} if values else {}),
        "authentication": webhook.authentication,
        "authenticationConfiguration": _convert_authentication(webhook, secret),
        "filters": [
            {"jsonPath": rule.json_path} | ({"matchEquals": rule.match_equals} if rule.match_equals is not None else {})
            for rule in webhook.filters or ()
        ],
        **({"tags": tags} if tags else {}),
    }
    raw = {"apiVersion": API_VERSION, "kind": Webhook.KIND, "metadata": dict(metadata), "spec": spec}
    filter_problems = _find_filter_problems(webhook)
    remarks = [
        *(Remark(text=f"{where}: {text}", lost=True) for where, text in filter_problems.items()),
        *_describe_problems(raw, filter_problems),
        *_describe_left_out(webhook, repeated),
        *value_remarks,
        *_describe_keys(webhook, values, wishes),
        *_describe_move(webhook, wishes.target_kind, metadata["name"], target),
    ]
    return Imported(
        aws_name=webhook.name,
        webhook=raw,
        remarks=tuple(sorted(remarks, key=lambda remark: not remark.lost)),
        secret=secret,
        secret_remarks=tuple(secret_remarks),
    )


def _make_secret(
    webhook: AwsWebhook, metadata: Mapping[str, str], new_token: Callable[[], str]
) -> tuple[Raw | None, list[Remark]]:
    """Give the Secret of a webhook that is signed, with its own token if AWS shows it, else with a new one."""
    if webhook.authentication != Authentication.GITHUB_HMAC:
        return None, []
    name, token, remarks = _name_secret(metadata["name"]), webhook.secret_token, []
    if token is None or _is_redacted(token):
        token = new_token()
        text = (
            f"AWS does not show the secret token, so Secret {name} has a NEW one: SET IT AT THE GIT HOST, or put the "
            "old one here; until they are the same, every delivery is refused"
        )
        remarks = [Remark(text=text, lost=True)]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**metadata, "name": name, "labels": {"hookwright.dev/watched": "true"}},
        "stringData": {SECRET_KEY: token},
    }
    return secret, remarks


def _name_secret(webhook: str) -> str:
    """Name the Secret of a Webhook; no two Webhooks get the same, also not `my` and `my-webhook`."""
    return f"{webhook}-secret" if webhook.endswith("webhook") else f"{webhook}-webhook"


def _is_redacted(value: str) -> bool:
    return not value.strip("*")


def _convert_authentication(webhook: AwsWebhook, secret: Raw | None) -> dict[str, Any]:  # Any: a JSON object
    if secret is not None:
        return {"secretTokenRef": {"name": secret["metadata"]["name"], "key": SECRET_KEY}}
    if webhook.authentication == Authentication.IP and webhook.allowed_ip_range is not None:
        return {"allowedIPRange": webhook.allowed_ip_range}
    return {}


def _find_values(webhook: AwsWebhook, pipeline: Pipeline | None) -> tuple[dict[str, str], list[Remark]]:
    """Give the configuration of the source action that the webhook names, without its secrets."""
    if pipeline is None:
        return {}, []
    configuration = pipeline.source_actions.get(webhook.target_action)
    if configuration is None:
        known = ", ".join(sorted(pipeline.source_actions)) or "none"
        text = (
            f"spec.targetAction: {webhook.target_action}: the first stage of pipeline {pipeline.name} has no such "
            f"action (it has: {known}), so {_CONFIGURATION} is empty"
        )
        return {}, [Remark(text=text, lost=True)]
    values, remarks = {}, []
    for key, value in configuration.items():
        if is_secret_name(key) or (value and _is_redacted(value)):
            remarks.append(Remark(text=f"{_CONFIGURATION}: {key} is a secret, and left out: nothing here needs it"))
        else:
            values[key] = value
    return values, remarks


def _find_filter_problems(webhook: AwsWebhook) -> dict[str, str]:
    """Give what is wrong with each filter that Hookwright refuses, by its field."""
    problems = {}
    for index, rule in enumerate(webhook.filters or ()):
        try:
            compile_filter(rule.json_path, rule.match_equals)
        except InvalidExpression as error:
            problems[f"spec.filters[{index}].jsonPath"] = f"{error.message}; the Webhook is Stalled until you change it"
        secrets = [key for key in parse_template(rule.match_equals or "").keys if is_secret_name(key)]
        if secrets:
            keys = ", ".join(f"{{{key}}}" for key in secrets)
            problems[f"spec.filters[{index}].matchEquals"] = (
                f"{keys}: named like a secret, which no filter can use; the Webhook is Stalled until you change it"
            )
    return problems


def _describe_problems(raw: Raw, said: Collection[str]) -> list[Remark]:
    """Say what Hookwright, or the schema of its CRD, will refuse, but for the fields in `said`."""
    try:
        webhook = read(Webhook, raw)
    except InvalidObject as invalid:
        return [
            Remark(text=f"{problem.field}: {problem.message}; the API server refuses the Webhook as it is", lost=True)
            for problem in invalid.problems
            if problem.field not in said
        ]
    problem = compile_webhook(webhook, None).problem
    if problem is None or problem.field in said:
        return []
    return [Remark(text=f"{problem.code}: {problem.message}", lost=True)]


def _describe_left_out(webhook: AwsWebhook, repeated: list[AwsWebhook]) -> list[Remark]:
    texts = [f"{name}: Hookwright does not know it, so it is left out" for name in webhook.unknown]
    texts += [
        f"tag {key}: keys with aws: are AWS's own, so it is left out" for key, _ in webhook.tags if is_aws_own(key)
    ]
    unused = []
    if webhook.allowed_ip_range is not None and webhook.authentication != Authentication.IP:
        unused.append("AllowedIPRange")
    if webhook.secret_token is not None and webhook.authentication != Authentication.GITHUB_HMAC:
        unused.append("SecretToken")
    texts += [f"{name}: {webhook.authentication} does not take it, so it is left out" for name in unused]
    if webhook.filters is None:
        texts.append("filters: the file has none, not even an empty list; every authentic delivery will start a build")
    remarks = [Remark(text=text, lost=True) for text in texts]
    if repeated:
        differs = any(other != webhook for other in repeated)
        how = "which differ: only the first one counts" if differs else "which are the same"
        remarks.append(Remark(text=f"the file has {len(repeated) + 1} webhooks of this name, {how}", lost=differs))
    return remarks


def _describe_keys(webhook: AwsWebhook, values: Mapping[str, str], wishes: Wishes) -> list[Remark]:
    """Say which placeholders have no value yet."""
    keys = {key: None for rule in webhook.filters or () for key in parse_template(rule.match_equals or "").keys}
    hint = "" if webhook.target_pipeline in wishes.pipelines else ", or import with --pipeline"
    texts = [
        f"{{{key}}} has no value: it must come from the {wishes.target_kind} or from {_CONFIGURATION}{hint}"
        for key in keys
        if key not in values and not is_secret_name(key)
    ]
    return [Remark(text=text, lost=True) for text in texts]


def _hide(webhook: AwsWebhook) -> str:
    """Give AWS's own text about what is wrong, without the token and any URL, which may be a credential."""
    text = webhook.error_message or ""
    if webhook.secret_token:
        text = text.replace(webhook.secret_token, "(the token)")
    return hide_urls(text)


def _describe_move(webhook: AwsWebhook, target_kind: str, name: str, target: str) -> list[Remark]:
    """Say what is different here by its nature."""
    texts = []
    wrong = [text for text in (webhook.error_code, _hide(webhook)) if text]
    if wrong:
        texts.append(f"AWS says that something is wrong with it there: {': '.join(wrong)}")
    texts.append("the URL changes: give the Git host the one in status.url, and then delete the webhook at AWS")
    if name != webhook.name:
        texts.append(f"metadata.name is {name}; spec.name keeps AWS's name")
    texts.append(f"{target_kind} {target} must exist: what pipeline {webhook.target_pipeline} does is not converted")
    if webhook.target_action != DEFAULT_SOURCE_ACTION:
        texts.append(f"{target_kind} {target} needs the annotation {SOURCE_ACTION_ANNOTATION}: {webhook.target_action}")
    return [Remark(text=text) for text in texts]
