"""The life of a WebSocket as plays: what is asked for, in which order, whatever happens. No I/O, no clock."""

from __future__ import annotations

import pytest

from gateway.effects import (
    Accept,
    Broken,
    CloseSocket,
    Connect,
    Effect,
    Ended,
    Fact,
    Gone,
    Head,
    Joined,
    Message,
    Messages,
    Note,
    Quiet,
    ReadBody,
    ReadMessages,
    Request,
    SendMessage,
)
from gateway.frames.headers import Headers
from gateway.settings import ConnectionKind
from tests.gateway.playbook import PSEUDONYM, SECRET, Playbook, Saw, Told, frame, noted, recorded
from tests.gateway.sockets.conftest import EXEC, STDIN, STDOUT, SUCCESS, V5

HEADERS: Headers = [
    (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-protocol", V5.encode()),
    (b"kubectl-command", b"kubectl exec"),
]
STATUS = b'{"kind":"Status","code":403}'
READ = ReadMessages(None)
EXEC_FACTS = {
    "k8s.verb": "get",
    "k8s.objectRef.apiVersion": "v1",
    "k8s.objectRef.resource": "pods",
    "k8s.objectRef.namespace": "prod",
    "k8s.objectRef.name": "web-1",
    "k8s.objectRef.subresource": "exec",
    "kubectl.command": "kubectl exec",
}


def opening(query: str = "command=sh&stdin=true") -> Request:
    """The handshake of an exec."""
    return Request(
        "GET",
        f"/k8s/kube{EXEC}?{query}",
        query,
        list(HEADERS),
        b"",
        "127.0.0.1:5000",
        "tests",
        target=EXEC,
        subprotocols=(V5,),
    )


def asked() -> Playbook:
    """An exec in a cluster."""
    return Playbook(opening(), kind=ConnectionKind.KUBERNETES)


def opened() -> Playbook:
    """A WebSocket that both sides have taken."""
    return (
        asked()
        << recorded(frame("request", outcome="pending", http_method="GET"))
        >> True
        << Saw(Connect, fields={"target": EXEC, "subprotocols": (V5,)})
        >> Joined(V5, [(b"audit-id", b"1")])
        << recorded(frame("response", http_status=101, outcome="pending"))
        >> True
        << Accept(V5)
    )


def channel(name: str) -> dict[str, str]:
    """The attributes of a message's frame."""
    return {**EXEC_FACTS, "credential.id": "jti-1", "k8s.channel": name, "websocket.subprotocol": V5}


def client_says(*messages: bytes) -> Messages:
    """What came on stdin."""
    return Messages([Message(True, STDIN + each, False) for each in messages])


def upstream_says(*messages: bytes) -> Messages:
    """What came on stdout."""
    return Messages([Message(False, STDOUT + each, False) for each in messages])


def end(outcome: str, reason_code: str = "") -> dict[str, object]:
    """The terminal frame."""
    return dict(frame("end", outcome=outcome, reason_code=reason_code))


def test_the_request_is_recorded_before_upstream_is_dialled_and_gets_no_header_of_the_handshake() -> None:
    play = asked() << recorded(frame("request")) >> True << Saw(Connect)
    assert isinstance(play.effect, Connect)
    assert play.effect.headers == [(b"kubectl-command", b"kubectl exec")]


def test_without_a_record_of_the_request_upstream_is_not_dialled() -> None:
    play = asked() << recorded(frame("request")) >> False
    assert play << noted(end("refused", "audit_unavailable")) << Told("audit_unavailable")


def test_messages_are_recorded_then_passed_on() -> None:
    assert (
        opened()
        << READ
        >> client_says(b"ls\n")
        << recorded(frame("request", body=b"ls\n", attributes=channel("stdin")))
        >> True
        << SendMessage(False, STDIN + b"ls\n", False)
        << READ
        >> upstream_says(b"a\n")
        << recorded(frame("response", body=b"a\n", attributes=channel("stdout")))
        >> True
        << SendMessage(True, STDOUT + b"a\n", False)
        << READ
        >> Ended(True, 1000, "bye")
        << recorded(end("completed"))
        >> True
        << CloseSocket(1000, "bye")
    )


def test_messages_that_wait_together_go_into_one_record_and_pass_in_order() -> None:
    both = Messages([Message(True, STDIN + b"a", False), Message(False, STDOUT + b"b\n", False)])
    assert (
        opened()
        << READ
        >> both
        << recorded(frame("request", body=b"a"), frame("response", body=b"b\n"))
        >> True
        << SendMessage(False, STDIN + b"a", False)
        << SendMessage(True, STDOUT + b"b\n", False)
        << READ
        >> Gone()
        << noted(end("client_gone", "client_gone"))
        << CloseSocket(1001, "")
    )


def test_a_message_whose_record_is_not_acknowledged_does_not_pass() -> None:
    play = opened() << READ >> client_says(b"rm -rf /\n") << recorded(frame("request")) >> False
    assert play << noted(end("withheld", "result_withheld")) << Saw(CloseSocket, fields={"code": 1011})


def test_a_handshakes_answer_whose_record_is_not_acknowledged_is_withheld() -> None:
    play = asked() << recorded(frame("request")) >> True << Saw(Connect) >> Joined(V5, [])
    play = play << recorded(frame("response")) >> False
    assert play << noted(end("withheld", "result_withheld")) << Told("result_withheld")


def test_what_upstream_says_is_masked_for_the_client_and_what_the_client_says_for_the_record_alone() -> None:
    assert (
        opened()
        << READ
        >> client_says(SECRET + b"\n")
        << recorded(frame("request", body=PSEUDONYM + b"\n"))
        >> True
        << SendMessage(False, STDIN + SECRET + b"\n", False)
        << READ
        >> upstream_says(SECRET + b"\n")
        << recorded(frame("response", body=PSEUDONYM + b"\n"))
        >> True
        << SendMessage(True, STDOUT + PSEUDONYM + b"\n", False)
        << READ
        >> Gone()
        << noted(end("client_gone", "client_gone"))
        << CloseSocket(1001, "")
    )


def test_what_is_held_back_passes_when_nothing_follows() -> None:
    play = opened() << READ >> upstream_says(b"password: hun")
    passed = b""
    while not passed.endswith(b"hun"):
        effect = play.effect
        assert effect is not None
        fact, more = _answer(effect)
        passed += more
        play._next(fact)
    assert passed == b"password: hun"


def _answer(effect: Effect) -> tuple[Fact, bytes]:
    """The fact that answers an effect, and what it gives the client."""
    if isinstance(effect, ReadMessages):
        assert effect.quiet_seconds is not None  # something is held back
        return Quiet(), b""
    if isinstance(effect, SendMessage):
        return None, effect.data[1:]
    return True, b""


@pytest.mark.parametrize(
    ("fact", "outcome", "reason_code", "code"),
    [
        (Broken("withheld", "session_killed", "an incident"), "withheld", "session_killed", 1008),
        (Broken("withheld", "token_expired", ""), "withheld", "token_expired", 1008),
        (Broken("upstream_failed", "gateway_stopping", ""), "upstream_failed", "gateway_stopping", 1012),
        (Broken("timed_out", "socket_idle", "14400 s"), "timed_out", "socket_idle", 1001),
        (Ended(True, 1006, ""), "client_gone", "client_gone", 1001),
        (Ended(True, 1005, ""), "completed", "", 1005),
        (Ended(False, 1006, ""), "upstream_failed", "upstream_broke", 1011),
        (Ended(False, 1011, "x"), "completed", "", 1011),
        (Ended(True, 1009, "", "too big"), "client_gone", "socket_broke", 1011),
        (Ended(False, 1002, "", "no frame"), "upstream_failed", "socket_broke", 1011),
    ],
)
def test_each_end_has_its_record_and_its_code(fact: Fact, outcome: str, reason_code: str, code: int) -> None:
    play = opened() << READ >> fact
    if isinstance(fact, Ended):
        play = play << recorded(end(outcome, reason_code)) >> True
    else:
        play = play << noted(end(outcome, reason_code))
    assert play << Saw(CloseSocket, fields={"code": code})


def test_no_close_behind_the_commands_status_is_a_good_end() -> None:
    play = opened() << READ >> Messages([Message(False, SUCCESS, False)])
    play = play << recorded(frame("response", attributes=channel("error"))) >> True
    play = play << SendMessage(True, SUCCESS, False) << READ >> Ended(False, 1006, "")
    assert play << recorded(end("completed")) >> True << CloseSocket(1000, "")


def test_a_secret_in_upstreams_reason_reaches_neither_client_nor_record() -> None:
    play = opened() << READ >> Ended(False, 1000, SECRET.decode())
    play = play << recorded(frame("end", outcome="completed")) >> True
    assert isinstance(play.effect, CloseSocket)
    assert play << CloseSocket(1000, PSEUDONYM.decode())


def test_a_message_that_cannot_be_read_ends_it_and_does_not_pass() -> None:
    play = opened() << READ >> Messages([Message(True, b"\x07what", False)])
    assert play << noted(end("withheld", "socket_broke")) << Saw(CloseSocket, fields={"code": 1002})


def test_a_refused_handshake_passes_with_its_status_and_body() -> None:
    play = asked() << recorded(frame("request")) >> True << Saw(Connect)
    play = play >> Head(403, [(b"content-type", b"application/json")]) << ReadBody() >> STATUS
    play = play << recorded(frame("response", http_status=403, outcome="completed", body=STATUS)) >> True
    assert getattr(play.effect, "status", 0) == 403
    assert getattr(play.effect, "body", b"") == STATUS


def test_upstream_that_cannot_be_reached_is_told_by_status() -> None:
    play = asked() << recorded(frame("request")) >> True << Saw(Connect)
    play = play >> Broken("upstream_failed", "upstream_unreachable", "", sent=False)
    assert (
        play
        << recorded(end("upstream_failed", "upstream_unreachable"))
        >> True
        << Told("upstream_unreachable")
    )


def test_what_was_held_back_when_it_ends_is_on_the_record_and_goes_no_further() -> None:
    half = b"token=ghp_0123456789"
    play = opened() << READ >> upstream_says(half)
    while not isinstance(play.effect, ReadMessages):
        play = play >> True
    assert play.effect.quiet_seconds, "half a secret may follow"
    play = play >> Broken("withheld", "principal_blocked", "", sent=True)
    assert isinstance(play.effect, Note)
    (left,) = play.effect.frames
    assert (left.direction, left.facts["attributes"]) == ("response", channel("stdout"))
    assert left.body
    play = play >> None
    assert play << noted(end("withheld", "principal_blocked")) << Saw(CloseSocket)
