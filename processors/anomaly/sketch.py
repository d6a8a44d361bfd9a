"""How many distinct things there were, in at most 257 bytes: exact up to 64, HyperLogLog with 256 registers beyond.

A thing counts by 32 bits of its digest. Estimates beyond 64 have a standard error of 6.5 %. Sketches are bytes, so
that they are stored as they are; adding is idempotent and its order does not matter.
Source: Flajolet et al., "HyperLogLog" (2007), with linear counting for the small range.
"""

from collections.abc import Iterable
from hashlib import blake2b
from math import log

ITEM_BYTES = 4
EXACT_MAX = 64
_REGISTERS = 256
_MARK = b"H"  # before the registers: an exact set is a multiple of four long, this is 257
_HLL_BYTES = 1 + _REGISTERS
_ALPHA = 0.7213 / (1 + 1.079 / _REGISTERS)
_RANK_BITS = 24
_WEIGHTS = tuple(2.0**-rank for rank in range(_RANK_BITS + 2))


def item(text: str) -> bytes:
    """The 4 bytes by which a thing is counted."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ITEM_BYTES).digest()


def has(exact: bytes, one: bytes) -> bool:
    """Whether `one` is in an exact set."""
    at = exact.find(one)
    while at >= 0 and at % ITEM_BYTES:
        at = exact.find(one, at + 1)
    return at >= 0


def added(sketch: bytes, one: bytes) -> bytes:
    """`sketch` with `one` in it; the same object when that changes nothing."""
    if len(sketch) == _HLL_BYTES:
        return _raised(sketch, one)
    if has(sketch, one):
        return sketch
    grown = sketch + one
    if len(grown) <= EXACT_MAX * ITEM_BYTES:
        return b"".join(sorted(items(grown)))  # one form, whatever the order of arrival
    return _registers(items(grown))


def items(exact: bytes) -> list[bytes]:
    """The things in an exact set."""
    return [exact[at : at + ITEM_BYTES] for at in range(0, len(exact), ITEM_BYTES)]


def union(sketches: Iterable[bytes]) -> bytes:
    """Everything that is in any of them."""
    exact: set[bytes] = set()
    registers: list[bytes] = []
    for sketch in sketches:
        if len(sketch) == _HLL_BYTES:
            registers.append(sketch)
        else:
            exact.update(items(sketch))
    if not registers and len(exact) <= EXACT_MAX:
        return b"".join(sorted(exact))
    if exact:
        registers.append(_registers(exact))
    if len(registers) == 1:
        return registers[0]
    return bytes(map(max, *registers))


def count(sketch: bytes) -> int:
    """How many things there are: exact up to 64, an estimate beyond."""
    if len(sketch) != _HLL_BYTES:
        return len(sketch) // ITEM_BYTES
    registers = sketch[1:]
    estimate = _ALPHA * _REGISTERS**2 / sum(map(_WEIGHTS.__getitem__, registers))
    zeros = registers.count(0)
    if estimate <= 2.5 * _REGISTERS and zeros:
        estimate = _REGISTERS * log(_REGISTERS / zeros)
    return max(EXACT_MAX + 1, round(estimate))


def _registers(things: Iterable[bytes]) -> bytes:
    sketch = _MARK + bytes(_REGISTERS)
    for one in things:
        sketch = _raised(sketch, one)
    return sketch


def _raised(sketch: bytes, one: bytes) -> bytes:
    place = 1 + one[0]
    rank = _RANK_BITS + 1 - int.from_bytes(one[1:], "big").bit_length()
    if sketch[place] >= rank:
        return sketch
    return sketch[:place] + bytes((rank,)) + sketch[place + 1 :]
