"""The pod's own token: read again in time, whatever the wall clock does, and kept when it cannot be read."""

from __future__ import annotations

import pytest
from kubernetes.aio.client import Configuration

from hookwright.cluster.own_token import READ_SECONDS, OwnToken


class Scene:
    """A token in a file, a configuration that uses it, and a clock to turn."""

    def __init__(self, file):
        self.file, self.now = file, 1000.0
        self.configuration = Configuration()
        self.configuration.api_key["BearerToken"] = "bearer loaded"
        self.configuration.refresh_api_key_hook = OwnToken(file, clock=lambda: self.now).refresh
        file.write_text("first")

    async def sent(self):
        return (await self.configuration.auth_settings())["BearerToken"]["value"]


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path / "token")


async def test_token_is_sent(scene):
    """What stands in the file is sent, without the end of its line."""
    scene.file.write_text("first\n")
    assert await scene.sent() == "bearer first"


async def test_new_token_is_used_within_a_minute(scene):
    """A token that the kubelet has replaced is sent once the last look is a minute old, and not looked for before."""
    await scene.sent()
    scene.file.write_text("second")
    scene.now += READ_SECONDS - 1
    assert await scene.sent() == "bearer first"
    scene.now += 1
    assert await scene.sent() == "bearer second"


@pytest.mark.parametrize("break_it", [lambda file: file.unlink(), lambda file: file.write_text("\n")])
async def test_file_that_is_gone_or_empty_changes_nothing(scene, break_it):
    """While there is no token in the file the last one is sent; a new one is found as soon as it is there."""
    await scene.sent()
    break_it(scene.file)
    scene.now += READ_SECONDS
    assert await scene.sent() == "bearer first"
    scene.file.write_text("second")
    assert await scene.sent() == "bearer second"
