"""CityHash128 in its version 1.0.2, which ClickHouse puts before each compressed block. Pure.

Source: Geoff Pike and Jyrki Alakuijala, "Introducing CityHash"; city.cc of version 1.0.2.
"""

import struct

_M = (1 << 64) - 1
_K0, _K1, _K2, _K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
_MULTIPLIER = 0x9DDFEA08EB382D69

Pair = tuple[int, int]


def city_hash_128(data: bytes) -> Pair:
    """The low and the high half."""
    size = len(data)
    if size >= 16:
        return _seeded(data[16:], (_word(data, 0) ^ _K3, _word(data, 8)))
    if size >= 8:
        return _seeded(b"", (_word(data, 0) ^ (size * _K0 & _M), _word(data, size - 8) ^ _K1))
    return _seeded(data, (_K0, _K1))


def _seeded(data: bytes, seed: Pair) -> Pair:
    size = len(data)
    if size < 128:
        return _short(data, seed)
    (x, y), z = seed, size * _K1 & _M
    v0 = (_rotated(y ^ _K1, 49) * _K1 + _word(data, 0)) & _M
    v1 = (_rotated(v0, 42) * _K1 + _word(data, 8)) & _M
    w0 = (_rotated(y + z, 35) * _K1 + x) & _M
    w1 = _rotated(x + _word(data, 88), 53) * _K1 & _M
    whole = size - size % 128
    for s0, s1, s2, s3, s4, s5, s6, s7 in struct.iter_unpack("<8Q", data[:whole]):
        x = _rotated(x + y + v0 + s2, 37) * _K1 & _M
        y = _rotated(y + v1 + s6, 42) * _K1 & _M
        x ^= w1
        y ^= v0
        z = _rotated(z ^ w0, 33)
        v0, v1 = _weak((s0, s1, s2, s3), v1 * _K1, x + w0)
        w0, w1 = _weak((s4, s5, s6, s7), z + w1, y)
        z, x = x, z
    y = (y + _rotated(w0, 37) * _K0 + z) & _M
    x = (x + _rotated(v0 + z, 49) * _K0) & _M
    for done in range(32, size - whole + 32, 32):
        at = size - done
        y = (_rotated(y - x, 42) * _K0 + v1) & _M
        w0 = (w0 + _word(data, at + 16)) & _M
        x = (_rotated(x, 49) * _K0 + w0) & _M
        w0 = (w0 + v0) & _M
        v0, v1 = _weak(struct.unpack_from("<4Q", data, at), v0, v1)
    x, y = _folded(x, v0), _folded(y, w0)
    return (_folded(x + v1, w1) + y) & _M, _folded(x + w1, y + v1)


def _short(data: bytes, seed: Pair) -> Pair:
    (a, b), size = seed, len(data)
    if size <= 16:
        a = _mixed(a * _K1) * _K1 & _M
        c = (b * _K1 + _tiny(data)) & _M
        d = _mixed(a + (_word(data, 0) if size >= 8 else c))
    else:
        c = _folded(_word(data, size - 8) + _K1, a)
        d = _folded(b + size, c + _word(data, size - 16))
        a = (a + d) & _M
        for at in range(0, size - 16, 16):
            a = (a ^ _mixed(_word(data, at) * _K1) * _K1 & _M) * _K1 & _M
            b ^= a
            c = (c ^ _mixed(_word(data, at + 8) * _K1) * _K1 & _M) * _K1 & _M
            d ^= c
    a, b = _folded(a, c), _folded(d, b)
    return a ^ b, _folded(b, a)


def _tiny(data: bytes) -> int:
    size = len(data)
    if size > 8:
        last = _word(data, size - 8)
        return _folded(_word(data, 0), _rotated(last + size, size)) ^ last
    if size >= 4:
        first, last = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, size - 4)[0]
        return _folded(size + (first << 3), last)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _mixed(y * _K2 ^ z * _K3) * _K2 & _M
    return _K2


def _weak(words: tuple[int, ...], a: int, b: int) -> Pair:
    w, x, y, z = words
    a = (a + w) & _M
    b = _rotated(b + a + z, 21)
    whole = (a + x + y) & _M
    return (whole + z) & _M, (b + _rotated(whole, 44) + a) & _M


def _folded(low: int, high: int) -> int:
    a = _mixed((low ^ high) * _MULTIPLIER)
    return _mixed((high ^ a) * _MULTIPLIER) * _MULTIPLIER & _M


def _mixed(value: int) -> int:
    value &= _M
    return value ^ value >> 47


def _rotated(value: int, by: int) -> int:
    value &= _M
    return (value >> by | value << 64 - by) & _M


def _word(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", data, at)[0])
