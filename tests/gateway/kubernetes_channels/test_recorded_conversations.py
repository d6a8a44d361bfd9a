"""Real conversations pass as they are, and every byte of them is on a frame."""

import pytest

from gateway.kubernetes.channels_spdy import SUBPROTOCOL
from tests.gateway.kubernetes_channels.conversations import attributes_of, channel_of
from tests.gateway.kubernetes_channels.recorded import Recorded, recorded


@pytest.mark.parametrize("talk", recorded(), ids=lambda talk: f"{talk.subresource} {talk.query}"[:60])
@pytest.mark.parametrize("from_client", [True, False])
def test_what_holds_no_secret_arrives_byte_for_byte(talk: Recorded, from_client: bool) -> None:
    arrived = b"".join(p.data for p in talk.passings() if p.data and p.to_client != from_client)
    assert arrived == talk.sent(from_client=from_client)


def test_the_frames_of_a_real_exec_name_their_channels() -> None:
    environment = recorded()[0]
    frames = [(channel_of(p), p.draft.body_bytes) for p in environment.passings()]
    assert frames == [("stdout", 0), ("stdout", 3), ("stdout", 173), ("error", 34)]


def test_closing_stdin_is_recorded_as_that() -> None:
    cat = recorded()[1]
    assert [(channel_of(p), p.draft.body) for p in cat.passings()] == [
        ("stdout", b""),
        ("stdin", b"hi\n"),
        ("close", b"stdin"),
        ("stdout", b"hi\n"),
    ]


def test_a_real_port_forward_of_kubectl_is_read_frame_by_frame() -> None:
    talk = next(talk for talk in recorded() if talk.subprotocol == SUBPROTOCOL)
    frames = [
        (p.to_client, channel_of(p), attributes_of(p).get("spdy.frame", "DATA")) for p in talk.passings()
    ]
    assert frames == [
        (False, "port:8080/error/1", "SYN_STREAM"),
        (True, "port:8080/error/1", "SYN_REPLY"),
        (False, "port:8080/error/1", "DATA"),
        (False, "port:8080/data/3", "SYN_STREAM"),
        (True, "port:8080/data/3", "SYN_REPLY"),
        (False, "port:8080/data/3", "DATA"),
        (True, "port:8080/data/3", "DATA"),
        (False, "port:8080/data/3", "DATA"),
        (True, "port:8080/data/3", "DATA"),
        (True, "port:8080/error/1", "DATA"),
    ]
    bodies = [p.draft.body for p in talk.passings()]
    assert sorted(bodies[0].splitlines()) == [b"port: 8080", b"requestid: 0", b"streamtype: error"]
    assert bodies[5].startswith(b"GET / HTTP/1.1\r\n")
    assert bodies[6].startswith(b"HTTP/1.0 200 OK\r\n")


def test_a_real_port_forward_of_the_python_client_names_its_port() -> None:
    talk = recorded()[-1]
    channels = [(channel_of(p), p.draft.body[:12]) for p in talk.passings()]
    assert channels == [
        ("port:8080/data", b"8080"),
        ("port:8080/error", b"8080"),
        ("port:8080/data", b"GET / HTTP/1"),
        ("port:8080/data", b"HTTP/1.0 200"),
    ]
