"""Two calls beside each other, line by line of how they are laid out. Pure."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from console.web.pages.replay_lines import Layout, Line, Piece

LINES_MAX = 1_500
CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Row:
    """`sign`: ' ' the same, '~' changed, '-' only on the left, '+' only on the right, '…' `skipped` lines
    that are the same. A side without a line is None."""

    sign: str
    left: Line | None
    right: Line | None
    skipped: int = 0

    @property
    def words(self) -> str:
        """The sign for who hears it."""
        return {"~": "changed", "-": "only left", "+": "only right", "…": "the same"}.get(self.sign, "same")


@dataclass(frozen=True, slots=True)
class Difference:
    """`cut`: what was not compared, in words."""

    rows: list[Row]
    changes: int
    cut: str = ""


def difference(left: Layout, right: Layout) -> Difference:
    """What differs, with a few lines around it."""
    ours, theirs = left.lines[:LINES_MAX], right.lines[:LINES_MAX]
    cut = ""
    if max(len(left.lines), len(right.lines)) > LINES_MAX or left.cut or right.cut:
        cut = f"Only the first {LINES_MAX:,} lines were compared."
    matcher = SequenceMatcher(None, list(map(_text, ours)), list(map(_text, theirs)), autojunk=False)
    rows: list[Row] = []
    for tag, low, high, low2, high2 in matcher.get_opcodes():
        if tag == "equal":
            rows += [Row(" ", a, b) for a, b in zip(ours[low:high], theirs[low2:high2], strict=True)]
        else:
            rows += _changed(ours[low:high], theirs[low2:high2])
    changes = sum(row.sign != " " for row in rows)
    return Difference(_with_context(rows), changes, cut)


def _changed(left: list[Line], right: list[Line]) -> list[Row]:
    both = min(len(left), len(right))
    rows = [Row("~", a, b) for a, b in zip(left[:both], right[:both], strict=True)]
    rows += [Row("-", a, None) for a in left[both:]]
    return rows + [Row("+", None, b) for b in right[both:]]


def _with_context(rows: list[Row]) -> list[Row]:
    """Long runs of the same are left out, and say how long they are."""
    near: set[int] = set()
    for at, row in enumerate(rows):
        if row.sign != " ":
            near.update(range(at - CONTEXT, at + CONTEXT + 1))
    kept: list[Row] = []
    skipped = 0
    for at, row in enumerate(rows):
        if at in near:
            if skipped:
                kept.append(Row("…", None, None, skipped))
            skipped = 0
            kept.append(row)
        else:
            skipped += 1
    return [*kept, Row("…", None, None, skipped)] if skipped else kept


def _text(line: list[Piece]) -> str:
    return "".join(piece.text for piece in line)
