"""Ids that are ordered by time, and randomness that is never given twice."""

from __future__ import annotations

import time
from uuid import UUID

from gateway.edge.identifiers import Entropy


def test_an_id_is_a_uuid_of_version_7_of_now() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(Entropy().uuid7())
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_of_later_milliseconds_sort_later() -> None:
    entropy = Entropy()
    ids: list[str] = []
    stop = time.monotonic() + 0.05
    while time.monotonic() < stop:
        ids.append(entropy.uuid7())
    stamps = [name[:13] for name in ids]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) > 10
    assert len(set(ids)) == len(ids)


def test_no_random_byte_is_given_twice_not_even_over_the_border_of_a_block() -> None:
    entropy = Entropy(block_bytes=40)
    taken = [entropy.take(16) for _ in range(50)]
    assert {len(piece) for piece in taken} == {16}
    assert len(set(taken)) == 50
    assert len(entropy.take(100)) == 100
