"""A pruned tree has the root of the whole one, and proves the leaves that it shows."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merkle import root_of
from sinks.verify.pruned import Node, Root, prune


@given(st.lists(st.booleans(), max_size=70))
def test_the_nodes_give_the_root_of_all_leaves_and_show_those_that_were_asked_for(shown: list[bool]) -> None:
    leaves = [sha256(str(number).encode()).digest() for number in range(len(shown))]

    nodes = list(prune(zip(leaves, shown, strict=True)))

    root = Root()
    for node in nodes:
        root.add(node)
    assert (root.size, root.digest()) == (len(leaves), root_of(leaves))
    assert [node.first for node in nodes if node.shown] == [at for at, yes in enumerate(shown) if yes]


def test_one_leaf_of_many_takes_as_many_nodes_as_an_inclusion_proof() -> None:
    leaves = [(bytes([number % 251]) * 32, number == 700) for number in range(1_024)]

    assert len(list(prune(leaves))) == 1 + 10


@pytest.mark.parametrize("node", [Node(1, 0, bytes(32)), Node(0, 64, bytes(32)), Node(0, -1, bytes(32))])
def test_nodes_that_leave_a_hole_or_lie_across_others_are_refused(node: Node) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        Root().add(node)
