"""The User-Agent towards upstream names the exchange, once, and nobody else can."""

import pytest

from gateway.frames.user_agent import with_exchange

ID = "019470b7-0000-7000-8000-000000000001"
OURS = b"sluicegate-exchange/" + ID.encode()


@pytest.mark.parametrize(
    ("sent", "towards_upstream"),
    [
        (b"", OURS),
        (b"claude/1.0 (linux)", b"claude/1.0 (linux) " + OURS),
        (b"sluicegate-exchange/forged", OURS),
        (b"a/1 sluicegate-exchange/forged b/2", b"a/1 b/2 " + OURS),
        (b"a/1  sluicegate-exchange/one sluicegate-exchange/two", b"a/1 " + OURS),
        (b"not-sluicegate-exchange/x", b"not-sluicegate-exchange/x " + OURS),
    ],
)
def test_the_exchange_stands_at_the_end_alone(sent: bytes, towards_upstream: bytes) -> None:
    assert with_exchange(sent, ID) == towards_upstream
    assert with_exchange(towards_upstream, ID) == towards_upstream
