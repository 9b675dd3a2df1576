"""operator/docs/webhook.md, the manual of the Webhook: its YAML is right, its commands work, nothing is left out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import test_readme
import yaml
from pydantic import BaseModel

from hookwright.builds.targets import TARGET_KINDS, find_values
from hookwright.intake import rules
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import (
    MEMBERS,
    AuthenticationConfiguration,
    BuildTrigger,
    CronJob,
    LastDelivery,
    Webhook,
    crd,
    read,
)
from hookwright.kinds.authentication import SECRET_MEMBERS, Authentication
from hookwright.kinds.webhook import (
    RateLimit,
    TargetPipeline,
    WebhookFilter,
    WebhookParameter,
    WebhookSpec,
    WebhookStatus,
    WebhookTag,
)
from hookwright.settings import Settings
from support.objects import make_buildtrigger

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "operator" / "docs"
EXAMPLES = ROOT / "examples"
PAGE = (DOCS / "webhook.md").read_text(encoding="utf-8")
LINKS = re.compile(r"\]\(([^)\s]+)\)")
HELLO = [yaml.safe_load(file.read_text()) for file in sorted((EXAMPLES / "hello").iterdir())]
# Which examples the page shows as they stand.
SHOWN = [*EXAMPLES.glob("hello/*.yaml"), *EXAMPLES.glob("cronjob/*.yaml"), *EXAMPLES.glob("schemes/*.yaml")]
NESTED = {
    "spec.targetPipeline": TargetPipeline,
    "spec.authenticationConfiguration": AuthenticationConfiguration,
    "spec.filters": WebhookFilter,
    "spec.parameters": WebhookParameter,
    "spec.rateLimit": RateLimit,
    "spec.tags": WebhookTag,
    "status.lastDelivery": LastDelivery,
}
shell = test_readme.shell


def find_headings(text: str) -> dict[str, str]:
    """Give each heading, and what stands below it until the next one of its level or above."""
    headings: dict[str, str] = {}
    open_ones: list[tuple[int, str]] = []
    code = False
    for line in text.splitlines(keepends=True):
        code ^= line.startswith("```")
        matched = None if code else re.match(r"(#+) (.*)\n", line)
        if matched is not None:
            level = len(matched[1])
            open_ones = [one for one in open_ones if one[0] < level] + [(level, matched[2])]
            assert matched[2] not in headings, f"{matched[2]} is there twice"
            headings[matched[2]] = ""
        else:
            for _, heading in open_ones:
                headings[heading] += line
    return headings


def make_anchor(heading: str) -> str:
    """Give the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def names_of(model: type[BaseModel]) -> list[str]:
    """Give the names of a model's fields as they stand in YAML."""
    return [field.alias or name for name, field in model.model_fields.items()]


HEADINGS = find_headings(PAGE)


@pytest.mark.parametrize(
    "field",
    [f"spec.{name}" for name in names_of(WebhookSpec)] + [f"status.{name}" for name in names_of(WebhookStatus)],
)
def test_page_has_a_heading_for_each_field(field):
    """Each field of spec and status has a heading of its own, which names its members in a table."""
    assert field in HEADINGS
    model = NESTED.get(field)
    rows = [line for line in HEADINGS[field].splitlines() if line.startswith("| `")]
    if model is not None:
        assert set(names_of(model)) <= {re.findall(r"`([^`]+)`", row)[0] for row in rows}


def test_page_knows_every_model_with_members():
    """No field has members that the test above does not know of."""
    nested = set()
    for where, model in (("spec", WebhookSpec), ("status", WebhookStatus)):
        for name, field in model.model_fields.items():
            inner = re.findall(r"hookwright\.kinds\.[\w.]+", str(field.annotation))
            if any(issubclass(find_class(path), BaseModel) for path in inner):
                nested.add(f"{where}.{field.alias or name}")
    # What a condition is made of, Kubernetes says.
    assert nested - {"status.conditions"} == set(NESTED)


def find_class(path: str) -> type[Any]:  # any class of ours
    """Give a class by its full name."""
    module, _, name = path.rpartition(".")
    return getattr(__import__(module, fromlist=[name]), name)


@pytest.mark.parametrize("scheme", Authentication)
def test_page_has_a_heading_for_each_scheme(scheme):
    """Each scheme has a heading, with an example of it."""
    assert f"authentication: {scheme}\n" in HEADINGS[scheme]


