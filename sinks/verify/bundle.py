"""Checks a bundle: no network, no configuration, only its files and the policy file of keys.

Of a range of time every row must be there; of a selection (a session, a connection) each row that is there is proven,
and that none was left out is not.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from fastavro import reader

from sinks.verify.exporting import FORM
from sinks.verify.findings import Coverage, Finding, Kind, Report, VerifyError
from sinks.verify.forgotten import Forgotten
from sinks.verify.heads import Head, Judge
from sinks.verify.holding import Holding
from sinks.verify.moved import Moved
from sinks.verify.policy import Policy
from sinks.verify.pruned import Node, Root
from sinks.verify.rebuild import Row

_BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, StopIteration, IndexError)
_SELECTION = "a selection: each row in it is proven; that none was left out is not"


def check_bundle(folder: Path, policy: Policy, outside: Mapping[int, list[str]] | None = None) -> Report:
    """What is found in the bundle. Raises VerifyError when it is none."""
    manifest = _json(folder / "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("form") != FORM:
        raise VerifyError(f"{folder} holds no bundle of the form {FORM}")
    report = Report()
    moved = Moved(report)
    is_range = manifest["scope"] == "range"
    for piece in manifest["partitions"]:
        one = _Piece(folder, piece, policy, report, moved, is_range=is_range)
        report.coverage.append(one.run((outside or {}).get(piece["partition"], [])))
    moved.settle()
    if not is_range:
        report.notes.append(_SELECTION)
    if not any(part.checkpoints for part in report.coverage):
        report.cannot = (
            "no checkpoint in it is signed by a key of the policy: nothing of this bundle can be proven"
        )
    return report


class _Piece:
    """The part of one partition."""

    def __init__(
        self,
        folder: Path,
        piece: dict[str, Any],
        policy: Policy,
        report: Report,
        moved: Moved,
        *,
        is_range: bool,
    ) -> None:
        self._folder, self._piece, self._policy, self._report = folder, piece, policy, report
        self._partition: int = piece["partition"]
        self._is_range = is_range
        self._judge = Judge(self._partition, policy, report)
        self.coverage = Coverage(self._partition, base_offset=piece["base"])
        stones = [_bytes(record) for record in _json(self._path("tombstones", "json"))]
        self._holding = Holding(
            self._partition,
            self._rows(),
            forgotten=Forgotten(self._partition, lambda: stones, policy.retention(), report),
            report=report,
            coverage=self.coverage,
            moved=moved,
            whole=False,
            chained=is_range,
        )

    def run(self, outside: list[str]) -> Coverage:
        """Reads all of it."""
        head = self._head()
        self._holding.begin(self._piece["first"])
        root, shown = Root(), 0
        for node in self._nodes():
            root.add(node)
            offset = self._piece["base"] + node.first
            if node.shown:
                shown += 1
                self._holding.hold(offset, node.digest)
        if self._is_range and shown != self._piece["last"] - self._piece["first"] + 1:
            self._found(Kind.MISSING, "the bundle does not show every leaf of its range")
        end = self._piece["last"] + 1
        if head is not None:
            self._compare(head, root, outside)
            enough = len(head.witnesses) >= self._policy.quorum
            self._holding.end(end, vouched=end if enough else self._piece["first"])
        else:
            self._holding.end(end, vouched=self._piece["first"])
        return self.coverage

    def _compare(self, head: Head, root: Root, outside: list[str]) -> None:
        cover = self.coverage
        cover.checkpoints, cover.size, cover.root = 1, head.tree.size, head.tree.root.hex()
        cover.signed_at, cover.note = head.signed_at, head.note
        cover.witnesses, cover.stamped_at = len(head.witnesses), self._judge.stamped_at
        if (root.size, root.digest()) != (head.tree.size, head.tree.root):
            detail = "the tree of the bundle does not give the signed root: no row in it is proven"
            self._found(Kind.MODIFIED, detail)
        for note in outside:
            other = self._judge.head(note, "a checkpoint kept outside")
            if other and other.tree.size == head.tree.size and other.tree.root != head.tree.root:
                self._found(Kind.FORKED, f"another history was signed at size {head.tree.size}")

    def _head(self) -> Head | None:
        """The head of the bundle with what its anchors add; a finding and None when it is not believed."""
        first, *anchors = [_bytes(record) for record in _json(self._path("heads", "json"))]
        head = self._judge.of_record(first)
        for record in anchors:
            anchored = self._judge.of_anchor(record)
            if head is not None and anchored is not None and anchored.tree == head.tree:
                head = Head(head.tree, head.note, head.witnesses | anchored.witnesses)
        if head is not None and head.base != self._piece["base"]:
            self._found(Kind.MODIFIED, "the manifest says another first offset than the signed checkpoint")
        return head

    def _nodes(self) -> Iterator[Node]:
        for record in self._avro("tree"):
            yield Node(record["first"], record["level"], record["digest"], record["shown"])

    def _rows(self) -> Iterator[Row]:
        gone = iter(sorted(self._piece["gone_repeats"]))
        waiting = next(gone, None)
        for row in self._avro("rows"):
            while waiting is not None and waiting < row["k_offset"]:
                yield {"k_offset": waiting, "repeat": True}
                waiting = next(gone, None)
            yield row
        while waiting is not None:
            yield {"k_offset": waiting, "repeat": True}
            waiting = next(gone, None)

    def _avro(self, what: str) -> Iterator[dict[str, Any]]:
        path = self._path(what, "avro")
        try:
            if path.stat().st_size:
                with path.open("rb") as source:
                    yield from cast("Iterator[dict[str, Any]]", reader(source))
        except _BROKEN as error:
            raise VerifyError(f"{path} cannot be read to its end: {error}") from error

    def _path(self, what: str, ending: str) -> Path:
        return self._folder / f"{what}-{self._partition}.{ending}"

    def _found(self, kind: Kind, detail: str) -> None:
        self._report.add(Finding(kind, self._partition, detail=detail))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise VerifyError(f"{path} cannot be read: {error}") from error


def _bytes(record: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for name, v in record.items()}
