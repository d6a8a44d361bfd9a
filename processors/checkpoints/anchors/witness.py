"""A witness (C2SP tlog-witness): it remembers one tree of each log, and cosigns only what extends it."""

import base64
from collections.abc import Sequence
from contextlib import aclosing

from processors.checkpoints.anchors.anchor import AheadError, Anchored, AnchorError
from processors.checkpoints.anchors.http import Answer, post
from processors.checkpoints.anchors.proving import Prover, Step
from processors.checkpoints.opening import Claim
from schemas.checkpoints import AnchorKind, CheckpointRecord
from schemas.notes import Note, NoteError, VerifierKey, open_key, open_note, open_signatures

SIZE_TYPE = "text/x.tlog.size"
ANSWER_BYTES_MAX = 64 * 1024
_HEAD = {"Content-Type": "text/plain; charset=utf-8"}


class _Elsewhere(Exception):  # noqa: N818 - no error: the witness says where it is
    """The witness has a tree of another size than we thought."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class WitnessAnchor:
    """Submits to `URL/add-checkpoint`. Raises NoteError for a `vkey` that is none."""

    kind: AnchorKind = "witness"

    def __init__(self, url: str, vkey: str, every_seconds: float, prover: Prover) -> None:
        self.name = url
        self.every_seconds = every_seconds
        self._url = f"{url.rstrip('/')}/add-checkpoint"
        self._key = open_key(vkey)
        self._prover = prover
        self._sizes: dict[str, int] = {}

    async def put(self, record: CheckpointRecord) -> Anchored:
        """Raises AnchorError; also when the witness has a larger tree, or its signature does not fit."""
        origin = record["origin"]
        old = self._sizes.get(origin, self._prover.size(origin))
        try:
            return await self._submit(old, record)
        except _Elsewhere as told:
            elsewhere = told.size
        try:
            return await self._submit(elsewhere, record)
        except _Elsewhere as told:
            raise AnchorError(f"{self.name} moves between {elsewhere} and {told.size} leaves") from None

    async def claims(self, origin: str, keys: Sequence[VerifierKey]) -> list[Claim]:
        """How large the tree was that it last cosigned for this machine: it tells a size only to who submits."""
        del keys
        size = max(self._sizes.get(origin, 0), self._prover.size(origin))
        return [Claim(self.name, size, None)] if size else []

    async def _submit(self, old: int, record: CheckpointRecord) -> Anchored:
        if old > record["tree_size"]:
            raise AheadError(f"{self.name} has {old} leaves, and this checkpoint {record['tree_size']}")
        size = old
        async with aclosing(self._prover.steps(old, record)) as steps:
            async for step in steps:
                answer = await post(self._url, submission(size, step), _HEAD, ANSWER_BYTES_MAX)
                note = self._cosigned(answer, step)
                size = self._sizes[record["origin"]] = step.record["tree_size"]
        return Anchored(self.name, answer.body, str(note))

    def _cosigned(self, answer: Answer, step: Step) -> Note:
        if answer.status == 409 and answer.media_type == SIZE_TYPE:
            raise _Elsewhere(_size(answer.body, self.name))
        if answer.status != 200:
            raise AnchorError(
                f"{self.name} answered {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"
            )
        try:
            lines = open_signatures(answer.body)
        except NoteError as error:
            raise AnchorError(f"{self.name}: {error}") from error
        mine = [line for line in lines if (line.name, line.key_id) == (self._key.name, self._key.key_id)]
        note = open_note(step.record["note"]).with_signatures(mine)
        if not self._key.signed(note):
            raise AnchorError(f"{self.name} gave no signature of {self._key.name}")
        return note


def submission(old: int, step: Step) -> bytes:
    """The body of add-checkpoint."""
    proof = "".join(f"{base64.b64encode(node).decode()}\n" for node in step.proof)
    return f"old {old}\n{proof}\n{step.record['note']}".encode()


def _size(body: bytes, name: str) -> int:
    text = body.decode("ascii", "replace").strip()
    if not text.isdigit() or len(text) > 19:
        raise AnchorError(f"{name} answered with a size that is none")
    return int(text)
