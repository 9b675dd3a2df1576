"""operator/docs/security.md: the bounds that it names are those of the code, and it compares every scheme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hookwright.cluster import secrets
from hookwright.filters.budget import MAX_NODES
from hookwright.intake import addresses, limits, routes, server
from hookwright.journal import MAX_WORK, REMEMBERED, Bounds
from hookwright.kinds import DEFAULT_MAX_BODY_BYTES
from hookwright.kinds.authentication import Authentication
from hookwright.reconcile import rootkey
from hookwright.settings import Settings
from support.rights import OURS, read_rules, uncomment

RIGHTS = sorted((Path(__file__).parents[2] / "examples" / "rights").glob("*.yaml"))
PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "security.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
MEBIBYTE = 1 << 20


@pytest.mark.parametrize("scheme", Authentication)
def test_page_compares_every_scheme(scheme):
    """The table of the schemes has each of them."""
    table = PAGE.partition("## What the schemes prove")[2].partition("\n\n**")[0]
    assert re.search(rf"^\|[^|]*\b{scheme}\b", table, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "taken",
    [
        "the receiver's pod",
        "the operator's pod",
        "the root key",
        "a receiver's journal volume",
        "a team's builder account",
        "a backup of etcd",
        "the admin port",
        "a Git host's secret",
        "a URL",
    ],
)
def test_page_says_what_leaks(taken):
    """For each thing that can be taken the page says what its holder has, and what to do."""
    table = PAGE.partition("## What leaks if X is taken")[2].partition("\n## ")[0]
    (row,) = re.findall(rf"^\| {taken}(?:, [^|]*)? \|(.*)\|$", table, flags=re.MULTILINE)
    assert [len(cell.strip()) > 20 for cell in row.split("|")] == [True, True]


@pytest.mark.parametrize("role", ["receiver", "operator"])
def test_page_lists_the_rights_of_each_role(role):
    """The table of rights says of each role what examples/rights gives it, row by row."""
    table = PAGE.partition("## Rights in the cluster")[2].partition("\n\n**")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]
    column = rows[0].index(role)
    given = {row[0] for row in rows[2:] if row[column] != "no"}
    texts = [file.read_text(encoding="utf-8") for file in RIGHTS]
    objects = [one for text in texts for one in yaml.safe_load_all(uncomment(text))]
    for allowed in read_rules(objects)[OURS, f"hookwright-{role}"]:
        words = {"webhooks": "Webhooks", "buildtriggers": "BuildTriggers", "cronjobs": "CronJobs", "jobs": "Jobs"}
        words |= {"secrets": "Secret", "events": "Kubernetes Events", "leases": "Leases"}
        word = words.get(allowed.resource, allowed.resource)
        assert any(f"`{allowed.verb}`" in row and word in row for row in given), allowed


@pytest.mark.parametrize(
    "said",
    [
        f"the Secret `{rootkey.NAME}`",
        f"{routes._TOKEN_BYTES * 8} bits",
        f"`HOOKWRIGHT_ADDRESS_LIMIT`, {Settings().address_limit} a second",
        f"{limits.ADDRESS_BURST_SECONDS} seconds' worth at once",
        f"`spec.maxBodyBytes`, {DEFAULT_MAX_BODY_BYTES // MEBIBYTE} MiB, at most 25 MiB; {server.BODY_SECONDS} seconds",
        f"`HOOKWRIGHT_BODY_MEMORY`, {Settings().body_memory} MiB",
        f"{server.MAX_HEADER_BYTES // 1024} KiB, {server.HEADER_MILLISECONDS // 1000} seconds",
        f"{server.MAX_CONNECTIONS:,}; one that is idle is closed after {server.HEADER_MILLISECONDS // 1000} seconds",
        f"{MAX_NODES:,} values visited",
        f"{MAX_WORK // MEBIBYTE} MiB of parameters",
        f"more than {addresses.MAX_HOPS} of them",
        f"remembers {limits.MAX_ENTRIES:,} of them",
        f"is used for {secrets.KEEP_SECONDS:.0f} seconds",
        f"once a second, after the first {'five' if secrets.BURST == 5 else secrets.BURST}",
        f"ids of started ones for {REMEMBERED.days} days",
        f"for up to {Bounds().age.days} days",
    ],
)
def test_page_says_the_bounds_of_the_code(said):
    """Each number on the page is the one that counts."""
    assert said in TEXT
