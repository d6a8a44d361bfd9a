"""The Merkle tree: as RFC 6962 writes it down, whatever its size; a proof shows what it should and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_from,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    split_hashes,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [  # of the first 1 to 8 entries, as Certificate Transparency's own tests have them
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MAX = 300
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(MAX)]
sizes = st.integers(0, MAX)


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962, 2.1 defines it, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH as RFC 6962, 2.1.1 defines it."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if index < k:
        return [*path(index, leaves[:k]), mth(leaves[k:])]
    return [*path(index - k, leaves[k:]), mth(leaves[:k])]


def subproof(old: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF as RFC 6962, 2.1.2 defines it."""
    if old == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if old <= k:
        return [*subproof(old, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(old - k, leaves[k:], False), mth(leaves[:k])]


def test_the_roots_are_those_that_certificate_transparency_knows() -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert [root_of(leaves[:size]).hex() for size in range(1, 9)] == KNOWN_ROOTS
    assert root_of([]) == EMPTY_ROOT == sha256(b"").digest()


def test_a_leaf_is_never_taken_for_a_node() -> None:
    one, two = LEAVES[:2]
    assert leaf_hash(one + two) != root_of([one, two])


def test_every_size_has_the_root_of_the_definition_however_the_leaves_came() -> None:
    frontier = Frontier()
    for size in range(MAX):
        assert frontier.root() == mth(LEAVES[:size])
        frontier.append(LEAVES[size])


@given(sizes, sizes)
def test_a_frontier_goes_on_from_its_bytes(size: int, more: int) -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    restored = Frontier.from_bytes(frontier.to_bytes())
    assert restored == frontier
    restored.extend(LEAVES[:more])
    assert restored.root() == mth([*LEAVES[:size], *LEAVES[:more]])
    assert frontier.size == size


@pytest.mark.parametrize(
    "kept", [b"", b"\0" * 7, b"\0" * 8 + b"x" * 32, b"\0" * 7 + b"\1", b"\0" * 7 + b"\1xx"]
)
def test_a_frontier_that_lacks_something_is_refused(kept: bytes) -> None:
    with pytest.raises(ValueError):
        Frontier.from_bytes(kept)


@given(st.data())
def test_a_leaf_is_proven_to_be_where_it_is_and_nowhere_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MAX))
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, MAX))
    leaves, root = LEAVES[:size], mth(LEAVES[:size])
    proof = inclusion_proof(leaves, index)
    assert proof == path(index, leaves)
    assert verify_inclusion(LEAVES[index], index, size, proof, root)
    if other != index:
        assert not verify_inclusion(LEAVES[index], other, size, proof, root)
        assert not verify_inclusion(LEAVES[other % MAX], index, size, proof, root) or other % MAX == index
    assert not verify_inclusion(LEAVES[index], index, size, [*proof, EMPTY_ROOT], root)
    assert not proof or not verify_inclusion(LEAVES[index], index, size, proof[:-1], root)
    assert not verify_inclusion(LEAVES[index], index, size, proof, EMPTY_ROOT)


@given(sizes, sizes)
def test_a_tree_is_proven_to_extend_another(one: int, two: int) -> None:
    old, new = sorted((one, two))
    proof = consistency_proof(LEAVES[:new], old)
    assert proof == (subproof(old, LEAVES[:new]) if old else [])
    assert verify_consistency(old, mth(LEAVES[:old]), new, mth(LEAVES[:new]), proof)
    if old < new:
        assert not verify_consistency(new, mth(LEAVES[:new]), old, mth(LEAVES[:old]), proof)
        assert not verify_consistency(old, mth(LEAVES[:old]), new, mth(LEAVES[:new]), [*proof, EMPTY_ROOT])


@given(st.data())
def test_a_tree_in_which_one_old_leaf_changed_extends_nothing(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, MAX))
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    other = [*LEAVES[:changed], leaf_hash(b"forged"), *LEAVES[changed + 1 : new]]
    forged = consistency_proof(other, old)
    assert not verify_consistency(old, mth(LEAVES[:old]), new, mth(other), forged)
    assert not verify_consistency(
        old, mth(LEAVES[:old]), new, mth(other), consistency_proof(LEAVES[:new], old)
    )


@given(st.data())
@settings(max_examples=200)
def test_no_proof_that_somebody_bent_is_taken(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, MAX))
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(LEAVES[:new], old)
    at = data.draw(st.integers(0, len(proof) - 1)) if proof else 0
    bent = [*proof[:at], leaf_hash(b"bent"), *proof[at + 1 :]]
    assert not verify_consistency(old, mth(LEAVES[:old]), new, mth(LEAVES[:new]), bent)
    assert not verify_consistency(old, mth(LEAVES[:old]), new, mth(LEAVES[:new]), proof[:-1])


@given(sizes, sizes)
def test_what_was_added_and_a_frontier_are_enough_for_a_proof(one: int, two: int) -> None:
    old, new = sorted((one, two))
    frontier = Frontier()
    frontier.extend(LEAVES[:old])
    before = frontier.copy()
    proof = consistency_from(frontier, LEAVES[old:new])
    assert verify_consistency(old, mth(LEAVES[:old]), new, mth(LEAVES[:new]), proof)
    assert frontier == before


def test_what_is_not_there_has_no_proof() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(LEAVES[:3], 3)
    with pytest.raises(ValueError, match="extends none of 4"):
        consistency_proof(LEAVES[:3], 4)
    with pytest.raises(ValueError, match="whole number"):
        split_hashes(bytes(33))
    assert not verify_inclusion(LEAVES[0], 0, 0, [], EMPTY_ROOT)
    assert not verify_inclusion(LEAVES[0], -1, 1, [], LEAVES[0])
