"""The User-Agent towards upstream names the exchange, once, and nobody else can."""

import pytest

from gateway.frames.user_agent import caused_by, with_exchange, without_exchange

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


OTHER = "019470b7-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("came", "cause"),
    [
        (b"", ""),
        (b"kubectl/v1.36.0 (linux/amd64) kubernetes/f78e722", ""),
        (OURS, ID),
        (b"kubernetes-mcp-server/v0.0.67 (linux/amd64) " + OURS, ID),
        (b"server/1 (agent/2; " + OURS + b")", ID),
        (b"server/1 sluicegate-exchange/" + OTHER.encode() + b" b/2 " + OURS, ID),  # the nearest
        (b"server/1 sluicegate-exchange/forged", ""),
        (b"server/1 " + OURS + b"0", ""),
        (b"server/1 " + OURS.upper(), ""),
        (b"not-" + OURS, ""),
        (b"server/1 " + OURS + b"/x", ""),
    ],
)
def test_a_request_says_which_exchange_caused_it(came: bytes, cause: str) -> None:
    assert caused_by(came) == cause


def test_the_program_is_the_same_whatever_caused_the_request() -> None:
    server = b"kubernetes-mcp-server/v0.0.67 (linux/amd64)"
    assert without_exchange(server + b" " + OURS) == server == without_exchange(server)
    assert without_exchange(OURS) == b""
