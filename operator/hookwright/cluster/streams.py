"""Reads answers of the API server while they come; each wait is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp

from hookwright.errors import ClusterError

# A watch that is silent for so long is taken for dead: load balancers forget connections without a word, and the API
# server sends a bookmark every minute (kubernetes/kubernetes#90249; kopf waits 70 s, nolar/kopf#1267).
SILENCE_SECONDS = 75.0


async def read_some(response: aiohttp.ClientResponse, end: float) -> bytes:
    """Give what has come of a watch; nothing if it is through, or lasts longer than `end`.

    Raises:
        ClusterError: it breaks, or is silent.
    """
    left = end - asyncio.get_running_loop().time()
    if left <= 0:
        return b""
    try:
        async with asyncio.timeout(min(SILENCE_SECONDS, left)):
            return await response.content.readany()
    except TimeoutError:
        if left <= SILENCE_SECONDS:
            return b""
        raise ClusterError("the API server is silent", status=0) from None
    except (OSError, aiohttp.ClientError) as error:
        raise make_absence(error) from error


async def read_pieces(response: aiohttp.ClientResponse, seconds: float) -> AsyncIterator[bytes]:
    """Give an answer piece by piece; `seconds` are for all waiting together, not for what is done with the pieces.

    Raises:
        ClusterError: it breaks, or takes longer.
    """
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            async with asyncio.timeout(seconds):
                data = await response.content.readany()
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise make_absence(error) from error
        if not data:
            return
        seconds -= clock() - began
        yield data


def make_absence(error: Exception) -> ClusterError:
    """Give what the lack of an answer is."""
    return ClusterError(f"the API server does not answer: {type(error).__name__}", status=0)
