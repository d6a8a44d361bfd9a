"""Asks a Go program to check what we make, and checks what it makes; prints what was compared, or the fault."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from schemas.checkpoints import tree_head
from schemas.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from schemas.notes import Note, NoteKey, open_head, open_key, open_note

SIZE = 300
ORIGIN = "log.example.com/audit/0"
KEY = NoteKey(ORIGIN, sha256(b"a key of a test").digest())
WITNESS = NoteKey("witness.example.com/w1", sha256(b"another").digest())
DATA = [sha256(number.to_bytes(4, "big")).digest() for number in range(SIZE)]
LEAVES = [leaf_hash(data) for data in DATA]
PLACES = [(size, index) for size in (1, 2, 3, 7, 8, 9, 64, 100, 255, 300) for index in range(0, size, 5)]
SPANS = [(old, size) for size in (2, 3, 7, 8, 9, 64, 100, 255, 300) for old in range(1, size + 1, 3)]


def main() -> int:
    """0 when both say the same."""
    go = shutil.which("go")
    if go is None:
        sys.stderr.write("sumdb: needs Go 1.24 or later\n")
        return 2
    notes = [_note(size) for size in range(0, SIZE + 1, 25)]
    told = _asked(go, _question(notes))
    _compare(told)
    sys.stdout.write(
        f"Go's sumdb and Sluicegate agree: {len(notes) + 1} notes, {SIZE + 1} tree heads, {len(PLACES)} inclusion "
        f"and {len(SPANS)} consistency proofs, each way\n"
    )
    return 0


def _note(size: int) -> str:
    """Signed by the log, and by a witness with a kind of signature that Go's package does not know."""
    head = tree_head(ORIGIN, size, root_of(LEAVES[:size]), 0, 1_790_000_000_000_000)
    note = Note(head.text, (KEY.sign(head.text),))
    return str(note.with_signatures([WITNESS.cosign(head.text, 1_790_000_000)] if size % 2 else []))


def _question(notes: list[str]) -> dict[str, Any]:
    return {
        "Leaves": [_text(data) for data in DATA],
        "Roots": [_text(root_of(LEAVES[:size])) for size in range(SIZE + 1)],
        "Inclusions": [
            {"Size": size, "Index": index, "Proof": _texts(inclusion_proof(LEAVES[:size], index))}
            for size, index in PLACES
        ],
        "Consistences": [
            {"Size": size, "Old": old, "Proof": _texts(consistency_proof(LEAVES[:size], old))}
            for old, size in SPANS
        ],
        "Vkey": str(KEY.log),
        "Notes": notes,
        "Forged": [note.replace("\n0\n" if "\n0\n" in note else "\nbase 0\n", "\n9\n", 1) for note in notes],
        "Seed": _text(sha256(b"Go's").digest()),
        "Name": "go.example.com",
        "Text": tree_head("go.example.com", SIZE, root_of(LEAVES), 0, 0).text,
    }


def _asked(go: str, question: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "sumdb")
        source = Path(__file__).parent / "go"
        subprocess.run([go, "build", "-o", str(program), "."], cwd=source, check=True)
        done = subprocess.run(
            [str(program)],
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _compare(told: dict[str, Any]) -> None:
    """Raises AssertionError where Go says something else."""
    roots = [root_of(LEAVES[:size]) for size in range(SIZE + 1)]
    _same("tree heads", [base64.b64decode(root) for root in told["Roots"]], roots)
    for each in told["Inclusions"]:
        size, index, proof = each["Size"], each["Index"], [base64.b64decode(node) for node in each["Proof"]]
        _same("an inclusion proof", proof, inclusion_proof(LEAVES[:size], index))
        _same("its check", verify_inclusion(LEAVES[index], index, size, proof, roots[size]), True)
    for each in told["Consistences"]:
        old, size, proof = each["Old"], each["Size"], [base64.b64decode(node) for node in each["Proof"]]
        _same("a consistency proof", proof, consistency_proof(LEAVES[:size], old))
        _same("its check", verify_consistency(old, roots[old], size, roots[size], proof), True)
    note, key = open_note(told["Note"]), open_key(told["Vkey"])
    _same("the key of the note", str(key), told["Vkey"])
    _same("the signature of Go's note", key.signed(note), True)
    _same("the note", str(note), told["Note"])
    _same("its tree head", (open_head(note.text).size, open_head(note.text).root), (SIZE, roots[SIZE]))


def _same(what: str, told: object, ours: object) -> None:
    if told != ours:
        raise AssertionError(f"{what}: Go has {told!r}, and here it is {ours!r}")


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _texts(nodes: list[bytes]) -> list[str]:
    return [_text(node) for node in nodes]


if __name__ == "__main__":
    raise SystemExit(main())
