"""The Merkle tree of RFC 6962 (and RFC 9162): hashes, roots, and proofs that one tree holds or extends another.

    leaf  = SHA-256(0x00 ‖ data)
    node  = SHA-256(0x01 ‖ left ‖ right)
    empty = SHA-256("")

`leaves` are always leaf hashes (32 bytes each), never the data. Pure; sizes are counts of leaves, from 0.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
_SIZE_BYTES = 8


def leaf_hash(data: bytes) -> bytes:
    """32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """32 bytes."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees that a tree of `size` leaves falls into, the largest first: all it takes to
    go on appending, and to tell the root. At most 63 hashes."""

    __slots__ = ("_nodes", "_size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        """Raises ValueError when `nodes` are not as many hashes as a tree of `size` has."""
        self._size, self._nodes = size, list(nodes)
        if size < 0 or len(self._nodes) != size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves has another number of subtrees than {len(self._nodes)}"
            )
        if any(len(node) != HASH_BYTES for node in self._nodes):
            raise ValueError(f"a hash has {HASH_BYTES} bytes")

    @property
    def size(self) -> int:
        """How many leaves."""
        return self._size

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, the largest first."""
        return tuple(self._nodes)

    def append(self, leaf: bytes) -> None:
        """Put one more leaf hash at the end."""
        size, nodes = self._size, self._nodes
        while size & 1:
            leaf = sha256(b"\x01" + nodes.pop() + leaf).digest()
            size >>= 1
        nodes.append(leaf)
        self._size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append each."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The tree head: 32 bytes."""
        return _folded(self._nodes)

    def copy(self) -> "Frontier":
        """Another one that may go its own way."""
        return Frontier(self._size, self._nodes)

    def to_bytes(self) -> bytes:
        """The size in 8 bytes, big-endian, and the hashes."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._nodes)

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Frontier":
        """What `to_bytes` gave. Raises ValueError for anything else."""
        if len(kept) < _SIZE_BYTES:
            raise ValueError("a frontier begins with its size")
        return cls(int.from_bytes(kept[:_SIZE_BYTES], "big"), split_hashes(kept[_SIZE_BYTES:]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frontier) and (self._size, self._nodes) == (other._size, other._nodes)

    __hash__ = None  # type: ignore[assignment]  # it changes


def split_hashes(joined: bytes) -> list[bytes]:
    """The hashes in `joined`. Raises ValueError when they are not whole."""
    if len(joined) % HASH_BYTES:
        raise ValueError(f"{len(joined)} bytes are no whole number of hashes")
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of a tree of these leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


# -- proofs (RFC 6962, 2.1.1 and 2.1.2; verification as in RFC 9162, 2.1.3.2 and 2.1.4.2)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of all `leaves`. Raises ValueError for an index outside."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves has no leaf {index}")
    return _path(leaves, index, 0, len(leaves))


def _path(leaves: Sequence[bytes], index: int, first: int, until: int) -> list[bytes]:
    path: list[bytes] = []
    while until - first > 1:
        middle = first + _split(until - first)
        if index < middle:
            path.append(root_of(leaves[middle:until]))
            until = middle
        else:
            path.append(root_of(leaves[first:middle]))
            first = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is number `index` (from 0) of the tree of `size` leaves with this root."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for node in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(node, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, node)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Shows that the tree of all `leaves` extends that of its first `old_size`. Raises ValueError for more."""
    if not 0 <= old_size <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves extends none of {old_size}")
    frontier = Frontier()
    frontier.extend(leaves[:old_size])
    return consistency_from(frontier, leaves[old_size:])


def consistency_from(old: Frontier, added: Sequence[bytes]) -> list[bytes]:
    """Shows that the tree of `old` and then `added` extends that of `old`: no leaf before them is needed.

    Empty when nothing was added or `old` is empty, as RFC 6962 has it for equal sizes.
    """
    if old.size == 0 or not added:
        return []
    return _Extension(old, added).proof()


class _Extension:
    """SUBPROOF of RFC 6962: what lies before the old end comes from its subtrees, what lies after from the leaves."""

    def __init__(self, old: Frontier, added: Sequence[bytes]) -> None:
        self._size = old.size
        self._added = added
        self._kept = list(old.nodes)

    def proof(self) -> list[bytes]:
        first, until = 0, self._size + len(self._added)
        proof: list[bytes] = []
        while until != self._size:
            middle = first + _split(until - first)
            if self._size <= middle:
                proof.append(self._root(middle, until))
                until = middle
            else:
                proof.append(self._kept.pop(0))
                first = middle
        if first:  # else the old tree is the subtree itself, whose root the verifier has
            proof.append(self._kept.pop(0))
        return proof[::-1]

    def _root(self, first: int, until: int) -> bytes:
        return root_of(self._added[first - self._size : until - self._size])


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the new tree extends the old one. An empty old tree is extended by every tree."""
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old_size < new_size:
        return False
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    return bool(path) and _extends(old_size, old_root, new_size, new_root, path)


def _extends(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: list[bytes]) -> bool:
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, node)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`, which is 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _folded(nodes: Sequence[bytes]) -> bytes:
    if not nodes:
        return EMPTY_ROOT
    root = nodes[-1]
    for node in reversed(nodes[:-1]):
        root = node_hash(node, root)
    return root
