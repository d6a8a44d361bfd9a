"""Large objects, long lines and hostile streams: masked as a whole, held within limits, ended clearly."""

import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.drafting import MaskingFailedError
from gateway.kubernetes.channels import Conversation, ConversationError
from gateway.kubernetes.terminal_memory import CONTEXT_BYTES_MAX
from tests.gateway.kubernetes_channels.conversations import conversation, printed, seen
from tests.gateway.kubernetes_channels.texts import PRINTED, Printed

CHUNK = 32 * 1024


def value(number: int) -> str:
    """What one Secret holds."""
    return b64encode(b"value of secret number %06d" % number).decode()


def secret(number: int) -> dict[str, object]:
    """One Secret, its keys in order."""
    return {
        "apiVersion": "v1",
        "data": {"plain": value(number)},
        "kind": "Secret",
        "metadata": {"name": f"s{number}"},
    }


def chunks(text: bytes, size: int = CHUNK) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def left_in(out: bytes, count: int) -> list[int]:
    return [number for number in range(count) if value(number).encode() in out]


@pytest.mark.parametrize("indent", [None, 4], ids=["in one line", "pretty"])
@pytest.mark.parametrize("sort", [True, False], ids=["kind last", "kind first"])
def test_a_long_list_of_secrets_is_masked_item_by_item(indent: int | None, sort: bool) -> None:
    count = 1500
    items = [secret(number) for number in range(count)]
    if not sort:
        items = [{"kind": "Secret", **item} for item in items]
    text = json.dumps({"apiVersion": "v1", "items": items, "kind": "List"}, indent=indent).encode()
    out = seen(printed(conversation(), *chunks(text)))
    assert left_in(out, count) == []
    assert out.count(b"[masked:k8s-secret:") == count


def test_one_large_secret_is_masked_as_a_whole() -> None:
    values = {f"key{number}": value(number) * 50 for number in range(400)}
    text = json.dumps({"apiVersion": "v1", "data": values, "kind": "Secret"}, indent=1).encode()
    assert len(text) > 20 * CHUNK
    out = seen(printed(conversation(), *chunks(text)))
    assert left_in(out, 400) == []


def test_a_secret_behind_a_long_line_is_found() -> None:
    line = json.dumps([f"word {number}" for number in range(2000)]).encode()
    text = json.dumps(secret(7)).encode()
    for size in (1000, 1001, 1003, 4096, len(line)):
        out = seen(printed(conversation(), *chunks(line + text, size)))
        assert value(7).encode() not in out


def endless(talk: Conversation, *, quiet: bool) -> None:
    """A Secret that does not end."""
    talk.take(False, b'\x01{"kind":"Secret","apiVersion":"v1","data":{', False)
    for number in range(2 * CONTEXT_BYTES_MAX // CHUNK):
        talk.take(False, b"\x01" + b'"key%d":"dmFsdWU=",' % number + b" " * (CHUNK - 30), False)
        if quiet:
            talk.quiet()


def test_more_than_can_be_held_back_ends_the_conversation() -> None:
    with pytest.raises(ConversationError) as refused:
        endless(conversation(bytes_max=CHUNK * 4), quiet=False)
    assert refused.value.code == 1009


def test_an_endless_object_with_pauses_ends_the_conversation() -> None:
    with pytest.raises(ConversationError, match="Secret") as refused:
        endless(conversation(), quiet=True)
    assert refused.value.code == 1009


@pytest.mark.parametrize("what", PRINTED, ids=lambda what: what.name)
def test_lines_as_a_terminal_ends_them_change_nothing(what: Printed) -> None:
    text = what.text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for cut in range(0, len(text), 3):
        for quiet in (False, True):
            out = seen(printed(conversation(tty=True), text[:cut], text[cut:], quiet=quiet))
            assert not [each for each in what.secrets if each in out.replace(b"\r", b"")]


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=10), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_messages_pass_or_end_the_conversation(messages: list[tuple[bool, bytes]], tty: bool) -> None:
    talk = conversation(tty=tty)
    try:
        for from_client, data in messages:
            for passing in talk.take(from_client, data, False):
                assert passing.to_client != from_client
                if from_client:
                    assert passing.data == data
        assert all(passing.to_client for passing in talk.ended())
    except (ConversationError, MaskingFailedError):
        return