def test_page_says_which_scheme_takes_which_member():
    """The table of members names exactly the schemes that take each."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", HEADINGS["spec.authenticationConfiguration"], re.MULTILINE))
    for name, said in rows.items():
        takers = {one for one, has in MEMBERS.items() if name in (*has.needs, *has.takes)}
        takers |= {one for one, has in MEMBERS.items() if has.secret and name in SECRET_MEMBERS}
        named = {one for one in MEMBERS if re.search(rf"\b{one}\b", said)}
        assert (set(MEMBERS) - named if said.startswith("all but") else named) == takers, name


def test_page_names_every_kind_of_target():
    """Each kind that can be a target is described."""
    for kind in TARGET_KINDS:
        assert f"**{kind}:**" in HEADINGS["spec.targetPipeline"]


def test_page_names_every_code():
    """The table of error codes has a row for each of AWS's codes, and no other row."""
    codes = {value for value in vars(rules).values() if isinstance(value, str) and value.endswith("Exception")}
    assert set(re.findall(r"^\| `(\w+)` \|", HEADINGS["Error codes"], flags=re.MULTILINE)) == codes


def test_page_says_what_is_different_from_aws():
    """The limits and members in the table of differences are those of the models."""
    said = HEADINGS["What is different from AWS"]
    spec = crd(Webhook)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    configuration = spec["authenticationConfiguration"]["properties"]
    assert f"`secretToken` has at most {configuration['secretToken']['maxLength']} too" in said
    assert f"more than {spec['tags']['maxItems']} tags" in said
    assert spec["tags"]["x-kubernetes-list-map-keys"] == ["key"]
    assert f"| {Settings.model_fields['webhook_quota'].default} webhooks" in said
    assert spec["targetPipeline"]["type"] == "object"
    assert {"allowedIPRange", "secretToken", "secretTokenRef"} <= set(configuration)
    assert not {name for name in spec if "version" in name.lower() or "register" in name.lower()}
    values = find_values(make_buildtrigger())
    assert {"FullRepositoryId", "BranchName"} <= set(values)
    assert not {"RepositoryName", "S3Bucket", "S3ObjectKey", "ImageTag", "ConnectionArn"} & set(values)


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_page_shows_the_examples_as_they_stand(file):
    """The YAML of each example, which other tests apply, is that on the page."""
    assert file.read_text(encoding="utf-8") in PAGE


def find_yaml(text: str) -> list[list[dict[str, Any]]]:
    """Give the documents of each block of YAML."""
    return [list(yaml.safe_load_all(block)) for block in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)]


def complete(block: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the objects of a block; some members of a spec stand for hello's Webhook with these."""
    if any("kind" in document for document in block):
        return block
    (webhook,) = [one for one in HELLO if one["kind"] == "Webhook"]
    (members,) = block
    return [{**webhook, "spec": {**webhook["spec"], **members}}]


@pytest.mark.parametrize("block", find_yaml(PAGE))
def test_yaml_is_right(block):
    """Each Webhook on the page is of its shape, without a misspelt field, and compiles against its target."""
    objects = complete(block)
    kinds = {"BuildTrigger": BuildTrigger, "CronJob": CronJob}
    targets = {
        (one["kind"], one["metadata"]["name"]): read(kinds[one["kind"]], one, strict=one["kind"] == "BuildTrigger")
        for one in [*HELLO, *objects]
        if one["kind"] in kinds
    }
    for one in objects:
        if one["kind"] == "Webhook":
            webhook = read(Webhook, one, strict=True)
            wanted = webhook.spec.target_pipeline
            route = compile_webhook(webhook, targets[wanted.kind, wanted.name])
            assert route.problem is None
            assert route.tests is not None


def test_commands_work(shell):
    """The commands of the page, typed in their order, all succeed: deliveries that do not get a 2xx would not."""
    for block in test_readme.find_blocks(PAGE):
        missing = [one for one in ("curl", "openssl") if re.search(rf"\b{one} ", block) and shutil.which(one) is None]
        if missing:
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=ROOT,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        assert '"outcome": "refused"' not in done.stdout, block


@pytest.mark.parametrize("page", ["webhook.md", "buildtrigger.md", "security.md"])
def test_links_lead_somewhere(page):
    """Each link of the page within the repository leads to a file, and to a heading in it."""
    for link in LINKS.findall((DOCS / page).read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (DOCS / name).resolve() if name else DOCS / page
        assert target.exists(), link
        if anchor:
            assert anchor in {make_anchor(one) for one in find_headings(target.read_text(encoding="utf-8"))}, link
