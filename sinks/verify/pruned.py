"""A tree of which only some leaves are shown: subtrees without any of them stand as one hash.

Whoever has the nodes can compute the root, so they prove each shown leaf as inclusion proofs would, all at once.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.merkle import EMPTY_ROOT, node_hash


class Node(NamedTuple):
    """The subtree over leaves `first` until first + 2**level. `shown`: a single leaf whose row is to be there."""

    first: int
    level: int
    digest: bytes
    shown: bool = False


def prune(leaves: Iterable[tuple[bytes, bool]]) -> Iterator[Node]:
    """The nodes over `leaves` (leaf hash, whether it is shown), in order, as few as there can be."""
    hidden: list[Node] = []
    for index, (leaf, shown) in enumerate(leaves):
        if shown:
            yield from hidden
            hidden.clear()
            yield Node(index, 0, leaf, True)
        else:
            _push(hidden, Node(index, 0, leaf))
    yield from hidden


class Root:
    """The root over nodes that are given in order."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self.size = 0

    def add(self, node: Node) -> None:
        """The next one. Raises ValueError when it does not follow, or lies across others."""
        if node.first != self.size or not 0 <= node.level < 63 or node.first % (1 << node.level):
            raise ValueError(
                f"a node of level {node.level} cannot stand at leaf {node.first} after {self.size}"
            )
        self.size += 1 << node.level
        _push(self._nodes, node)

    def digest(self) -> bytes:
        """The root: 32 bytes."""
        if not self._nodes:
            return EMPTY_ROOT
        found = self._nodes[-1].digest
        for node in reversed(self._nodes[:-1]):
            found = node_hash(node.digest, found)
        return found


def _push(nodes: list[Node], node: Node) -> None:
    """Puts `node` after the others, and joins halves of one subtree."""
    nodes.append(node)
    while len(nodes) > 1:
        left, right = nodes[-2:]
        if left.level != right.level or left.first % (2 << left.level):
            return
        nodes[-2:] = [Node(left.first, left.level + 1, node_hash(left.digest, right.digest))]
