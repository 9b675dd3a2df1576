"""operator/docs/buildtrigger.md, the manual of the BuildTrigger: YAML and commands are right, nothing is left out."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields

import pytest
import test_readme
import test_webhook_page
import yaml
from pydantic import BaseModel

from hookwright.commands.delivering.prepared import Changes
from hookwright.intake.trigger_route import compile_trigger
from hookwright.kinds import LIVE_SECRET_KEYS, BuildTrigger, LastDelivery, conditions, read
from hookwright.kinds.buildtrigger import (
    Build,
    BuildParameter,
    BuildState,
    BuildTriggerSpec,
    BuildTriggerStatus,
    ProjectTag,
    SecretReference,
    SecretRotation,
)
from hookwright.kinds.filter_groups import WebhookFilter
from hookwright.kinds.source import BuildSource
from hookwright.reconcile import checks, secret_notices
from hookwright.scm import EventType, FilterType, Provider

PAGE = (test_webhook_page.DOCS / "buildtrigger.md").read_text(encoding="utf-8")
HEADINGS = test_webhook_page.find_headings(PAGE)
NESTED = {
    "spec.source": BuildSource,
    "spec.filterGroups": WebhookFilter,
    "spec.build": Build,
    "spec.parameters": BuildParameter,
    "spec.secretRotation": SecretRotation,
    "spec.tags": ProjectTag,
    "status.secretRef": SecretReference,
    "status.lastDelivery": LastDelivery,
    "status.lastBuild": BuildState,
    "status.active": BuildState,
}
FIELDS = {"spec": BuildTriggerSpec, "status": BuildTriggerStatus}
shell = test_readme.shell


def find_rows(heading: str) -> dict[str, list[str]]:
    """Give the rows of the tables under a heading: the words in the first cell, and all cells."""
    cells = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in HEADINGS[heading].splitlines()
        if line.startswith("| ")
    ]
    return {word: row for row in cells for word in re.findall(r"`?([\w.…]+)`?", row[0])}


def names_of(where: str, model: type[BaseModel]) -> list[str]:
    return [f"{where}.{name}" for name in test_webhook_page.names_of(model)]


@pytest.mark.parametrize("field", [name for where, model in FIELDS.items() for name in names_of(where, model)])
def test_page_has_a_heading_for_each_field(field):
    """Each field of spec and status has a heading of its own, which names its members in a table."""
    assert field in HEADINGS
    if field in NESTED:
        assert set(test_webhook_page.names_of(NESTED[field])) <= set(find_rows(field))


def test_page_knows_every_model_with_members():
    """No field has members that the test above does not know of."""
    nested = {
        f"{where}.{field.alias or name}"
        for where, model in FIELDS.items()
        for name, field in model.model_fields.items()
        for path in re.findall(r"hookwright\.kinds\.[\w.]+", str(field.annotation))
        if issubclass(test_webhook_page.find_class(path), BaseModel)
    }
    # What a condition is made of, Kubernetes says.
    assert nested - {"status.conditions"} == set(NESTED)


def test_page_names_every_type_and_event():
    """The table of filters has a row for each type; each event and each provider is named."""
    assert set(FilterType) <= set(find_rows("spec.filterGroups"))
    assert all(event in HEADINGS["spec.filterGroups"] for event in EventType)
    assert all(provider in find_rows("At the Git host") for provider in Provider)


def test_page_names_every_code():
    """The table of error codes has a row for each of CodeBuild's codes that is given, and no other row."""
    codes = {"ResourceAlreadyExistsException", checks.INVALID_INPUT, checks.RESOURCE_NOT_FOUND}
    assert {word for word in find_rows("Error codes") if word.endswith("Exception")} == codes


def test_page_names_every_kubernetes_event_about_the_secret():
    """The table of Kubernetes Events has a row for each that tells of the secret, and no other row."""
    reasons = {value for name, value in vars(secret_notices).items() if name.startswith("SECRET_") and value.isalpha()}
    told = {word for word in find_rows("The secret") if word.startswith("Secret")}
    assert told == reasons - {secret_notices.SECRET_KEY}


def test_page_names_every_key_of_the_secret():
    """Each key at which a secret can be is named."""
    assert all(f"`{key}`" in HEADINGS["The secret"] for key in LIVE_SECRET_KEYS)


def test_yaml_is_right():
    """The BuildTrigger on the page is of its shape, without a misspelt field, and can be judged by."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert compile_trigger(read(BuildTrigger, yaml.safe_load(block), strict=True)).problem is None


def test_commands_work(shell):
    """The commands of the page, typed in their order, all succeed."""
    for block in test_readme.find_blocks(PAGE):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=test_webhook_page.ROOT,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"


def test_page_names_every_option_of_a_sample():
    """The table of what a sample may tell of has each option of `hookwright deliver` for it, and no other."""
    table = HEADINGS["Try it out"].partition("| option |")[2].partition("\n\n")[0]
    written = [word for row in table.splitlines()[2:] for word in re.findall(r"`(--[\w-]+)`", row.split("|")[1])]
    assert sorted(written) == sorted(f"--{one.name.replace('_', '-')}" for one in fields(Changes))


def test_conditions_are_those_that_there_are():
    """The table of conditions has each type that a BuildTrigger may have, and no other."""
    table = HEADINGS["status.conditions"].partition("| type |")[2].partition("\n\n")[0]
    types = {value for name, value in vars(conditions).items() if name.isupper() and isinstance(value, str)}
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == sorted(types)
