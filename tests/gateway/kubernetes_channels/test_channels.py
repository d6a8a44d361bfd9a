"""Messages of exec and attach: their channel, their record, and what is refused."""

import pytest

from gateway.kubernetes.channels import ConversationError
from tests.gateway.kubernetes_channels.conversations import (
    channel_of,
    conversation,
    printed,
    recorded,
    seen,
    typed,
)


def test_each_stream_is_a_frame_with_its_channel_and_its_exact_size() -> None:
    talk = conversation()
    passings = talk.take(True, b"\0ls\n", False) + talk.take(True, b'\x04{"Width":80,"Height":24}', False)
    passings += talk.take(False, b"\x01file\n", False) + talk.take(False, b"\x02no such\n", False)
    passings += talk.take(True, b"\xff\0", False) + talk.take(False, b'\x03{"status":"Success"}', False)
    assert [(channel_of(p), p.draft.direction, p.draft.body, p.draft.body_bytes) for p in passings] == [
        ("stdin", "request", b"ls\n", 3),
        ("resize", "request", b'{"Width":80,"Height":24}', 24),
        ("stdout", "response", b"file\n", 5),
        ("stderr", "response", b"no such\n", 8),
        ("close", "request", b"stdin", 1),
        ("error", "response", b'{"status":"Success"}', 20),
    ]


def test_what_the_client_sends_passes_byte_for_byte() -> None:
    (passing,) = typed(conversation(), b"export DB_PASSWORD=hunter2xyz\n")
    assert passing.data == b"\0export DB_PASSWORD=hunter2xyz\n"
    assert not passing.to_client
    assert b"hunter2xyz" not in passing.draft.body


def test_the_empty_message_that_opens_a_stream_passes_at_once() -> None:
    (passing,) = conversation().take(False, b"\x01", False)
    assert passing.data == b"\x01"


def test_how_the_process_ended_comes_behind_all_of_its_output() -> None:
    talk = conversation()
    assert talk.take(False, b"\x01DB_PASSWORD=hunter2", False) == []
    passings = talk.take(False, b'\x03{"status":"Success"}', False)
    assert [channel_of(p) for p in passings] == ["stdout", "error"]


@pytest.mark.parametrize(
    ("from_client", "message"),
    [
        (True, b"\x01output of the client"),
        (True, b"\x07"),
        (False, b"\0input of the server"),
        (False, b"\x63x"),
        (True, b'\x04{"Width":99999999,"Height":24}'),
        (True, b'\x04{"Width":80}'),
        (True, b"\x04" + b" " * 300),
        (True, b"\x04[[[["),
        (True, b"\xff"),
        (True, b"\xff\x63"),
    ],
)
def test_what_has_no_meaning_is_refused(from_client: bool, message: bytes) -> None:
    with pytest.raises(ConversationError) as refused:
        conversation().take(from_client, message, False)
    assert refused.value.code == 1002


def test_a_message_above_the_limit_is_refused_as_too_big() -> None:
    with pytest.raises(ConversationError, match="at most 100") as refused:
        conversation(bytes_max=100).take(False, b"\x01" + b"x" * 100, False)
    assert refused.value.code == 1009


def test_an_unknown_subprotocol_is_refused() -> None:
    with pytest.raises(ConversationError, match=r"v9\.channel"):
        conversation("v9.channel.k8s.io").take(False, b"\x01", False)


def test_base64_messages_are_read_and_written_as_such() -> None:
    talk = conversation("base64.channel.k8s.io")
    (asked,) = talk.take(True, b"0bHMK", True)
    assert (asked.draft.body, asked.data, asked.text) == (b"ls\n", b"0bHMK", True)
    (told,) = talk.take(False, b"1REJfUEFTU1dPUkQ9aHVudGVyMnh5ego=", True)
    assert told.draft.body.startswith(b"DB_PASSWORD=[masked:password:")
    assert told.data is not None
    assert told.data[:1] == b"1"
    assert b"aHVudGVy" not in told.data
    with pytest.raises(ConversationError):
        talk.take(True, b"0not base64!", True)


def test_output_that_names_a_secret_waits_for_its_end_and_other_output_does_not() -> None:
    talk = conversation(tty=True)
    assert seen(talk.take(False, b"\x01user@pod:~$ ", False)) == b"user@pod:~$ "
    assert talk.quiet_seconds is None
    assert talk.take(False, b"\x01DB_PASSWORD=hunt", False) == []
    assert talk.quiet_seconds is not None
    assert talk.quiet_seconds <= 0.05
    passings = printed(talk, b"er2xyz\r\n")
    assert b"hunt" not in seen(passings)
    assert b"hunt" not in recorded(passings, "stdout")
