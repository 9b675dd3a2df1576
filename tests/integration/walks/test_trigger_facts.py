"""Deliveries that depend on what the provider's API says: accepted first, decided then."""

from __future__ import annotations

from hookwright.errors import ProviderError
from hookwright.filters.groups import Facts
from support.facts import FakeFacts
from support.running import run_hookwright
from support.triggers import begin, deliver

GROUP = [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "FILE_PATH", "pattern": "^docs/"}]


async def test_pull_request_is_accepted_and_decided_by_its_files(tmp_path):
    """The answer comes before the provider is asked; while it is away the delivery waits; then its word decides."""
    source = FakeFacts(error=ProviderError("the provider is away", transient=True))
    async with run_hookwright(tmp_path, started=False) as running:
        running.facts = source
        await running.start()
        url = await begin(running, filterGroups=[GROUP])
        answer = await deliver(running, url, what="opened", delivery_id="d-1")
        assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
        assert answer.json()["reason"] == "FactsWanted"
        await running.until(lambda: running.trigger_status().get("lastDelivery", {}).get("reason") == "FactsDelayed")
        assert running.jobs() == []
        source.error, source.facts = None, Facts(files=("docs/a.md",))
        (job,) = await running.until(running.jobs, "the Job is there")
        assert [job["metadata"]["name"]] == [build["name"] for build in answer.json()["builds"]]
        source.facts = Facts(files=("src/a.py",))
        await deliver(running, url, what="opened", delivery_id="d-2")
        await running.until(lambda: running.trigger_status().get("lastDelivery", {}).get("reason") == "NoGroupPassed")
        assert len(running.jobs()) == 1
