"""Port-forwards: what is recorded of a tunnel, that it passes unchanged, and what is refused."""

import itertools
import os
import zlib
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.kubernetes.channels import Conversation, ConversationError, Passing
from gateway.kubernetes.channels_spdy import STREAMS_MAX, SUBPROTOCOL
from gateway.kubernetes.spdy_dictionary import DICTIONARY
from gateway.kubernetes.spdy_headers import BLOCK_BYTES_MAX
from tests.gateway.kubernetes_channels.conversations import attributes_of, channel_of, conversation
from tests.gateway.kubernetes_channels.spdy_peer import Peer, control, data

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\nDB_PASSWORD=hunter2xyzzy\nok\n\n"


def tunnel() -> Conversation:
    """One port-forward as kubectl asks for it."""
    return conversation(SUBPROTOCOL, subresource="portforward")


def sent(talk: Conversation, *messages: bytes, from_client: bool = True) -> list[Passing]:
    """What becomes of these messages of one side."""
    return [p for message in messages for p in talk.take(from_client, message, False)]


def test_the_dictionary_is_the_one_of_the_specification() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_a_tunnel_passes_unchanged_and_is_recorded_masked() -> None:
    talk = tunnel()
    sent(talk, Peer().open(1))
    passings = sent(talk, data(1, ANSWER), from_client=False)
    assert b"".join(p.data or b"" for p in passings) == data(1, ANSWER)
    (frame,) = [p.draft for p in passings]
    assert b"hunter2" not in frame.body
    assert b"DB_PASSWORD=[masked:password:" in frame.body
    assert (frame.direction, frame.body_bytes, channel_of(passings[0])) == (
        "response",
        len(ANSWER),
        "port:8080/data/1",
    )


def test_of_what_is_no_text_size_and_digest_are_recorded() -> None:
    talk = tunnel()
    sent(talk, Peer().open(1))
    noise = b"\x16\x03\x01" + os.urandom(500) + b"\0"
    (passing,) = sent(talk, data(1, noise))
    assert (passing.draft.body, passing.draft.body_bytes) == (b"", len(noise))
    assert attributes_of(passing)["k8s.body.sha256"] == sha256(noise).hexdigest()


def test_a_secret_in_two_data_frames_is_not_whole_on_the_record() -> None:
    for cut in range(1, len(ANSWER)):
        talk = tunnel()
        sent(talk, Peer().open(1))
        passings = sent(talk, data(1, ANSWER[:cut]), data(1, ANSWER[cut:]), from_client=False)
        assert b"hunter2xyzzy" not in b"".join(p.draft.body for p in passings)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_frames_are_found_wherever_messages_cut_them(chosen: st.DataObject) -> None:
    peer = Peer()
    text = b"".join(
        [
            peer.open(1, kind="error"),
            data(1, b"", fin=True),
            peer.open(3),
            data(3, b"GET / HTTP/1.1\r\n\r\n"),
            control(6, b"\0\0\0\1"),
            control(9, b"\0\0\0\3\0\0\x40\0"),
            data(3, b"x" * 300, fin=True),
            control(3, b"\0\0\0\3\0\0\0\5"),
            control(7, bytes(8)),
        ]
    )
    cuts = sorted(chosen.draw(st.lists(st.integers(0, len(text)), max_size=30)))
    places = [0, *cuts, len(text)]
    passings = sent(tunnel(), *(text[a:b] for a, b in itertools.pairwise(places)))
    assert b"".join(p.data or b"" for p in passings) == text
    kinds = [attributes_of(p)["spdy.frame"] for p in passings if "spdy.frame" in attributes_of(p)]
    assert kinds == ["SYN_STREAM", "SYN_STREAM", "PING", "WINDOW_UPDATE", "RST_STREAM", "GOAWAY"]
    of_data = [
        p for p in passings if channel_of(p) == "port:8080/data/3" and "spdy.frame" not in attributes_of(p)
    ]
    assert sum(p.draft.body_bytes for p in of_data) == 318


