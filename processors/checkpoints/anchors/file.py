"""A file that notes are appended to, one JSON object a line: {"at": UTC, "note": text}."""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from processors.checkpoints.anchors.anchor import AheadError, Anchored, AnchorError
from processors.checkpoints.book import claim_of, size_of
from processors.checkpoints.opening import Claim
from schemas.checkpoints import AnchorKind, CheckpointRecord
from schemas.notes import NoteError, VerifierKey, open_head, open_note

BLOCK_BYTES = 64 * 1024


class FileAnchor:
    """Appends, never rewrites: the file may be one that the system lets nobody rewrite."""

    kind: AnchorKind = "file"

    def __init__(self, path: Path, every_seconds: float) -> None:
        self.name = str(path)
        self.every_seconds = every_seconds
        self._path = path

    async def put(self, record: CheckpointRecord) -> Anchored:
        """Raises AnchorError, also when the file has a larger tree of this log."""
        return await asyncio.to_thread(self._put, record)

    async def claims(self, origin: str, keys: Sequence[VerifierKey]) -> list[Claim]:
        """Raises AnchorError."""
        note = await asyncio.to_thread(self._newest, origin)
        claim = claim_of(note, list(keys), self.name) if note else None
        return [claim] if claim else []

    def _put(self, record: CheckpointRecord) -> Anchored:
        there = size_of(self._newest(record["origin"]))
        if there > record["tree_size"]:
            raise AheadError(f"{self._path} has a checkpoint of {there} leaves, and this one has fewer")
        moment = datetime.fromtimestamp(record["at"] / 1_000_000, UTC).isoformat()
        line = json.dumps({"at": moment, "note": record["note"]}, ensure_ascii=False).encode() + b"\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            with open(descriptor, "ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AnchorError(f"{self._path} cannot be written: {error.strerror}") from error
        return Anchored(str(self._path), line, record["note"])

    def _newest(self, origin: str) -> str:
        """The last note of a log, looked for from the end; '' for none."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                window = BLOCK_BYTES
                while True:
                    file.seek(max(0, size - window))
                    found = _last(file.read(window).splitlines(), origin)
                    if found or window >= size:
                        return found
                    window *= 8
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise AnchorError(f"{self._path} cannot be read: {error.strerror}") from error


def _last(lines: list[bytes], origin: str) -> str:
    for line in reversed(lines):
        try:
            note = str(json.loads(line)["note"])
            if open_head(open_note(note).text).origin == origin:
                return note
        except (ValueError, KeyError, TypeError, NoteError):
            continue  # the first line may be cut; a line of somebody else is none of ours
    return ""
