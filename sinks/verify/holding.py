"""The rows of one partition, held one after the other against the leaves that were signed."""

from collections.abc import Callable, Iterator

from schemas.merkle import leaf_hash
from sinks.verify.findings import Coverage, Finding, Kind, Report
from sinks.verify.forgotten import BODY, ERASED, ROW, Forgotten
from sinks.verify.lanes import Gap, Lanes, Link
from sinks.verify.moved import Moved
from sinks.verify.rebuild import Rebuilt, Row, rebuild
from sinks.verify.runs import Cursor, Run

_GONE = {ROW: "rows", BODY: "bodies", ERASED: "a person's data in these rows"}
WHOLE = ""
_ERASED = b"erased:"
_CLAIMS = {"gone": "is not there", "unproven": "does not give what was signed here"}


class Holding:
    """Holds rows against leaves, in the order of offsets. What lacks is raised in the end, with its lane where that
    is plain."""

    def __init__(
        self,
        partition: int,
        rows: Iterator[Row],
        *,
        forgotten: Forgotten,
        report: Report,
        coverage: Coverage,
        moved: Moved,
        whole: bool = True,
        chained: bool = True,
    ) -> None:
        """`whole`: the rows are all there are, and lanes begin with their first frames. Not `chained`: the rows are
        some of many, and lanes say nothing."""
        self._chained = chained
        self._partition = partition
        self._cursor = Cursor(rows)
        self._forgotten = forgotten
        self._report = report
        self._coverage = coverage
        self._moved = moved
        self._lanes = Lanes(whole=whole)
        self._missing_runs: list[tuple[int, int]] = []
        self._missing = Run(lambda first, last: self._missing_runs.append((first, last)))
        self._gone = {what: Run(self._tell_gone(what)) for what in (ROW, BODY, ERASED)}
        self._absent = 0
        self.next_offset = 0

    def begin(self, base: int) -> None:
        """The log begins at offset `base`; what stands before it was stored before anything was signed."""
        early = self._unsigned(self._cursor.before(base))
        if early:
            detail = "stored before the log begins: nothing was signed of it"
            self._found(Kind.UNCHECKPOINTED_TAIL, *early, detail)

    def hold(self, offset: int, leaf: bytes) -> None:
        """The row at `offset` was signed as `leaf`."""
        self.next_offset = offset + 1
        self._forgotten.passes(offset, leaf)
        fitting: tuple[Row, Rebuilt, str] | None = None
        others: list[tuple[Row, Rebuilt]] = []
        claimed = ""
        for row in self._cursor.at(offset):
            if "frame_id" not in row:
                claimed = "gone"
                continue
            built = rebuild(row)
            fate = self._fate(row, built, leaf) if fitting is None else None
            if fate is not None:
                fitting = (row, built, fate)
            elif row.get("repeat"):
                claimed = "unproven"
            elif len(others) < 8:
                others.append((row, built))
            else:
                self._raise_other(Kind.DUPLICATE, row, built, "one of many rows at this place")
        if fitting is not None:
            self._accept(*fitting)
        elif others:
            self._moved.lost(leaf, self._partition, offset)
            self._absent += 1
            row, built = others.pop(0)
            self._raise_other(Kind.MODIFIED, row, built, _odds(built))
        else:
            self._lacks(offset, leaf, claimed=claimed)
        for row, built in others:
            self._raise_other(Kind.DUPLICATE, row, built, "a further row at the place of a signed one")

    def leaf_at(self, offset: int) -> bytes | None:
        """The leaf that the row at `offset` gives, where none was brought; None where there is no row to believe."""
        for row in self._cursor.at(offset):
            if "frame_id" in row:
                built = rebuild(row)
                if built.fault:
                    self._absent += 1
                    self._row(Kind.MODIFIED, row, built.fault)
                    return None
                self._accept(row, built, WHOLE)
                return built.leaf
        self._lacks(offset, b"", claimed="")
        return None

    def leaves_ahead(self, offset: int, count: int) -> list[bytes] | None:
        """The leaves that the next rows give, which are not taken; None when one lacks or is at odds with itself."""
        rows = self._cursor.look(offset, count)
        if rows is None or not all("frame_id" in row for row in rows):
            return None
        built = [rebuild(row) for row in rows]
        return None if any(row.fault for row in built) else [row.leaf for row in built]

    def end(self, end: int, *, vouched: int) -> None:
        """`end`: the offset after what is signed; `vouched`: the one after what enough witnesses saw."""
        tail = self._unsigned(self._cursor.rest(), end if end else -1)
        if vouched < end:
            self._found(
                Kind.UNCHECKPOINTED_TAIL, vouched, end - 1, "signed, and not yet seen by enough witnesses"
            )
        if tail:
            self._found(Kind.UNCHECKPOINTED_TAIL, *tail, "no checkpoint signs these rows (yet)")
        for run in (self._missing, *self._gone.values()):
            run.end()
        self._tell_missing(end if tail is None else -1)
        self._coverage.lanes = len(self._lanes)

    # -- one row

    def _fate(self, row: Row, built: Rebuilt, leaf: bytes) -> str | None:
        """What went of the row that was signed as `leaf`: WHOLE, BODY or ERASED; None: it is not that row."""
        offset = row["k_offset"]
        if built.leaf == leaf and not built.body_gone:
            return None if built.fault else WHOLE
        if built.leaf == leaf and not row["body"]:
            return BODY if any(self._forgotten.covers(what, offset) for what in (BODY, ERASED, ROW)) else None
        erased = self._forgotten.covers(ERASED, offset) and _is_emptied(row)
        return ERASED if erased and leaf_hash(row["audit_digest"]) == leaf else None

    def _accept(self, row: Row, built: Rebuilt, fate: str) -> None:
        self._coverage.rows += 1
        if fate:
            self._gone[fate].add(row["k_offset"])
        if row.get("repeat"):
            self._coverage.repeats += 1
        else:  # the digest of an erased row is among what its leaf was made of, and cannot be computed any more
            self._chain(row, row["digest"] if fate == ERASED else built.digest, signed=True)

    def _chain(self, row: Row, digest: bytes, *, signed: bool) -> None:
        if not self._chained:
            return
        lane, seq = _text(row["lane"]), row["lane_seq"]
        fault = self._lanes.add(Link(lane, seq, row["prev_digest"], digest, row["k_offset"], self._absent))
        if fault == "copy" and signed:
            self._coverage.repeats += 1
        elif fault == "copy":
            self._row(Kind.DUPLICATE, row, "this frame of the lane is there already")
        elif fault:
            self._row(
                Kind.FORKED, row, "another frame of the lane has this number" if fault == "other" else fault
            )

    def _lacks(self, offset: int, leaf: bytes, *, claimed: str) -> None:
        """`claimed`: said to be the repeat of another row, which is gone too, or gives another leaf."""
        if self._forgotten.covers(ROW, offset) or (claimed == "gone" and self._forgotten.any_rows):
            self._coverage.expired += 1
            self._gone[ROW].add(offset)
        elif claimed:
            detail = f"said to be a repeat of another row; that one {_CLAIMS[claimed]}"
            self._found(Kind.MISSING, offset, offset, detail)
        else:
            self._moved.lost(leaf, self._partition, offset)
            self._missing.add(offset)
        self._absent += not claimed  # who claims a repeat does not account for a frame of a lane

    def _hole(self, first: int, last: int) -> None:
        """Offsets without a row, of which nothing was signed: the topic has no holes."""
        self._absent += last - first + 1
        if not (self._forgotten.covers(ROW, first) and self._forgotten.covers(ROW, last)):
            self._found(
                Kind.MISSING, first, last, "nothing is stored at these offsets, of which nothing was signed"
            )

    def _unsigned(self, rows: Iterator[Row], expected: int = -1) -> tuple[int, int] | None:
        """Rows that nothing was signed of: each must fit itself and its lane. First and last offset of them.

        `expected`: the offset that comes next; -1 where that is not known.
        """
        first = last = -1
        for row in rows:
            offset = row["k_offset"]
            if expected >= 0 and offset > expected:
                self._hole(expected, offset - 1)
            expected = offset + 1
            first, last = (offset if first < 0 else first), offset
            if "frame_id" not in row:
                continue
            self._coverage.rows += 1
            built = rebuild(row)
            if self._moved.was_signed(built.leaf):
                self._raise_other(Kind.MODIFIED, row, built, "")
            elif built.fault:
                self._row(Kind.MODIFIED, row, built.fault)
            elif not row.get("repeat"):
                self._chain(row, built.digest, signed=False)
        return (first, last) if first >= 0 else None

    # -- findings

    def _raise_other(self, kind: Kind, row: Row, built: Rebuilt, detail: str) -> None:
        whole = not built.fault and not built.body_gone
        self._moved.strange(built.leaf if whole else b"", self._finding(kind, row, detail))

    def _row(self, kind: Kind, row: Row, detail: str) -> None:
        self._report.add(self._finding(kind, row, detail))

    def _finding(self, kind: Kind, row: Row, detail: str) -> Finding:
        offset, frame, lane = row["k_offset"], _text(row["frame_id"]), _text(row["lane"])
        return Finding(kind, self._partition, offset, offset, frame, lane, row["lane_seq"], detail)

    def _found(self, kind: Kind, first: int, last: int, detail: str) -> None:
        self._report.add(Finding(kind, self._partition, first, last, detail=detail))

    def _tell_gone(self, what: str) -> Callable[[int, int], None]:
        detail = f"{_GONE[what]} went as a signed tombstone says"
        return lambda first, last: self._found(Kind.EXPIRED_BY_POLICY, first, last, detail)

    def _tell_missing(self, end: int) -> None:
        gaps = self._lanes.gaps()
        for first, last in self._missing_runs:
            cut = last == end - 1
            kind = Kind.TRUNCATED if cut else Kind.MISSING
            detail = "signed rows at the end are not there" if cut else "signed, and not there"
            lane, seq = _lane_of(first, last, gaps)
            self._report.add(
                Finding(kind, self._partition, first, last, lane=lane, lane_seq=seq, detail=detail)
            )
        for gap in gaps:
            if gap.last - gap.first + 1 > gap.absent:
                shown = str(gap.first) if gap.first == gap.last else f"{gap.first} to {gap.last}"
                detail = f"frames {shown} of the lane never came into the log (see the dead letters)"
                self._report.add(
                    Finding(
                        Kind.MISSING,
                        self._partition,
                        lane=gap.lane,
                        lane_seq=gap.first,
                        detail=detail,
                        upstream=True,
                    )
                )


def _is_emptied(row: Row) -> bool:
    """Whether nothing stands where an erasure leaves nothing: it is no licence to write something else there."""
    rest = (
        "body",
        "http_headers",
        "user_agent",
        "peer",
        "resource",
        "reason",
        "client_id",
        "principal_groups",
    )
    return not any(row[name] for name in rest) and row["principal_subject"].startswith(_ERASED)


def _odds(built: Rebuilt) -> str:
    """What is wrong with a row that is not the one that was signed at its place."""
    if built.body_gone:
        return "the body is not the recorded one, and no tombstone says that it went"
    return built.fault or "the row fits its own digests, but is not the one that was signed here"


def _lane_of(first: int, last: int, gaps: list[Gap]) -> tuple[str, int]:
    """The lane and first number of what lacks at these offsets, when one gap alone can be it."""
    around = [gap for gap in gaps if gap.after < first and last < gap.before]
    fitting = [gap for gap in around if gap.last - gap.first == last - first]
    return (fitting[0].lane, fitting[0].first) if len(fitting) == 1 else ("", -1)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
