"""Takes a part of the trail out as a bundle that anybody can check offline with the policy file of keys.

manifest.json          what was selected; by partition: offsets, tree, head
heads-P.json           the signed checkpoint that covers the rows, and its anchors
tree-P.avro            the tree under it, pruned to the rows (see `sinks.verify.pruned`)
rows-P.avro            the rows as stored, and repeats in the columns of their twins
tombstones-P.json      what of these rows is gone, as signed
"""

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fastavro import parse_schema
from fastavro.write import Writer

from schemas.checkpoints import CheckpointRecord
from sinks.verify.findings import VerifyError
from sinks.verify.heads import whole_hashes
from sinks.verify.live import LiveTrail
from sinks.verify.pruned import prune
from sinks.verify.rebuild import row_schema
from sinks.verify.selection import Selection

FORM = "sluicegate-bundle/1"
TREE = parse_schema(
    {
        "type": "record",
        "name": "Node",
        "fields": [
            {"name": "first", "type": "long"},
            {"name": "level", "type": "int"},
            {"name": "digest", "type": "bytes"},
            {"name": "shown", "type": "boolean"},
        ],
    }
)
_CODEC = "deflate"


@dataclass
class Piece:
    """What a bundle has of one partition: offsets `first` to `last`, of a tree of `size` leaves from `base` on."""

    partition: int
    base: int
    size: int
    first: int
    last: int
    rows: int = 0
    gone_repeats: list[int] = field(default_factory=list)


def export(trail: LiveTrail, wanted: Selection, folder: Path) -> list[Piece]:
    """Writes the bundle into `folder`, which must not be there or be empty. Raises VerifyError, OSError.

    Memory holds the offsets that were selected (8 bytes a row) and one page of rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise VerifyError(f"{folder} is not empty; name a new folder for the bundle")
    pieces = [
        piece
        for number in trail.partitions()
        if (piece := _Export(trail, wanted, folder, number).run()) is not None
    ]
    manifest = {
        "form": FORM,
        "scope": "range" if wanted.is_range else "selection",
        "selection": asdict(wanted),
        "partitions": [asdict(piece) for piece in pieces],
    }
    _write_json(folder / "manifest.json", manifest)
    return pieces


class Shown:
    """A set of offsets, 8 bytes each."""

    def __init__(self, offsets: "array[int]") -> None:
        self._offsets = offsets

    def __contains__(self, offset: int) -> bool:
        at = bisect_left(self._offsets, offset)
        return at < len(self._offsets) and self._offsets[at] == offset


class _Export:
    """One partition's part of a bundle."""

    def __init__(self, trail: LiveTrail, wanted: Selection, folder: Path, partition: int) -> None:
        self._trail = trail
        self._wanted = wanted
        self._folder = folder
        self._partition = partition

    def run(self) -> Piece | None:
        offsets = self._trail.offsets(self._partition, self._wanted)
        if not offsets:
            return None
        head, anchors = self._head(offsets[-1])
        base = head["base_offset"]
        piece = Piece(self._partition, base, head["tree_size"], max(offsets[0], base), offsets[-1])
        shown = None if self._wanted.is_range else Shown(offsets)
        self._write_rows(piece, shown)
        self._write_tree(piece, shown)
        slim = [{**record, "first_index": record["tree_size"], "leaves": b""} for record in (head, *anchors)]
        _write_json(self._path("heads", "json"), [_hexed(record) for record in slim])
        stones = self._trail.tombstones(self._partition)
        near = [
            one for one in stones if one["last_offset"] >= piece.first and one["first_offset"] <= piece.last
        ]
        _write_json(self._path("tombstones", "json"), [_hexed(record) for record in near])
        return piece

    def _head(self, last: int) -> tuple[CheckpointRecord, list[CheckpointRecord]]:
        """The newest checkpoint over all the rows that has anchors, else the newest one; and its anchors."""
        newest: CheckpointRecord | None = None
        chosen: CheckpointRecord | None = None
        anchors: list[CheckpointRecord] = []
        for record in self._trail.checkpoints(self._partition):
            if record["base_offset"] + record["tree_size"] <= last:
                continue
            if record["kind"] == "checkpoint":
                newest = record
            elif newest is not None and newest["tree_size"] == record["tree_size"]:
                anchors = [*anchors, record] if chosen is newest else [record]
                chosen = newest
        if newest is None:
            raise VerifyError(
                f"no checkpoint covers offset {last} of partition {self._partition} yet; try again in a few seconds, "
                "or select rows that are older"
            )
        return (chosen, anchors) if chosen is not None else (newest, [])

    def _write_tree(self, piece: Piece, shown: Shown | None) -> None:
        def flagged() -> Iterator[tuple[bytes, bool]]:
            for index, leaf in enumerate(_leaves(self._trail.checkpoints(self._partition), piece)):
                offset = piece.base + index
                yield leaf, (piece.first <= offset <= piece.last if shown is None else offset in shown)

        with self._path("tree", "avro").open("wb") as out:
            writer = Writer(out, TREE, _CODEC)
            for node in prune(flagged()):
                writer.write(node._asdict())
            writer.flush()

    def _write_rows(self, piece: Piece, shown: Shown | None) -> None:
        rows = self._trail.selected_rows(self._partition, self._wanted, piece.first, piece.last)
        wanted = (row for row in rows if shown is None or row["k_offset"] in shown)
        with self._path("rows", "avro").open("wb") as out:
            writer: Writer | None = None
            for row in wanted:
                if "frame_id" not in row:
                    piece.gone_repeats.append(row["k_offset"])
                    continue
                writer = writer or Writer(out, parse_schema(row_schema()), _CODEC)
                writer.write({**row, "repeat": bool(row.get("repeat"))})
                piece.rows += 1
            if writer is not None:
                writer.flush()

    def _path(self, what: str, ending: str) -> Path:
        return self._folder / f"{what}-{self._partition}.{ending}"


def _leaves(records: Any, piece: Piece) -> Iterator[bytes]:
    """The leaves of the tree, each once. Raises VerifyError where a checkpoint lacks."""
    size = 0
    for record in records:
        leaves = whole_hashes(record["leaves"], record["tree_size"] - record["first_index"])
        if record["kind"] != "checkpoint" or record["tree_size"] <= size:
            continue
        if leaves is None or record["first_index"] > size:
            raise VerifyError(
                f"the checkpoints of partition {piece.partition} do not bring all leaves from {size} on; "
                "run `sluicegate verify` on the trail itself"
            )
        yield from leaves[size - record["first_index"] : piece.size - record["first_index"]]
        size = record["tree_size"]
        if size >= piece.size:
            return


def _hexed(record: Any) -> dict[str, Any]:
    """Bytes as {"hex": …}."""
    return {
        name: {"hex": value.hex()} if isinstance(value, bytes) else value for name, value in record.items()
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="ascii")
