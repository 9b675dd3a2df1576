"""A real Prometheus scrapes a running Hookwright: names, alerts and the dashboard, on what is really there."""

from __future__ import annotations

import signal
from pathlib import Path

from test_prometheus_dashboard import find_queries

from support.processes import run_fleet
from support.prometheus import FILES, hurry_rules, promtool, run_prometheus
from support.running import make_buildtrigger, make_push, make_secret, make_webhook


async def test_metrics_are_named_as_prometheus_wants(tmp_path: Path):
    """Promtool finds nothing wrong with what a process that does everything shows."""
    async with run_fleet(tmp_path, {"one": "run"}) as fleet:
        page = (await fleet.running.client.get(fleet.processes["one"].admin + "/metrics")).content
    ours = b"".join(line for line in page.splitlines(keepends=True) if b"hookwright_" in line)
    for text in (page, ours):
        checked = promtool("check", "metrics", given=text)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_prometheus_sees_what_happens(tmp_path: Path):
    """No alert fires while all is well, each panel has something to show, and an end that nobody wanted is noticed."""
    (tmp_path / "fleet").mkdir()
    async with run_fleet(tmp_path / "fleet", {"operator": "operator", "receiver": "receiver"}) as fleet:
        running, client = fleet.running, fleet.running.client
        jobs = {f"hookwright-{name}-pods": process.admin for name, process in fleet.processes.items()}
        rules = hurry_rules((FILES / "alerts.yaml").read_text(encoding="utf-8"))
        async with run_prometheus(tmp_path, jobs, rules, client) as prometheus:
            running.apply(make_secret(), make_buildtrigger(), make_webhook())
            await running.until_ready()
            path = "/hooks/" + running.status()["url"].rpartition("/")[2]
            url = fleet.processes["receiver"].address + path
            await running.until_answered(url, 202)
            await prometheus.until('hookwright_deliveries_total{reason="Accepted"} > 0')
            await prometheus.until("count(up == 1) == 2")
            await prometheus.until("count(hookwright_ready == 1) == 2")
            # What fired before the first scrape is over by now, or soon.
            await prometheus.until('absent(ALERTS{alertstate="firing"})')

            # Something for each panel: a build, a refusal, and a request that fails.
            away = fleet.cluster.answer(method="POST", path=r".*/jobs", status=503, times=1)
            assert (await running.push(url, secret="guess")).status_code == 401
            assert (await running.push(url, make_push())).status_code == 202
            await prometheus.until('hookwright_api_requests_total{code="503"} > 0')
            await prometheus.until("hookwright_journal_pending == 0")
            assert away.hits == 1
            for query in find_queries(interval="1m"):
                await prometheus.until(query)

            await fleet.processes["receiver"].signal(signal.SIGKILL)
            # The other may be too busy to be scraped for a moment.
            firing = 'ALERTS{alertname="HookwrightDown",alertstate="firing",job="hookwright-%s-pods"}'
            await prometheus.until(f"{firing % 'receiver'} unless on() {firing % 'operator'}")
            await prometheus.until('ALERTS{alertname="HookwrightNoReceiver",alertstate="firing"}')

            await fleet.processes["operator"].signal(signal.SIGTERM)
            await prometheus.until("count(up == 0) == 2")
