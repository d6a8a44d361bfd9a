"""What upstream gives to one principal is good for that one only, and upstream gets it back byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tools.seals import (
    STATE_INVALID,
    Fault,
    Seal,
    bind_session,
    is_sealed,
    open_states,
    seal_states,
    unbind_session,
)

KEY = b"k" * 32
ALICE = Seal(KEY, "demo", "https://issuer.example", "alice")
OTHERS = [
    ALICE._replace(subject="bob"),
    ALICE._replace(issuer="https://other.example"),
    ALICE._replace(connection="else"),
    ALICE._replace(key=b"l" * 32),
]
TEXTS = st.text(st.characters(codec=None), max_size=20)


def answer(state: object) -> bytes:
    """A result that asks for input."""
    result = {"resultType": "input_required", "requestState": state, "inputRequests": {}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}, ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def retry(state: object) -> bytes:
    """The request again, with what the client was given."""
    params = {"name": "t", "requestState": state, "inputResponses": {}}
    return json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).encode()


def given_to(seal: Seal, state: str, until: int = 0) -> str:
    """The state as the client of this principal gets it."""
    body = seal_states(answer(state), seal, until=until)
    return str(json.loads(body.decode("utf-8", "surrogatepass"))["result"]["requestState"])


@given(TEXTS)
def test_abuse_65_upstream_gets_its_state_back_as_it_gave_it(state: str) -> None:
    sent = given_to(ALICE, state)
    assert sent != state
    assert open_states(retry(sent), ALICE, 0) == retry(state)


@pytest.mark.parametrize("other", OTHERS)
@given(state=TEXTS)
def test_abuse_65_a_state_of_another_principal_is_refused(other: Seal, state: str) -> None:
    fault = open_states(retry(given_to(other, state)), ALICE, 0)
    assert isinstance(fault, Fault)
    assert fault.reason_code == STATE_INVALID


@given(TEXTS, st.data())
def test_abuse_65_a_state_that_was_tampered_with_is_refused(state: str, data: st.DataObject) -> None:
    sent = given_to(ALICE, state)
    at = data.draw(st.integers(0, len(sent) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != sent[at]))
    for forged in (sent[:at] + other + sent[at + 1 :], sent[:at], sent + other, other + sent):
        assert isinstance(open_states(retry(forged), ALICE, 0), Fault)


@pytest.mark.parametrize("state", ["made up", "", 7, {"a": 1}, ["x"], True])
def test_abuse_65_a_state_that_nobody_gave_is_refused(state: object) -> None:
    assert isinstance(open_states(retry(state), ALICE, 0), Fault)


def test_a_request_without_state_is_not_touched() -> None:
    for body in (retry(None), b'{"method":"x"}', b"no json", b""):
        assert open_states(body, ALICE, 0) == body


def test_a_state_ends() -> None:
    sent = given_to(ALICE, "s", until=1_000)
    assert open_states(retry(sent), ALICE, 1_000) == retry("s")
    assert isinstance(open_states(retry(sent), ALICE, 1_001), Fault)
    longer = sent.replace("~sg1.1000.", "~sg1.2000.")
    assert isinstance(open_states(retry(longer), ALICE, 0), Fault)


def test_two_states_are_one_too_many() -> None:
    sent = json.dumps(given_to(ALICE, "s")).encode()
    body = b'{"id":1,"method":"tools/call","params":{"requestState":%b,"requestState":%b}}' % (sent, sent)
    assert isinstance(open_states(body, ALICE, 0), Fault)


def test_a_key_with_escapes_does_not_pass_a_state_by() -> None:
    body = retry("made up").replace(b'"requestState"', b'"request\\u0053tate"')
    assert isinstance(open_states(body, ALICE, 0), Fault)
    sealed = seal_states(answer("s").replace(b'"requestState"', b'"request\\u0053tate"'), ALICE)
    assert is_sealed(json.loads(sealed)["result"]["requestState"])


def test_a_seal_written_with_escapes_is_opened() -> None:
    sent = given_to(ALICE, "é")
    escaped = "".join(f"\\u{ord(char):04x}" for char in sent).encode()
    body = retry("X").replace(b'"X"', b'"%b"' % escaped)
    opened = open_states(body, ALICE, 0)
    assert isinstance(opened, bytes)
    assert json.loads(opened)["params"]["requestState"] == "é"


def test_only_the_state_changes_in_an_answer_also_over_lines_of_an_event() -> None:
    body = answer("s")
    assert seal_states(body, ALICE) == body.replace(b'"s"', json.dumps(given_to(ALICE, "s")).encode())
    block = b'id: 1\ndata: {"result":\r\ndata: {"requestState"\ndata: : "s" }}\n\n'
    sealed = json.dumps(given_to(ALICE, "s")).encode()
    assert seal_states(block, ALICE, event=True) == block.replace(b'"s"', sealed)
    for other in (
        b'{"result":{"content":[{"requestState":"s"}]}}',
        b"{",
        b'{"result":{"requestState":null}}',
    ):
        assert seal_states(other, ALICE) == other


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_abuse_59_a_session_id_is_good_for_its_principal_only(session: str) -> None:
    bound = bind_session(session, ALICE)
    assert all(0x21 <= ord(char) <= 0x7E for char in bound)
    assert bound == bind_session(session, ALICE)
    assert unbind_session(bound, ALICE) == session
    assert [unbind_session(bound, other) for other in OTHERS] == [None] * len(OTHERS)
    assert unbind_session(session, ALICE) is None


def test_a_seal_for_one_purpose_is_none_for_another() -> None:
    assert ALICE.open(ALICE.close("x", "session"), "state") is None
    assert ALICE.open(ALICE.close("x", "task"), "task") == "x"
    assert ALICE.open(ALICE.close(ALICE.close("x", "task"), "task"), "task") == ALICE.close("x", "task")
