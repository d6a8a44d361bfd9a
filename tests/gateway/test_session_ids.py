"""Session ids: the same on every replica, another for every other conversation."""

from __future__ import annotations

import itertools
import subprocess
import sys
from uuid import UUID

from gateway.sessions import Principal, anonymous, session_id

ALICE = Principal("https://issuer", "alice", "jti-1", groups=("sre",), client_id="agent")


def test_a_session_id_is_a_uuid_that_never_changes() -> None:
    name = session_id("demo", ALICE, "s-1")
    assert name == "91f2f094-2b35-8edc-9ad5-110dda5a9548"
    assert (UUID(name).version, str(UUID(name))) == (8, name)


def test_every_process_gives_the_same_id() -> None:
    code = (
        "from gateway.sessions import Principal, session_id;"
        "print(session_id('demo', Principal('https://issuer', 'alice', 'jti-1'), 's-1'))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert said.stdout.strip() == session_id("demo", ALICE, "s-1")


def test_what_tells_one_conversation_from_another_is_in_it_and_nothing_else() -> None:
    several = [
        session_id("demo", ALICE, "s-1"),
        session_id("other", ALICE, "s-1"),
        session_id("demo", ALICE, "s-2"),
        session_id("demo", ALICE, ""),
        session_id("demo", Principal("https://other", "alice", "jti-1"), "s-1"),
        session_id("demo", Principal("https://issuer", "bob", "jti-1"), "s-1"),
        session_id("demo", Principal("https://issuer", "alice", "jti-2"), "s-1"),
    ]
    assert len(set(several)) == len(several)
    regrouped = Principal("https://issuer", "alice", "jti-1", groups=("dev",), client_id="other")
    assert session_id("demo", regrouped, "s-1") == several[0]


def test_parts_cannot_be_moved_over_their_borders() -> None:
    ids = {
        session_id(a, Principal(b, c, d), e)
        for a, b, c, d, e in itertools.permutations(["", "a", "aa", "b", "ab"])
    }
    assert len(ids) == 120


def test_an_anonymous_conversation_is_told_apart_by_address_agent_and_day() -> None:
    callers = [
        anonymous("127.0.0.1", "agent/1", "2026-08-01"),
        anonymous("127.0.0.2", "agent/1", "2026-08-01"),
        anonymous("127.0.0.1", "agent/2", "2026-08-01"),
        anonymous("127.0.0.1", "agent/1", "2026-08-02"),
    ]
    assert len({session_id("demo", caller, "") for caller in callers}) == 4
    assert {caller.subject for caller in callers} == {"anonymous"}
