"""A witness: what it cosigns and what never, and as a process over HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from processors.checkpoints.anchors.proving import Step
from processors.checkpoints.anchors.witness import submission
from processors.checkpoints.witness.book import WitnessBook
from processors.checkpoints.witness.server import by_origin
from processors.checkpoints.witness.submission import Seen, cosigned, open_submission
from schemas.checkpoints import checkpoint_record, tree_head
from schemas.merkle import consistency_proof, leaf_hash, root_of
from schemas.notes import Note, NoteError, NoteKey, VerifierKey, open_key, open_note, open_signatures

ORIGIN = "log.example.com/audit/0"
LOG = NoteKey(ORIGIN, bytes(32))
WITNESS = NoteKey("witness.example.com/w1", bytes([7]) * 32)
LEAVES = [leaf_hash(bytes([number])) for number in range(30)]
FORGED = [*LEAVES[:3], leaf_hash(b"forged"), *LEAVES[4:]]
LOGS = by_origin([str(LOG.log)])


def submitted(
    old: int, new: int, leaves: list[bytes] = LEAVES, proof: list[bytes] | None = None, key: NoteKey = LOG
) -> bytes:
    head = tree_head(key.name, new, root_of(leaves[:new]), 0, 1_790_000_000_000_000)
    note = str(Note(head.text, (key.sign(head.text),)))
    record = checkpoint_record(head, note, topic="audit", partition=0, base_offset=0, leaves=(), at=0)
    return submission(old, Step(record, consistency_proof(leaves[:new], old) if proof is None else proof))


def said(body: bytes, seen: Seen) -> tuple[int, str]:
    answer = cosigned(open_submission(body), seen, LOGS, WITNESS, 1_790_000_000)
    return answer.status, answer.body


def seen(size: int) -> Seen:
    return Seen(size, root_of(LEAVES[:size]))


def test_a_tree_that_extends_the_one_seen_is_cosigned() -> None:
    for old, new in ((0, 7), (7, 8), (8, 8), (8, 29)):
        body = submitted(old, new)
        answer = cosigned(open_submission(body), seen(old), LOGS, WITNESS, 1_790_000_000)
        assert answer.status == 200
        assert answer.seen == seen(new)
        note = open_note(body.partition(b"\n\n")[2])
        assert WITNESS.witness.signed_at(note.with_signatures(open_signatures(answer.body))) == 1_790_000_000


REFUSED = {
    "an older tree": (submitted(5, 7), seen(9), 409, "9\n"),
    "a first tree when one was seen": (submitted(0, 7), seen(5), 409, "5\n"),
    "another tree of the size seen": (submitted(9, 9, FORGED, []), seen(9), 409, "9\n"),
    "a tree that does not extend the one seen": (submitted(5, 9, FORGED), seen(5), 422, "does not show"),
    "no proof": (submitted(5, 9, LEAVES, []), seen(5), 422, "does not show"),
    "a proof too much": (submitted(0, 9, LEAVES, [bytes(32)]), Seen(), 422, "does not show"),
    "a proof of a tree from nothing": (submitted(9, 9, LEAVES, [bytes(32)]), seen(9), 422, "does not show"),
    "a smaller tree than the old one": (submitted(9, 7, LEAVES, []), seen(9), 400, "larger"),
    "a log that is not known": (
        submitted(0, 7, key=NoteKey("other.example.com", bytes(32))),
        Seen(),
        404,
        "not known",
    ),
    "a key that is not the log's": (
        submitted(0, 7, key=NoteKey(ORIGIN, bytes([1]) * 32)),
        Seen(),
        403,
        "no key",
    ),
}


@pytest.mark.parametrize(("body", "before", "status", "text"), REFUSED.values(), ids=REFUSED)
def test_nothing_else_is_cosigned(body: bytes, before: Seen, status: int, text: str) -> None:
    assert said(body, before)[0] == status
    assert text in said(body, before)[1]


GOOD = submitted(5, 9)
BROKEN = {
    "nothing": b"",
    "no old size": GOOD.removeprefix(b"old 5\n"),
    "a negative size": GOOD.replace(b"old 5", b"old -5", 1),
    "a size with a leading zero": GOOD.replace(b"old 5", b"old 05", 1),
    "a proof that is not base64": GOOD.replace(b"old 5\n", b"old 5\n!!!!\n", 1),
    "a hash of 31 bytes": GOOD.replace(b"old 5\n", b"old 5\n" + base64.b64encode(bytes(31)) + b"\n", 1),
    "64 hashes": GOOD.replace(b"old 5\n", b"old 5\n" + (base64.b64encode(bytes(32)) + b"\n") * 64, 1),
    "no note": b"old 5\n\n",
    "a note without signature": b"old 0\n\norigin\n5\n" + base64.b64encode(bytes(32)) + b"\n",
    "too long": GOOD + b"x" * 70_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_submission_is_refused(body: bytes) -> None:
    with pytest.raises(NoteError):
        open_submission(body)


def test_what_was_seen_is_on_disk_and_one_process_has_it(tmp_path: Path) -> None:
    with WitnessBook(tmp_path) as book:
        assert book.seen(ORIGIN) == Seen()
        book.see(ORIGIN, seen(9))
        with pytest.raises(BlockingIOError), WitnessBook(tmp_path):
            pass
    with WitnessBook(tmp_path) as book:
        assert book.seen(ORIGIN) == seen(9)
        (page,) = tmp_path.glob("*.json")
        page.write_text("{")
        with pytest.raises(ValueError, match="cannot be read"):
            book.seen(ORIGIN)


@asynccontextmanager
async def witnessing(folder: Path, *vkeys: str) -> AsyncIterator[tuple[str, VerifierKey]]:
    """(URL, vkey) of `sluicegate witness` in a process of its own."""
    logs = folder / "logs.vkeys"
    logs.write_text("# the logs of a friend\n\n" + "".join(f"{vkey}\n" for vkey in vkeys))
    words = ("--name", "witness.example.com/w1", "--data-dir", str(folder / "w"), "--logs", str(logs))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sluicegate", "witness", *words, "--listen", "127.0.0.1:0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        port, vkey = line.removeprefix("witness on port ").strip().split(", vkey ")
        yield f"http://127.0.0.1:{port}", open_key(vkey)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)


async def test_a_witness_remembers_over_a_restart_and_is_asked_over_http(tmp_path: Path) -> None:
    async def asked(url: str, body: bytes) -> tuple[int, str, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/add-checkpoint", data=body) as answer,
        ):
            return answer.status, answer.content_type, await answer.text()

    async with witnessing(tmp_path, str(LOG.log)) as (url, key):
        status, _, text = await asked(url, submitted(0, 7))
        assert status == 200
        assert key.signed(
            open_note(submitted(0, 7).partition(b"\n\n")[2]).with_signatures(open_signatures(text))
        )
    async with witnessing(tmp_path, str(LOG.log)) as (url, again):
        assert again == key
        assert await asked(url, submitted(0, 9)) == (409, "text/x.tlog.size", "7\n")
        assert (await asked(url, submitted(7, 9)))[0] == 200
        assert (await asked(url, submitted(7, 9)))[0] == 409
        assert (await asked(url, submitted(9, 12, FORGED)))[0] == 422
        assert (await asked(url, b"old 1\n"))[0] == 400
        assert (await asked(url, b"x" * 100_000))[0] == 400
    (page,) = (tmp_path / "w" / "seen").glob("*.json")
    assert json.loads(page.read_text())["size"] == 9