def test_a_stream_that_both_sides_have_ended_is_forgotten() -> None:
    talk, peer = tunnel(), Peer()
    for number in range(1, 2 * STREAMS_MAX + 3, 2):
        sent(talk, peer.open(number), data(number, b"", fin=True))
        sent(talk, data(number, b"", fin=True), from_client=False)
    (late,) = sent(talk, data(1, b"late"), from_client=False)
    assert channel_of(late) == "stream/1"


def hostile() -> list[tuple[str, bytes]]:
    """What no peer of good will sends."""
    peer = Peer()
    bomb = Peer().deflated(
        b"\0\0\0\1" + (2 * BLOCK_BYTES_MAX).to_bytes(4, "big") + bytes(2 * BLOCK_BYTES_MAX)
    )
    many = Peer().deflated((1 << 31).to_bytes(4, "big"))
    short = Peer().deflated(b"\0\0\0\1\xff\xff\xff\xff")
    twice = Peer().deflated(b"\0\0\0\2" + b"\0\0\0\1a\0\0\0\1b" * 2)
    head = b"\0\0\0\1" + bytes(6)
    return [
        ("another version", b"\x80\x02\0\1\0\0\0\x0a" + bytes(10)),
        ("an unknown type", control(77, bytes(8))),
        ("a control frame too large", b"\x80\x03\0\1\0\xff\xff\xff"),
        ("a control frame too small", control(1, b"\0\0")),
        ("a zlib bomb", control(1, head + bomb)),
        ("too many headers", control(1, head + many)),
        ("a header block that breaks off", control(1, head + short)),
        ("a header twice", control(1, head + twice)),
        ("no zlib", control(1, head + b"plain text")),
        ("no port", Peer().open(1, port="")),
        ("a port too high", Peer().open(1, port="70000")),
        ("a port in other digits", Peer().open(1, port="٣")),
        ("a stream of no kind", Peer().open(1, kind="audio")),
        ("a stream twice", peer.open(1) + peer.open(1)),
    ]


@pytest.mark.parametrize(("name", "frames"), hostile(), ids=[name for name, _ in hostile()])
def test_what_is_no_port_forward_is_refused(name: str, frames: bytes) -> None:
    with pytest.raises(ConversationError) as refused:
        sent(tunnel(), frames)
    assert refused.value.code == 1002
    assert str(refused.value)


def test_more_streams_than_are_taken_are_refused() -> None:
    talk, peer = tunnel(), Peer()
    for number in range(1, 2 * STREAMS_MAX + 1, 2):
        sent(talk, peer.open(number))
    with pytest.raises(ConversationError, match=str(STREAMS_MAX)):
        sent(talk, peer.open(2 * STREAMS_MAX + 1))


def test_a_text_message_is_refused() -> None:
    with pytest.raises(ConversationError) as refused:
        tunnel().take(True, b"hello", True)
    assert refused.value.code == 1003


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_pass_or_are_refused(noise: bytes) -> None:
    talk = tunnel()
    try:
        passings = sent(talk, noise)
    except ConversationError:
        return
    assert noise.startswith(b"".join(p.data or b"" for p in passings))


def test_the_older_form_names_its_port_before_anything_else() -> None:
    talk = conversation("v4.channel.k8s.io", subresource="portforward")
    with pytest.raises(ConversationError, match="named its port"):
        talk.take(True, b"\0GET /", False)
    opened = sent(talk, b"\0\x90\x1f", b"\1\x90\x1f", b"\2\xb8\x22", b"\3\xb8\x22", from_client=False)
    assert [channel_of(p) for p in opened] == [
        "port:8080/data",
        "port:8080/error",
        "port:8888/data",
        "port:8888/error",
    ]
    (asked,) = sent(talk, b"\2SELECT 1")
    assert (channel_of(asked), asked.draft.body, asked.data) == ("port:8888/data", b"SELECT 1", b"\2SELECT 1")
    (told,) = sent(talk, b"\0" + ANSWER, from_client=False)
    assert told.data == b"\0" + ANSWER
    assert b"hunter2" not in told.draft.body
