"""Several receivers and operators, as the chart runs them: one of them ends, hangs or is lost, and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from support.release_site import OPERATOR, RECEIVER, Installed, Site, install_for_team, work_at

RECEIVERS = tuple(f"{RECEIVER}-{number}" for number in range(3))
OPERATORS = tuple(f"{OPERATOR}-{number}" for number in range(2))


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory) -> Iterator[Installed]:
    """A release with three receivers and two operators."""
    folder = tmp_path_factory.mktemp("replicas")
    with install_for_team(control_plane, folder, {"receiver": {"replicas": 3}}) as made:
        yield made


@pytest.fixture
async def site(installed: Installed) -> AsyncIterator[Site]:
    """That release, with all its pods ready, and Webhook hello."""
    async with work_at(installed) as made:
        await made.until_pods(RECEIVER, 3)
        await made.until_pods(OPERATOR, 2)
        await made.set_up()
        made.accepted |= {delivery: name for name, delivery in (await made.jobs()).items()}
        yield made


async def test_one_delivery_to_all_receivers_starts_one_build(site: Site):
    """Each of some deliveries goes to all three at the same time: each is accepted, and started exactly once."""
    path = await site.url_path()
    addresses = [site.address_of(pod) for pod in RECEIVERS]
    assert sorted(await site.receivers()) == sorted(addresses)
    for number in range(20):
        answers = await asyncio.gather(*(site.push(address, path, f"same-{number}") for address in addresses))
        said = [(answer.status_code, answer.json()["outcome"]) for answer in answers]
        assert set(said) <= {(202, "started"), (200, "duplicate")}
        assert len({answer.json()["builds"][0]["name"] for answer in answers}) == 1
    await site.until_started()
    again = [await site.push(address, path, "same-0") for address in addresses]
    assert [(answer.status_code, answer.json()["outcome"]) for answer in again] == [(200, "duplicate")] * 3

    async def is_told() -> bool:
        return (await site.last())[0] in ("same-0", "same-19")

    await site.until(is_told, "status tells of the newest delivery")
    assert (await site.status())["lastTriggered"]
