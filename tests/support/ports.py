"""Ports for servers that tests start, which nobody else takes between the choice and the server's start.

A port that the kernel has just given is free for everybody again: on a machine that runs several tests at the same
time, another one may be given it while the server is still starting. So each process of tests has ports of its own.
They are not among those that Linux gives of itself, to listeners or to outgoing connections (from 32768 on).
"""

from __future__ import annotations

import itertools
import random
import socket
from functools import cache

FIRST, BLOCKS, IN_A_BLOCK = 20_000, 50, 200
# Where a block is claimed, by its first port; servers listen elsewhere.
CLAIMS = "127.255.255.254"


class Block:
    """Ports that are its owner's alone until it is closed."""

    def __init__(self) -> None:
        trouble = None
        for number in random.sample(range(BLOCKS), BLOCKS):
            self._claim = socket.socket()
            first = FIRST + number * IN_A_BLOCK
            # Where it is claimed nobody can listen on all addresses.
            self.ports = range(first + 1, first + IN_A_BLOCK)
            try:
                self._claim.bind((CLAIMS, first))
                self._claim.listen()
            except OSError as error:
                trouble = error
                self._claim.close()
            else:
                self._turn = itertools.cycle(self.ports)
                return
        raise RuntimeError(f"no block of ports is to be had at {CLAIMS}: other tests have them all?") from trouble

    def find(self) -> int:
        """Give a port at which nobody listens; it is given again only after all the others were."""
        for port in itertools.islice(self._turn, IN_A_BLOCK):
            if _is_free(port):
                return port
        raise RuntimeError("all ports of this process are in use")

    def close(self) -> None:
        """Give the ports up."""
        self._claim.close()


@cache
def _own() -> Block:
    return Block()


def find_port() -> int:
    """Give a port of this process's own on loopback, at which nobody listens."""
    return _own().find()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that are over for a minute hinder none of them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
