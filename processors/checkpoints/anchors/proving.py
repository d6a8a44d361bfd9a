"""Proofs that a checkpoint extends an earlier one, from the leaves on the topic."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from processors.checkpoints.anchors.anchor import AnchorError
from processors.checkpoints.readback import ReadBack
from schemas.checkpoints import CheckpointRecord, leaves_of
from schemas.merkle import Frontier, consistency_from

STRIDE_LEAVES = 100_000


@dataclass(slots=True)
class Step:
    """A checkpoint, and the proof that it extends the one before."""

    record: CheckpointRecord
    proof: list[bytes]


@dataclass(slots=True)
class _Reached:
    """The tree that was proven last, and where on the topic the leaves after it begin."""

    frontier: Frontier
    offset: int = 0


class Prover:
    """Remembers the last tree of each log in a file, so that only what came since is read."""

    def __init__(self, readback: ReadBack, file: Path) -> None:
        self._readback = readback
        self._file = file
        self._reached = _read(file)

    def size(self, origin: str) -> int:
        """Leaves of the tree that was proven last; 0 for none."""
        reached = self._reached.get(origin)
        return reached.frontier.size if reached else 0

    async def steps(self, old: int, record: CheckpointRecord) -> AsyncGenerator[Step]:
        """From `old` leaves to `record`, in strides that fit into memory; ask for the next one when one was taken.

        Raises AnchorError when the topic does not have the leaves, KafkaError and TimeoutError when it is away."""
        origin, target = record["origin"], record["tree_size"]
        if old == target:
            yield Step(record, [])
            return
        reached = self._reached.get(origin)
        if reached is None or reached.frontier.size > old:
            reached = _Reached(Frontier())
        frontier, added = reached.frontier.copy(), list[bytes]()
        async with aclosing(self._readback.records(origin, record["partition"], reached.offset)) as records:
            async for offset, found in records:
                have = frontier.size + len(added)
                if not found["first_index"] <= have < found["tree_size"] <= target:
                    continue
                fresh = leaves_of(found)[have - found["first_index"] :]
                before = max(0, min(len(fresh), old - frontier.size))
                frontier.extend(fresh[:before])
                added += fresh[before:]
                if found["tree_size"] == target or len(added) >= STRIDE_LEAVES:
                    yield Step(found, consistency_from(frontier, added))
                    frontier.extend(added)
                    added = []
                    self._keep(origin, _Reached(frontier.copy(), offset + 1))
                if found["tree_size"] == target:
                    return
        raise AnchorError(f"the topic has no leaves from {frontier.size} to {target} of {origin}")

    def _keep(self, origin: str, reached: _Reached) -> None:
        self._reached[origin] = reached
        told = {name: [each.frontier.to_bytes().hex(), each.offset] for name, each in self._reached.items()}
        draft = self._file.with_name(f".{self._file.name}")
        draft.write_text(json.dumps(told), "utf-8")
        draft.replace(self._file)


def _read(file: Path) -> dict[str, _Reached]:
    """What cannot be read is made anew from the topic."""
    try:
        told = json.loads(file.read_text("utf-8"))
        return {
            str(name): _Reached(Frontier.from_bytes(bytes.fromhex(tree)), int(offset))
            for name, (tree, offset) in told.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
