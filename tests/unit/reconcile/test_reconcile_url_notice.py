"""A URL that becomes another is announced, once, with what becomes of the old one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reconcile_world import ROOT_KEY, TRIGGER, WEBHOOK, Bench

from hookwright.cluster import EVENTS

PROVIDER = {"source": {"repository": "octo/hello", "provider": "GitHub"}}
NEW = b"n" * 32


@pytest.fixture
async def bench():
    """Both kinds, each with its URL."""
    bench = Bench()
    bench.put_secret()
    bench.put_target(status=None, **PROVIDER)
    bench.put_webhook()
    await look(bench)
    return bench


async def look(bench):
    for key in (TRIGGER, WEBHOOK):
        await bench.look(key)


def urls(bench):
    return bench.status(WEBHOOK)["url"], bench.status(TRIGGER)["payloadUrl"]


def notices(bench):
    """Give kind, type and message of each Kubernetes Event of a URL."""
    found = (event for event in bench.cluster.all(EVENTS) if event["reason"] == "UrlChanged")
    return [(event["involvedObject"]["kind"], event["type"], event["message"]) for event in found]


async def test_first_url_is_no_change(bench):
    """An object that gets its URL, and one that keeps it, have none."""
    await look(bench)
    assert notices(bench) == []


@pytest.mark.parametrize(
    ("keys", "kind", "fate"),
    [([NEW], "Warning", "the old URL answers 404"), ([NEW, ROOT_KEY], "Normal", "the old URL works until")],
)
async def test_url_of_another_root_key_is_announced(bench, keys, kind, fate):
    """Where the key of the old URL is gone it is a warning; where it is still known it says how long the old works."""
    before = urls(bench)
    bench.world.root_keys.put(keys)
    await look(bench)
    await look(bench)
    assert not set(before) & set(urls(bench))
    assert [(of, type_) for of, type_, _ in notices(bench)] == [("BuildTrigger", kind), ("Webhook", kind)]
    for (_, _, message), member in zip(notices(bench), ("status.payloadUrl", "status.url"), strict=True):
        assert message.startswith(f"{member} has changed: if the old URL was entered at a sender, enter this one")
        assert fate in message
        assert "https://" not in message


async def test_url_at_another_address_is_announced(bench):
    """Where only the address before it is another, the old URL is not said to be dead."""
    settings = bench.world.settings.model_copy(update={"public_url": "https://other.example.com"})
    bench.world = replace(bench.world, settings=settings)
    await look(bench)
    assert [(type_, "the address" in message) for _, type_, message in notices(bench)] == [("Normal", True)] * 2


async def test_trigger_that_loses_its_provider_announces_no_url(bench):
    """A BuildTrigger that takes deliveries no more has no URL to enter."""
    bench.put_target(source={"repository": "octo/hello"})
    await look(bench)
    assert "payloadUrl" not in bench.status(TRIGGER)
    assert notices(bench) == []


@pytest.mark.parametrize(
    "written",
    [
        *("enter me", "", "/hooks/", "https://hooks.example.com/hooks/a", "https://other.example.com/" + "a" * 32),
        *("https://hooks.example.com/hooks/" + "a" * 33, "https://hooks.example.com/hooks/" + "a" * 32 + "\n", 1, {}),
        "https://hooks.example.com/hooks/" + "ä" * 32,
    ],
)
async def test_what_was_no_url_has_not_changed(bench, written):
    """A status that a stranger has written is put right, and of what cannot have been a URL of ours nothing is said."""
    right = urls(bench)
    bench.put_webhook(status={**bench.status(WEBHOOK), "url": written})
    await look(bench)
    assert urls(bench) == right
    assert notices(bench) == []
