"""Prometheus and promtool, as Debian's package `prometheus` has them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.ports import find_port
from support.waiting import patience

PATIENCE = 60.0
ROOT = Path(__file__).parents[2]
FILES = ROOT / "charts" / "hookwright" / "files"


def find_program(name: str) -> str:
    """Give the path of a program of Prometheus; skip the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here: apt-get install --no-install-recommends prometheus")
    return found


def promtool(*words: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run promtool."""
    return subprocess.run([find_program("promtool"), *words], input=given, capture_output=True, check=False)


def read_alerts() -> list[dict[str, Any]]:
    """Give the alerts of the chart."""
    groups = yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def hurry_rules(text: str) -> str:
    """Give rules that wait a second for what they would wait minutes for, and look back ten."""
    return re.sub(r"\[\d+m\]", "[10s]", re.sub(r"for: \d+m", "for: 1s", text))


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """A running Prometheus."""

    client: httpx.AsyncClient
    url: str

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Give what an expression is now."""
        answer = await self.client.get(self.url + "/api/v1/query", params={"query": expression})
        document = answer.json()
        assert document["status"] == "success", document
        return document["data"]["result"]

    async def until(self, expression: str) -> list[dict[str, Any]]:
        """Wait until an expression has a value, and give it."""
        try:
            async with patience(PATIENCE):
                # Each try is a request.
                while not (found := await self.query(expression)):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"has no value: {expression}") from None
        return found


@asynccontextmanager
async def run_prometheus(
    folder: Path, jobs: Mapping[str, str], rules: str, client: httpx.AsyncClient
) -> AsyncIterator[Prometheus]:
    """Run a Prometheus that scrapes the address of each job twice a second and evaluates `rules` as often."""
    program = find_program("prometheus")
    (folder / "rules.yaml").write_text(rules)
    configuration = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [address.removeprefix("http://")]}]}
            for job, address in jobs.items()
        ],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{find_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
            env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        )
    try:
        async with patience(PATIENCE):
            while True:
                assert process.returncode is None, (folder / "prometheus.log").read_text()
                with suppress(httpx.HTTPError):
                    if (await client.get(f"http://{address}/-/ready")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield Prometheus(client=client, url=f"http://{address}")
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
