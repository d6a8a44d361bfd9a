"""The log of one partition: leaves in, drafts of tree heads out. Pure; time is given.

A log begins at a frontier of some signed (or about to be signed) past, and is given every record from there on. While
it passes sizes of which a root is known, the root must come out; what lies beyond the largest of them is new.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from processors.checkpoints.refusal import RefusedError
from schemas.checkpoints import leaf_of
from schemas.merkle import HASH_BYTES, Frontier


@dataclass(frozen=True, slots=True)
class Draft:
    """The next tree head: `size` leaves with `root`, of which `leaves` are not on topic `checkpoints` yet."""

    size: int
    root: bytes
    leaves: tuple[bytes, ...]


class Log:
    """The tree over one partition. `published` is the size of the newest checkpoint that is on the topic."""

    def __init__(
        self,
        base_offset: int,
        frontier: Frontier,
        *,
        published: int = 0,
        roots: Mapping[int, bytes] | None = None,
        reread: int = 10_000,
    ) -> None:
        """`roots` are the known ones by size; what is below `frontier` is not looked at. Raises RefusedError when
        `frontier` itself has another one. `reread`: how many records are read again by whoever goes on later."""
        self.base_offset = base_offset
        self.published = published
        self._roots = {size: root for size, root in (roots or {}).items() if size >= frontier.size}
        self._frontier = frontier.copy()
        self._marks = [frontier.copy()]
        self._reread = reread
        self._new: list[bytes] = []
        self._since: float | None = None
        self._check()

    @property
    def size(self) -> int:
        """How many leaves were taken."""
        return self._frontier.size

    @property
    def position(self) -> int:
        """Offset of the record that is expected next."""
        return self.base_offset + self._frontier.size

    @property
    def known(self) -> int:
        """The largest size of which a root is known: until it is reached, nothing is signed."""
        return max(self._roots, default=0)

    @property
    def waiting(self) -> int:
        """How many leaves no checkpoint on the topic has."""
        return max(0, self.size - self.published)

    @property
    def frontier(self) -> Frontier:
        """The tree as it is now."""
        return self._frontier.copy()

    @property
    def mark(self) -> Frontier:
        """An earlier tree, between one and two times `reread` records back: from where to read again."""
        return self._marks[0].copy()

    def take(self, offset: int, value: bytes | None, now: float) -> None:
        """The next record. Raises RefusedError when records before it are missing, or a known root does not come."""
        if offset != self.position:
            raise RefusedError("hole", f"offset {self.position} is expected next, and {offset} is there")
        leaf = leaf_of(value)
        self._frontier.append(leaf)
        if self._frontier.size > self.published:
            self._new.append(leaf)
            self._since = now if self._since is None else self._since
        if self._frontier.size in self._roots:
            self._check()
        if self._frontier.size - self._marks[-1].size >= self._reread:
            self._marks = [self._marks[-1], self._frontier.copy()]

    def due(self, now: float, records_max: int, seconds: float) -> bool:
        """Whether it is time for a checkpoint: so many records, or the oldest of them waits for so long."""
        if self._since is None or self.size < self.known:
            return False
        return len(self._new) >= records_max or now - self._since >= seconds

    def draft(self) -> Draft:
        """The tree head to sign now."""
        return Draft(self.size, self._frontier.root(), tuple(self._new))

    def signed(self, draft: Draft) -> None:
        """`draft` is on the topic."""
        self.published = draft.size
        del self._new[: len(draft.leaves)]
        self._since = None
        self._roots = {size: root for size, root in self._roots.items() if size > draft.size}

    def _check(self) -> None:
        """Raises RefusedError when the root of this size is known to be another."""
        root = self._roots.get(self._frontier.size)
        if root is not None and root != self._frontier.root():
            first, last = self.base_offset + self._marks[0].size, self.position - 1
            raise RefusedError(
                "changed",
                f"offsets {first} to {last} give the root {self._frontier.root().hex()} for {self.size} leaves,"
                f" and {root.hex()} was signed",
            )


def kept(log: Log) -> bytes:
    """What whoever goes on has to know: where leaf 0 is, what is published, the tree, and one to read again from."""
    numbers = b"".join(number.to_bytes(8, "big") for number in (log.base_offset, log.published))
    mark, now = log.mark.to_bytes(), log.frontier.to_bytes()
    return numbers + len(mark).to_bytes(2, "big") + mark + now


@dataclass(frozen=True, slots=True)
class Kept:
    """What `kept` told."""

    base_offset: int
    published: int
    mark: Frontier
    frontier: Frontier


def read_kept(content: bytes) -> Kept:
    """Raises ValueError for anything but what `kept` gave."""
    if len(content) < 18:
        raise ValueError("what was kept of a log breaks off")
    base, published = (int.from_bytes(content[at : at + 8], "big") for at in (0, 8))
    split = 18 + int.from_bytes(content[16:18], "big")
    mark, frontier = Frontier.from_bytes(content[18:split]), Frontier.from_bytes(content[split:])
    if not mark.size <= frontier.size or published > frontier.size or split > len(content) - HASH_BYTES:
        raise ValueError("what was kept of a log does not fit together")
    return Kept(base, published, mark, frontier)
