"""What belongs to whom: by principal and connection, not by token, and with an end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.belonging import STATE_SECONDS, Seals
from gateway.effects import Request
from gateway.law import Opened
from gateway.refusals import Refused
from gateway.sessions import Principal

KEY = bytes(range(32))
ALICE, BOB = Principal("https://id", "alice", "t1"), Principal("https://id", "bob", "t2")
NAMESAKE = Principal("https://other", "alice", "t1")


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seals(clock: Clock) -> Seals:
    return Seals(KEY, "files", clock)


def request(**params: Any) -> Request:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    return Request("POST", "/mcp/files", "", [], body, "127.0.0.1:1", "")


def given(seals: Seals, state: str) -> str:
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"requestState": state}}).encode()
    return str(json.loads(seals.sealed(answer, ALICE, event=False))["result"]["requestState"])


def test_a_session_is_its_principals_on_its_connection_whatever_the_token(seals: Seals) -> None:
    bound = seals.bind("s-1", ALICE)
    renewed = Principal(ALICE.issuer, ALICE.subject, "another token", ("new group",))
    assert seals.unbind(bound, ALICE) == seals.unbind(bound, renewed) == "s-1"
    assert [seals.unbind(bound, other) for other in (BOB, NAMESAKE)] == [None, None]
    assert seals.unbind("s-1", ALICE) is None
    assert Seals(KEY, "other").unbind(bound, ALICE) is None
    assert Seals(KEY[::-1], "files").unbind(bound, ALICE) is None
    assert Seals(KEY, "files").unbind(bound, ALICE) == "s-1", "on every replica"


def test_a_state_comes_back_as_it_was_until_it_has_ended(seals: Seals, clock: Clock) -> None:
    sealed = given(seals, "mine")
    clock.now += STATE_SECONDS
    opened = seals.opened(request(name="t", requestState=sealed), ALICE)
    assert isinstance(opened, Opened)
    assert json.loads(opened.body)["params"]["requestState"] == "mine"
    clock.now += 1
    ended = seals.opened(request(name="t", requestState=sealed), ALICE)
    assert isinstance(ended, Refused)
    assert ended.reason_code == "request_state_invalid"


@pytest.mark.parametrize("who", [BOB, NAMESAKE])
def test_a_state_of_somebody_else_is_refused(seals: Seals, who: Principal) -> None:
    refused = seals.opened(request(name="t", requestState=given(seals, "mine")), who)
    assert isinstance(refused, Refused)
    assert refused.reason_code == "request_state_invalid"


def test_what_names_nothing_of_anybody_passes_as_the_same_bytes(seals: Seals) -> None:
    plain = request(name="t", arguments={"a": [1, 2]})
    opened = seals.opened(plain, BOB)
    assert isinstance(opened, Opened)
    assert opened.body is plain.body
    answer = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
    assert seals.sealed(answer, BOB, event=False) is answer
