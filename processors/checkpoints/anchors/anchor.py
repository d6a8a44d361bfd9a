"""What an anchor is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from processors.checkpoints.opening import Claim
from schemas.checkpoints import AnchorKind, CheckpointRecord
from schemas.notes import VerifierKey


class AnchorError(Exception):
    """The place did not take a checkpoint, or cannot say what it has. The message says why."""


class AheadError(AnchorError):
    """The place has a larger tree of this log. Either we are late, or everything here was rolled back."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """`place` has the checkpoint: what it gave back, and the note with what it added."""

    place: str
    evidence: bytes
    note: str


class Anchor(Protocol):
    """A place outside. `name` is what settings and metrics call it."""

    name: str
    kind: AnchorKind
    every_seconds: float

    async def put(self, record: CheckpointRecord) -> Anchored:
        """Returns when the place has the checkpoint for good. Raises AnchorError."""
        ...

    async def claims(self, origin: str, keys: Sequence[VerifierKey]) -> list[Claim]:
        """The newest checkpoint of a log that the place has, where one of `keys` signed it. Raises AnchorError."""
        ...
