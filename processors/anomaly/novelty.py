"""What a key has met before, in at most 257 bytes and 24 hours of the day.

Exact up to 64 things, a Bloom filter of 2,048 bits beyond. Once half of its bits are set, nothing is new any more:
who uses hundreds of things says nothing by using another one, and a filter that full would say so at random.
"""

from processors.anomaly.sketch import EXACT_MAX, ITEM_BYTES, has, items

_BYTES = 256
_BITS = 8 * _BYTES
_MARK = b"B"
_PLACES = 4
HOURS_DAYS_MIN = 5


def met(known: bytes, one: bytes) -> bool:
    """Whether `one` may not be called new."""
    if len(known) != 1 + _BYTES:
        return has(known, one)
    if int.from_bytes(known[1:], "big").bit_count() * 2 > _BITS:
        return True
    return all(known[1 + place // 8] >> (place % 8) & 1 for place in _places(one))


def meeting(known: bytes, one: bytes) -> bytes:
    """`known` with `one` in it."""
    if len(known) == 1 + _BYTES:
        return _set(bytearray(known), one)
    if has(known, one):
        return known
    grown = known + one
    if len(grown) <= EXACT_MAX * ITEM_BYTES:
        return b"".join(sorted(items(grown)))
    bloom = bytearray(_MARK + bytes(_BYTES))
    for each in items(grown):
        _set(bloom, each)
    return bytes(bloom)


def _set(bloom: bytearray, one: bytes) -> bytes:
    for place in _places(one):
        bloom[1 + place // 8] |= 1 << (place % 8)
    return bytes(bloom)


def _places(one: bytes) -> list[int]:
    """Double hashing of the 32 bits at hand (Kirsch and Mitzenmacher, 2006)."""
    first, second = int.from_bytes(one[:2], "big"), int.from_bytes(one[2:], "big") | 1
    return [(first + turn * second) % _BITS for turn in range(_PLACES)]


def unusual_hour(days_by_hour: list[int], hour: int) -> bool:
    """Whether nothing was ever done in `hour` of the day nor in the one before or after it.

    `days_by_hour`: 24 counts of days. Nothing is unusual before the key was seen on five days.
    """
    if max(days_by_hour) < HOURS_DAYS_MIN:
        return False
    return not any(days_by_hour[(hour + by) % 24] for by in (-1, 0, 1))
