"""`hookwright lint`: Webhooks whose target takes deliveries itself."""

from __future__ import annotations

import pytest
from command_line import run, write

from support.objects import raw_buildtrigger, raw_secret, raw_webhook

SOURCE = {"repository": "octo/hello", "branch": "main", "provider": "GitHub"}


def lint(capsys, tmp_path, *documents):
    """Lint objects; give kind and severity of each warning that one push may start two builds."""
    ran = run(capsys, "lint", "-f", write(tmp_path / "all.yaml", *documents, raw_secret()), "-o", "json")
    assert ran.code == 0
    return [(one["kind"], one["severity"]) for one in ran.json["findings"] if one["code"] == "BuildsTwice"]


def test_push_that_would_build_twice_is_a_warning(capsys, tmp_path):
    """A Webhook whose target has a provider is warned of, and that is no finding."""
    said = lint(capsys, tmp_path, raw_webhook(), raw_buildtrigger(source=SOURCE))
    assert said == [("Webhook", "warning")]


@pytest.mark.parametrize(
    "objects",
    [
        (raw_webhook(suspend=True), raw_buildtrigger(source=SOURCE)),
        (raw_webhook(), raw_buildtrigger(source=SOURCE, suspend=True)),
        (raw_webhook(), raw_buildtrigger()),
        (raw_webhook(targetPipeline={"name": "other"}), raw_buildtrigger(source=SOURCE)),
        (
            raw_buildtrigger(source=SOURCE),
            raw_buildtrigger(source=SOURCE, projectName="other", metadata={"name": "other"}),
        ),
    ],
    ids=["Webhook suspended", "BuildTrigger suspended", "no provider", "another target", "two projects"],
)
def test_what_builds_once_is_no_warning(capsys, tmp_path, objects):
    """Without two ways that are open at once there is nothing to warn of; two projects of a repository are meant so."""
    assert lint(capsys, tmp_path, *objects) == []
