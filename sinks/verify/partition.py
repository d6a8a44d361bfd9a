"""One partition of the trail against its signed tree.

The checkpoints bring the leaves and the signed roots, the rows bring what is there now. A block is what a checkpoint
adds. Where its leaves give the signed root, each row is held against its leaf, so that a finding names the row.
Where they do not, the rows are tried: if those give the root, the checkpoint's leaves were changed and no row.
"""

from collections.abc import Iterable, Sequence

from schemas.merkle import HASH_BYTES, Frontier
from sinks.verify.findings import Coverage, Finding, Kind, Report
from sinks.verify.forgotten import Forgotten
from sinks.verify.heads import Head, Judge, whole_hashes
from sinks.verify.holding import Holding
from sinks.verify.moved import Moved
from sinks.verify.policy import Policy
from sinks.verify.trail import Trail

_NO_LEAF = bytes(HASH_BYTES)
BLOCK_MAX = 100_000
"""Leaves of one checkpoint that are tried from the rows: so many rows are held at once at most."""


class PartitionCheck:
    """Checks one partition; what it finds goes into `report`.

    `outside`: notes of this partition that were kept elsewhere (anchors, what an earlier check saw).
    """

    def __init__(
        self,
        partition: int,
        trail: Trail,
        policy: Policy,
        *,
        report: Report,
        moved: Moved,
        outside: Iterable[str] = (),
    ) -> None:
        self._partition = partition
        self._trail = trail
        self._policy = policy
        self._report = report
        self._judge = Judge(partition, policy, report)
        self._frontier = Frontier()
        self._before = Frontier()  # as it stood before the last block
        self._hints: list[
            bytes
        ] = []  # leaves of checkpoints that are not believed: the next signed root judges them
        self._base = -1
        self._unbroken = True
        self._head: Head | None = None
        self._vouched = 0
        self._vouching: tuple[int, frozenset[str]] = (0, frozenset())
        self.coverage = Coverage(partition)
        given = [self._judge.head(note, "a checkpoint kept outside") for note in outside]
        self._awaited = sorted((head for head in given if head), key=lambda head: head.tree.size)
        forgotten = Forgotten(partition, lambda: trail.tombstones(partition), policy.retention(), report)
        self._holding = Holding(
            partition,
            trail.rows(partition),
            forgotten=forgotten,
            report=report,
            coverage=self.coverage,
            moved=moved,
        )

    def run(self) -> Coverage:
        """Reads all of it."""
        for record in self._trail.checkpoints(self._partition):
            if record["kind"] == "anchor":
                self._await(self._judge.of_anchor(record))
                continue
            head = self._judge.of_record(record)
            if head is None:
                self._hint(record["first_index"], record["leaves"])
            else:
                self.coverage.checkpoints += 1
                self._take(head, record["first_index"], record["leaves"])
        self._end()
        return self.coverage

    # -- one checkpoint

    def _hint(self, first: int, joined: bytes) -> None:
        """What a checkpoint that is not believed says of its leaves may still be true."""
        leaves = whole_hashes(joined, len(joined) // HASH_BYTES) or []
        if first == self._frontier.size + len(self._hints) and len(self._hints) + len(leaves) <= BLOCK_MAX:
            self._hints += leaves

    def _take(self, head: Head, first: int, joined: bytes) -> None:
        if self._base < 0:
            self._base = self.coverage.base_offset = max(head.base, 0)
            self._holding.begin(self._base)
        size, hints = head.tree.size, self._hints
        self._hints = []
        if head.base != self._base:
            self._found(Kind.FORKED, f"the checkpoint of size {size} begins at offset {head.base}")
        elif size <= self._frontier.size:
            self._compare(head)
        else:
            leaves = whole_hashes(joined, size - first) if 0 <= first <= size else None
            if leaves is None:
                detail = f"the leaves of the checkpoint of size {size} are not as many as it says"
                self._found(Kind.MODIFIED, detail)
                leaves, first = [], size
            if hints and first == self._frontier.size + len(hints):
                leaves, first = hints + leaves, self._frontier.size
            self._grow(head, leaves, first)

    def _grow(self, head: Head, leaves: list[bytes], first: int) -> None:
        """The tree grows to the size of `head`, by `leaves` from index `first` on."""
        if first > self._frontier.size:
            self._bridge(first)
        if first < self._frontier.size and self._forks(head, leaves, first):
            return
        before = self._frontier.copy()
        self._block(head, leaves[self._frontier.size - first :])
        self._before = before
        self._head = head
        if self._unbroken or not self._policy.quorum:
            self._vouch(head)

    def _forks(self, head: Head, leaves: list[bytes], first: int) -> bool:
        """Whether these leaves give the signed root on the tree before the last block, and not on this one."""
        own = _root(self._frontier, leaves[self._frontier.size - first :])
        skipped = self._before.size - first
        if own == head.tree.root or skipped < 0 or _root(self._before, leaves[skipped:]) != head.tree.root:
            return False
        self._found(
            Kind.FORKED,
            f"the checkpoints of size {self._frontier.size} and {head.tree.size} are signed and do not agree on what"
            f" follows leaf {self._before.size - 1}",
        )
        self._frontier = self._before.copy()
        held = leaves[skipped:]
        self._hold_again(held)
        self._append(held)
        self._head = head
        return True

    def _hold_again(self, leaves: list[bytes]) -> None:
        """Rows are read once: those of the branch before were held already."""
        start = self._holding.next_offset - self._base - self._frontier.size
        self._hold(self._frontier.size + start, leaves[start:])

    def _bridge(self, until: int) -> None:
        """Leaves that no checkpoint brings: the rows have to give them. Then no finding can name the row."""
        start = self._frontier.size
        while self._frontier.size < until:
            leaf = self._holding.leaf_at(self._base + self._frontier.size)
            self._unbroken = self._unbroken and leaf is not None
            self._append([leaf or _NO_LEAF])
        taken = (
            "rows were taken for them" if self._unbroken else "nor do the rows: no later root can be computed"
        )
        self._found(Kind.MISSING, f"no checkpoint brings the leaves {start} to {until - 1}; {taken}")

    def _block(self, head: Head, leaves: list[bytes]) -> None:
        start, root = self._frontier.size, head.tree.root
        if not self._unbroken or _root(self._frontier, leaves) == root:
            self._hold(start, leaves)
            self._append(leaves)
            return
        count = len(leaves)
        rows = self._holding.leaves_ahead(self._base + start, count) if count <= BLOCK_MAX else None
        if count and rows is not None and _root(self._frontier, rows) == root:
            detail = f"the stored leaves of the checkpoint of size {head.tree.size}; the rows fit it"
            self._found(Kind.MODIFIED, detail)
            self._hold(start, rows)
            self._append(rows)
            return
        self._unbroken = False
        detail = (
            f"neither leaves nor rows give the root that was signed at size {head.tree.size};"
            " from here on rows are held against stored leaves that no signature proves"
        )
        self._found(Kind.MODIFIED, detail, self._base + start, self._base + head.tree.size - 1)
        self._hold(start, leaves)
        self._append(leaves)

    def _hold(self, start: int, leaves: Sequence[bytes]) -> None:
        for at, leaf in enumerate(leaves):
            self._holding.hold(self._base + start + at, leaf)

    def _append(self, leaves: Sequence[bytes]) -> None:
        """Goes on with the tree, and stops at each size that a note from elsewhere names."""
        for leaf in leaves:
            self._frontier.append(leaf)
            while self._awaited and self._awaited[0].tree.size <= self._frontier.size:
                self._compare(self._awaited.pop(0))

    # -- heads of which the leaves come elsewhere

    def _await(self, head: Head | None) -> None:
        if head is None:
            return
        if head.tree.size > self._frontier.size:
            self._awaited = sorted((*self._awaited, head), key=lambda other: other.tree.size)
        else:
            self._compare(head)

    def _compare(self, head: Head) -> None:
        """A head of the size that the tree has now, or of one that is past."""
        if head.tree.size != self._frontier.size or not self._unbroken:
            return
        if head.tree.root != self._frontier.root():
            roots = " and ".join(f"{root.hex()[:16]}…" for root in (head.tree.root, self._frontier.root()))
            self._found(Kind.FORKED, f"two histories were signed at size {head.tree.size}: {roots}")
        else:
            self._vouch(head)

    def _vouch(self, head: Head) -> None:
        """Counts who vouches for the tree of this size, each witness once, in whichever note it is said."""
        size, names = self._vouching
        names = names | head.witnesses if size == head.tree.size else head.witnesses
        self._vouching = (head.tree.size, names)
        if len(names) >= self._policy.quorum:
            self._vouched = max(self._vouched, head.tree.size)
        if names:
            self.coverage.witnesses = len(names)

    # -- the end

    def _end(self) -> None:
        size = self._frontier.size
        end = (self._base if self._base >= 0 else 0) + size
        for head in self._awaited:
            if head.tree.size > size:
                detail = f"a checkpoint of size {head.tree.size} is known; the last one stored has {size}"
                self._found(Kind.TRUNCATED, detail, end, end + head.tree.size - size - 1)
                break
        self._holding.end(end, vouched=end - size + self._vouched if self._head else end)
        cover = self.coverage
        cover.size = size
        cover.stamped_at = self._judge.stamped_at
        if self._head is not None:
            cover.root = self._head.tree.root.hex()
            cover.signed_at = self._head.signed_at
            cover.note = self._head.note

    def _found(self, kind: Kind, detail: str, first: int = -1, last: int = -1) -> None:
        self._report.add(Finding(kind, self._partition, first, last, detail=detail))


def _root(frontier: Frontier, leaves: Sequence[bytes]) -> bytes:
    candidate = frontier.copy()
    candidate.extend(leaves)
    return candidate.root()
