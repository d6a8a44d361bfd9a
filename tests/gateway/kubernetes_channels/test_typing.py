"""What a client types: it passes unchanged, and its record does not put a secret together."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.kubernetes_channels.conversations import conversation, recorded, seen, typed

TOKEN = b"ghp_9fK2mQ7vR4tY8wZ1aB3cD5eF6gH0jL2nP4qS"


def keys(text: bytes) -> list[bytes]:
    """One message a key stroke."""
    return [bytes((key,)) for key in text]


def test_key_strokes_are_recorded_as_they_are_typed() -> None:
    passings = typed(conversation(tty=True), *keys(b"ls -l\r"))
    assert [p.draft.body for p in passings] == keys(b"ls -l\r")
    assert [p.data for p in passings] == [b"\0" + key for key in keys(b"ls -l\r")]


@pytest.mark.parametrize(
    ("line", "secret", "shown"),
    [
        (b"export DB_PASSWORD=hunter2xyzzy\r", b"hunter2xyzzy", b"export DB_PASSWORD=************\r"),
        (b"git push https://x:" + TOKEN + b"@example.com\r", TOKEN[4:], b"git push https://x:ghp_"),
        (
            b"curl -H 'Authorization: Bearer abcdef0123456789'\r",
            b"abcdef0123456789",
            b"curl -H 'Authorization: Bearer ",
        ),
        (b"mysql --password=s3cret!pass db\r", b"s3cret!pass", b"mysql --password=*********** db\r"),
    ],
)
def test_a_secret_typed_key_by_key_is_not_on_the_record(line: bytes, secret: bytes, shown: bytes) -> None:
    passings = typed(conversation(tty=True), *keys(line))
    record = recorded(passings, "stdin")
    assert secret not in record
    assert secret[2:] not in record
    assert record.startswith(shown)
    assert b"".join((p.data or b"")[1:] for p in passings) == line


def test_a_reference_to_a_secret_stays_readable() -> None:
    line = b"export DB_PASSWORD=$(cat /run/secret) TOKEN=$T; kubectl get secret db -o yaml\r"
    assert recorded(typed(conversation(tty=True), *keys(line)), "stdin") == line


@pytest.mark.parametrize(
    "prompt",
    [
        b"Password: ",
        b"[sudo] password for app: ",
        b"Enter passphrase for key '/k': ",
        b"Enter token: ",
        b"PIN> ",
    ],
)
@pytest.mark.parametrize("tty", [True, False])
def test_the_answer_to_a_prompt_is_masked_whole_and_the_next_line_is_not(prompt: bytes, tty: bool) -> None:
    talk = conversation(tty=tty)
    talk.take(False, b"\x02" + prompt if not tty else b"\x01" + prompt, False)
    talk.quiet()
    passings = typed(talk, *keys(b"open sesame"), b"\r")
    assert recorded(passings, "stdin") == b"***********\r"
    assert {row["rule"] for p in passings for row in p.draft.redactions} == {"password-prompt"}
    talk.take(False, b"\x01\r\n$ ", False)
    assert recorded(typed(talk, b"whoami\r"), "stdin") == b"whoami\r"


def test_lines_that_come_with_the_answer_are_on_the_record() -> None:
    talk = conversation()
    talk.take(False, b"\x02Password: ", False)
    assert recorded(typed(talk, b"sesame\nrm -rf /data\n"), "stdin") == b"******\nrm -rf /data\n"


def test_no_prompt_no_masking() -> None:
    talk = conversation(tty=True)
    talk.take(False, b"\x01the password was changed\r\n$ ", False)
    assert recorded(typed(talk, b"ls\r"), "stdin") == b"ls\r"


def test_a_word_cut_by_large_messages_is_in_neither_half_of_the_record() -> None:
    text = b"x " * 600 + TOKEN + b" rest of it\n"
    for cut in range(1200, 1200 + len(TOKEN)):
        record = recorded(typed(conversation(), text[:cut], text[cut:]), "stdin")
        assert TOKEN not in record
        assert TOKEN[4:] not in record
        assert record.endswith(b" rest of it\n")


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_secret_in_pieces_is_never_whole_on_the_record(data: st.DataObject) -> None:
    line = b"export A_TOKEN=" + TOKEN + b" # note\r"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=10)))
    places = [0, *cuts, len(line)]
    passings = typed(conversation(tty=True), *(line[a:b] for a, b in itertools.pairwise(places)))
    assert TOKEN not in recorded(passings, "stdin")
    assert TOKEN[8:] not in recorded(passings, "stdin")


def test_what_a_terminal_shows_of_typing_passes_at_once_and_is_masked_on_the_record() -> None:
    talk = conversation(tty=True)
    line = b"export DB_PASSWORD=hunter2xyzzy\r"
    shown = []
    for key in keys(line):
        typed(talk, key)
        shown += talk.take(False, b"\x01" + (b"\r\n" if key == b"\r" else key), False)
        assert talk.quiet_seconds is None
    assert seen(shown) == line + b"\n"
    assert recorded(shown, "stdout") == b"export DB_PASSWORD=************\r\n"


def test_output_that_is_no_echo_is_masked_as_any() -> None:
    talk = conversation(tty=True)
    typed(talk, b"env\r")
    assert seen(talk.take(False, b"\x01env\r\nDB_PASSWORD=hunter2xyzzy\r\n", False)).startswith(
        b"env\r\nDB_PASSWORD=[masked:password:"
    )
