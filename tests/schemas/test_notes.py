"""Signed notes, tree heads in them, cosignatures: what is taken, and what never is."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schemas.notes import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    Note,
    NoteError,
    NoteKey,
    Signature,
    TreeHead,
    open_head,
    open_key,
    open_note,
    open_signatures,
    opened_by,
)

# Go's golang.org/x/mod/sumdb/note documentation: the key and the note of its example.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ORIGIN = "sluicegate.example.com/audit/0"
KEY = NoteKey(ORIGIN, bytes(32))
WITNESS = NoteKey("witness.example.com/w1", bytes([7]) * 32)
HEAD = TreeHead(ORIGIN, 5, bytes(range(32)), ("base 0", "time 2026-11-21T17:30:00Z"))
SIGNED = Note(HEAD.text).with_signatures([KEY.sign(HEAD.text)])


def test_the_note_and_the_key_of_the_go_documentation_fit() -> None:
    key = open_key(GO_VKEY)
    note = open_note(GO_NOTE)
    assert key.signed(note)
    assert str(key) == GO_VKEY
    assert str(note) == GO_NOTE
    assert not key.signed(Note(note.text.replace("answer", "Answer"), note.signatures))


def test_a_signed_tree_head_comes_back_as_it_was() -> None:
    note = open_note(str(SIGNED))
    assert note == SIGNED
    assert open_head(note.text) == HEAD
    assert HEAD.extension("base") == "0"
    assert HEAD.extension("none") == ""
    assert opened_by(note, [WITNESS.witness, KEY.log]) == [KEY.log]
    assert KEY.log.signed_at(note) == 0


def test_a_key_says_its_name_and_its_kind_and_no_other() -> None:
    for key in (KEY.log, WITNESS.witness):
        assert open_key(str(key)) == key
    assert KEY.log.key_id != KEY.witness.key_id
    assert NoteKey("another", bytes(32)).log.key_id != KEY.log.key_id


def test_a_witness_says_when_it_saw_a_tree_head() -> None:
    note = SIGNED.with_signatures([WITNESS.cosign(HEAD.text, 1_790_000_000)])
    assert WITNESS.witness.signed_at(open_note(str(note))) == 1_790_000_000
    line = note.signatures[1]
    public = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32).public_key()
    signed = b"cosignature/v1\ntime 1790000000\n" + HEAD.text.encode()
    public.verify(line.content[8:], signed)
    later = Signature(line.name, line.key_id, (1_790_000_001).to_bytes(8, "big") + line.content[8:])
    assert not WITNESS.witness.signed(SIGNED.with_signatures([later]))


def test_a_signature_of_a_log_is_no_cosignature_nor_the_other_way_round() -> None:
    cosigned = Note(HEAD.text, (KEY.cosign(HEAD.text, 1),))
    assert not KEY.log.signed(cosigned)
    assert not KEY.witness.signed(SIGNED)
    renamed = Signature(KEY.name, KEY.witness.key_id, SIGNED.signatures[0].content)
    assert not KEY.witness.signed(Note(HEAD.text, (renamed,)))


def test_a_bad_signature_of_a_key_spoils_the_note_even_beside_a_good_one() -> None:
    bad = Signature(KEY.name, KEY.log.key_id, bytes(64))
    assert not KEY.log.signed(SIGNED.with_signatures([bad]))


def test_the_same_signature_is_kept_once() -> None:
    assert SIGNED.with_signatures([KEY.sign(HEAD.text)]) == SIGNED


def test_signature_lines_alone_are_read() -> None:
    lines = "".join(map(str, (KEY.sign("x\n"), WITNESS.cosign("x\n", 3))))
    assert [line.name for line in open_signatures(lines)] == [KEY.name, WITNESS.name]
    with pytest.raises(NoteError):
        open_signatures("")


BROKEN = {
    "nothing": "",
    "no signature": "text\n",
    "no empty line": "text\n— a eHh4eHh4\n",
    "no signature after the empty line": "text\n\n",
    "no end of the last line": str(SIGNED)[:-1],
    "another dash": str(SIGNED).replace("— ", "- "),
    "no name": "text\n\n—  eHh4eHh4\n",
    "a name with a plus": "text\n\n— a+b eHh4eHh4\n",
    "a signature of four bytes": "text\n\n— a eHh4eA==\n",
    "stray bits in base64": "text\n\n— a eHh4eHh=\n",
    "base64 with a space": "text\n\n— a eHh4 eHh4\n",
    "a tab": "te\txt\n\n— a eHh4eHh4\n",
    "a carriage return": "text\r\n\n— a eHh4eHh4\n",
    "too long": "x" * NOTE_BYTES_MAX + "\n\n— a eHh4eHh4\n",
    "too many signatures": "text\n\n" + "— a eHh4eHh4\n" * (SIGNATURES_MAX + 1),
    "a lone surrogate": "te\ud800xt\n\n— a eHh4eHh4\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_no_note_is_refused(broken: str) -> None:
    with pytest.raises(NoteError):
        open_note(broken)


HEADS = {
    "two lines": "o\n5\n",
    "no size": HEAD.text.replace("\n5\n", "\n\n"),
    "a leading zero": HEAD.text.replace("\n5\n", "\n05\n"),
    "a sign": HEAD.text.replace("\n5\n", "\n+5\n"),
    "digits of another script": HEAD.text.replace("\n5\n", "\n٥\n"),
    "beyond 63 bits": HEAD.text.replace("\n5\n", f"\n{1 << 63}\n"),
    "a short root": "o\n5\nAAAA\n",
    "an empty extension": HEAD.text + "\n",
    "no last line end": HEAD.text[:-1],
}


@pytest.mark.parametrize("text", HEADS.values(), ids=HEADS)
def test_what_is_no_tree_head_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        open_head(text)


KEYS = {
    "two parts": "a+00000000",
    "another id": str(KEY.log).replace("+", "+0", 1),
    "another name": "x" + str(KEY.log),
    "another algorithm": "a+00000000+AhpcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "a space in the name": f"a b+{KEY.log.key_id.hex()}+x",
}


@pytest.mark.parametrize("vkey", KEYS.values(), ids=KEYS)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        open_key(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb"])
def test_a_key_has_no_name_that_would_break_a_line(name: str) -> None:
    with pytest.raises(NoteError):
        NoteKey(name, bytes(32))


@given(st.binary(max_size=300))
def test_no_bytes_make_anything_but_a_note_or_an_error(raw: bytes) -> None:
    try:
        note = open_note(raw)
    except NoteError:
        return
    assert str(note).encode() == raw


@given(st.text(max_size=100), st.integers(0, len(str(SIGNED)) - 1))
def test_a_note_bent_anywhere_is_not_signed(more: str, at: int) -> None:
    whole = str(SIGNED)
    bent = whole[:at] + more + whole[at + 1 :]
    if bent == whole:
        return
    try:
        note = open_note(bent)
    except NoteError:
        return
    assert not KEY.log.signed(note) or note.text == SIGNED.text
