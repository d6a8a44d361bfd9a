"""What is submitted to a witness, and what it says to it. Pure; time is given.

old 20852163              the size that the log believes the witness to have
base64 hash               proof that the new tree extends that one, a hash a line
                          an empty line
the checkpoint            a signed note
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from schemas.notes import Note, NoteError, NoteKey, TreeHead, VerifierKey, open_head, open_note

PROOF_LINES_MAX = 63
SUBMISSION_BYTES_MAX = 64 * 1024
TEXT = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Submission:
    """One request of add-checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    head: TreeHead


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest tree of a log that was cosigned."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Answer:
    """What the witness says: an HTTP status, a body, and the tree that it has from now on (None: as before)."""

    status: int
    body: str
    media_type: str = TEXT
    seen: Seen | None = None


def open_submission(body: bytes) -> Submission:
    """Raises NoteError for anything that is not of the form above."""
    if len(body) > SUBMISSION_BYTES_MAX:
        raise NoteError(f"a submission has at most {SUBMISSION_BYTES_MAX} bytes")
    head, gap, note = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteError("the lines before the checkpoint are ASCII") from None
    word, _, number = first.partition(" ")
    plain = number.isdigit() and (number == "0" or not number.startswith("0")) and len(number) <= 19
    if word != "old" or not plain or not gap:
        raise NoteError("a submission begins with `old SIZE`, a proof and an empty line")
    if len(lines) > PROOF_LINES_MAX:
        raise NoteError(f"a proof has at most {PROOF_LINES_MAX} hashes")
    opened = open_note(note)
    return Submission(int(number), tuple(_hash(line) for line in lines), opened, open_head(opened.text))


def cosigned(
    asked: Submission, seen: Seen, logs: Mapping[str, Sequence[VerifierKey]], key: NoteKey, seconds: int
) -> Answer:
    """What a witness that has `seen` of this log says at `seconds` (UTC). `logs`: the keys by origin."""
    keys = logs.get(asked.head.origin)
    if keys is None:
        return Answer(404, "this log is not known here\n")
    if not any(each.signed(asked.note) for each in keys):
        return Answer(403, "no key that is known for this log has signed\n")
    if asked.old_size > asked.head.size:
        return Answer(400, "the old size is larger than that of the checkpoint\n")
    if asked.old_size != seen.size or (asked.head.size == seen.size and asked.head.root != _root(seen)):
        return Answer(409, f"{seen.size}\n", SIZE_TYPE)
    if not verify_consistency(seen.size, _root(seen), asked.head.size, asked.head.root, asked.proof):
        return Answer(422, "the proof does not show that the tree extends the one seen\n")
    line = str(key.cosign(asked.note.text, seconds))
    return Answer(200, line, seen=Seen(asked.head.size, asked.head.root))


def _root(seen: Seen) -> bytes:
    return seen.root if seen.size else EMPTY_ROOT


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("a line of the proof is not base64") from None
    if len(found) != HASH_BYTES:
        raise NoteError(f"a hash has {HASH_BYTES} bytes")
    return found
