"""Ports of tests are given to one process alone, and to no connection."""

from __future__ import annotations

import socket

from support.ports import FIRST, IN_A_BLOCK, Block, find_port


def test_two_processes_have_no_port_in_common():
    """What one block has, another one that is there at the same time has not."""
    blocks = [Block() for _ in range(5)]
    try:
        ports = [port for block in blocks for port in block.ports]
        assert len(set(ports)) == 5 * (IN_A_BLOCK - 1)
    finally:
        for block in blocks:
            block.close()


def test_port_is_given_once_in_a_while():
    """A port that was given is not given again before all the others, whether its server has started or not."""
    given = [find_port() for _ in range(IN_A_BLOCK // 2)]
    assert len(set(given)) == len(given)
    assert min(given) >= FIRST


def test_port_in_use_is_left_out():
    """A port at which somebody listens is not given."""
    block = Block()
    try:
        with socket.create_server(("127.0.0.1", block.ports[0])):
            assert block.find() == block.ports[1]
    finally:
        block.close()


def test_port_is_free_on_all_addresses():
    """Each port can be listened on wherever a test wants to, the first one too."""
    block = Block()
    try:
        with socket.create_server(("0.0.0.0", block.find())):
            pass
    finally:
        block.close()
