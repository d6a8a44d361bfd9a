"""The head of a request by the strict grammar of RFC 9112, and the facts in it that decide where its body ends.

One compiled expression accepts a head; only one that it does not accept is looked at line by line (`lines.py`).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from gateway.edge.guard.faults import FaultError
from gateway.edge.guard.upgrades import TakesSockets, takes_none, wished
from gateway.frames.target import TargetError, read_target

HEAD_BYTES_MAX = 16 * 1024
TARGET_BYTES_MAX = 8 * 1024
HEADERS_MAX = 100
METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})

# RFC 9110, 5.6.2, without `_`: many a server behind us takes `Content_Length` for `Content-Length`
TOKEN = rb"[!#$%&'*+\-.^`|~0-9A-Za-z]"
_HEAD = re.compile(
    rb"([A-Z]{1,32}+) ([!-~]++) HTTP/1\.([01])(\r\n(?:" + TOKEN + rb"++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n"
)
_HOST = re.compile(rb"(?:[a-z0-9._-]++|\[[0-9a-f:.]++\])(?::[0-9]{1,5})?")
_FIELDS = re.compile(rb"\n([^:]+):[ \t]*+([^\r]*+)")
_DIGITS_MAX = 18
_DECISIVE = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
# those of which two would be read differently by different readers; the others are lists, or decide nothing
_SINGLE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"expect",
        b"last-event-id",
        b"mcp-method",
        b"mcp-name",
        b"mcp-protocol-version",
        b"mcp-session-id",
        b"origin",
        b"proxy-authorization",
        b"traceparent",
        b"user-agent",
    }
)
_PARAM = b"mcp-param-"
CHUNKED = -1


class RequestHead(NamedTuple):
    """`size`: bytes of the head; `length`: bytes of the body or CHUNKED; `data`: the head as it may be parsed;
    `upgrade`: the protocol that it wants to change to, one of `guard.upgrades`."""

    size: int
    length: int
    data: bytes | None  # None: as it came
    upgrade: bytes = b""


def read_head(data: bytes, sockets: TakesSockets = takes_none) -> RequestHead | None:
    """The head that `data` begins with; None when the strict grammar finds none. Raises FaultError."""
    found = _HEAD.match(data)
    if found is None:
        return None
    method, target, _, section = found.groups()
    if method not in METHODS:
        raise FaultError("method_not_allowed", method.decode("ascii"))
    if len(target) > TARGET_BYTES_MAX:
        raise FaultError("target_too_long", f"over {TARGET_BYTES_MAX} bytes")
    if len(section) > HEAD_BYTES_MAX:
        raise FaultError("headers_too_large", f"over {HEAD_BYTES_MAX} bytes")
    fields = _FIELDS.findall(section.lower())
    values: dict[bytes, bytes] = dict(fields)
    if len(values) != len(fields):
        _check_twins([name for name, _ in fields])
    if len(fields) > HEADERS_MAX:
        raise FaultError("headers_too_large", f"over {HEADERS_MAX} headers")
    plain = _judged(target, values.get(b"host"))
    if isinstance(plain, tuple):
        raise FaultError(*plain)
    if plain != target:
        return _respelled(data, found, plain, sockets)
    if _DECISIVE.isdisjoint(values):
        return RequestHead(found.end(), 0, None)
    return _framed(found, fields, values, sockets)


def _check_twins(names: list[bytes]) -> None:
    for name in {name for name in names if names.count(name) > 1}:
        if name == b"host":
            raise FaultError("bad_host", "more than one")
        if name in (b"content-length", b"transfer-encoding"):
            raise FaultError("ambiguous_length", f"more than one {name.decode()}")
        if name in _SINGLE or name.startswith(_PARAM):
            raise FaultError("duplicate_header", name.decode("ascii"))


@lru_cache(maxsize=256)
def _judged(target: bytes, host: bytes | None) -> bytes | tuple[str, str]:
    """The target in origin form, its path in normal form; or reason code and detail of what is wrong with it. Few
    targets are asked for again and again."""
    try:
        authority, path = read_target(target)
    except TargetError as exc:
        return "bad_target", str(exc)
    if host is None:
        return "bad_host", "none"
    host = host.rstrip(b" \t")
    if not _HOST.fullmatch(host):
        return "bad_host", "it is no name of a host"
    if authority and authority.lower() != host:
        return "bad_host", "the target names another"
    _, mark, query = target.partition(b"?")
    return path.encode() + mark + query


def _respelled(data: bytes, found: re.Match[bytes], plain: bytes, sockets: TakesSockets) -> RequestHead:
    """The head with its target in plain form: so policy, record and upstream cannot but see the same path."""
    start, end = found.span(2)
    head = data[:start] + plain + data[end : found.end()]
    again = read_head(head, sockets)
    if again is None:
        raise FaultError("bad_target", "it has no plain form")
    return again._replace(size=found.end(), data=head if again.data is None else again.data)


def _framed(
    found: re.Match[bytes],
    fields: list[tuple[bytes, bytes]],
    values: dict[bytes, bytes],
    sockets: TakesSockets,
) -> RequestHead:
    method, target, minor, _ = found.groups()
    if values.get(b"expect", b"100-continue").rstrip(b" \t") != b"100-continue":
        raise FaultError("expectation_failed")
    length = _length(values, minor)
    if b"upgrade" not in values:
        return RequestHead(found.end(), length, None)
    upgrade = wished(method, minor, fields, length) if sockets(target, values[b"host"]) else b""
    return RequestHead(found.end(), length, _without_upgrade(found[0]), upgrade)


def _length(values: dict[bytes, bytes], minor: bytes) -> int:
    """Bytes of the body by RFC 9112, 6.3, where that says it in one way only; not even white space may follow."""
    length = values.get(b"content-length")
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise FaultError("ambiguous_length", "content-length and transfer-encoding")
        if minor == b"0" or coding != b"chunked":
            raise FaultError("ambiguous_length", "a transfer-encoding other than chunked")
        return CHUNKED
    if length is None:
        return 0
    if not length.isdigit() or len(length) > _DIGITS_MAX:
        raise FaultError("ambiguous_length", "content-length is no number of bytes")
    return int(length)


def _without_upgrade(head: bytes) -> bytes:
    """The parser must not see the wish: it is the guard that hands the connection over, or lets it be ignored as RFC
    9110, 7.8 has it."""
    lines = head.split(b"\r\n")
    return b"\r\n".join([line for line in lines if not line.lower().startswith(b"upgrade:")])
