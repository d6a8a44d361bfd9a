"""Ports of loopback for tests: some where nobody listens, some to listen on later."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluicegate.embedded.ports import LOOPBACK, free_port


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A port that refuses every connection. It is held, so that no other test or process gets it meanwhile."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield int(held.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that refuses every connection, as long as the test lasts."""
    with nobody_listens() as port:
        yield port


def free_addresses(count: int) -> list[str]:
    """So many different addresses that a server may listen on later, and no outgoing connection takes."""
    ports: list[int] = []
    for _ in range(count):
        ports.append(free_port(frozenset(ports)))
    return [f"{LOOPBACK}:{port}" for port in ports]
