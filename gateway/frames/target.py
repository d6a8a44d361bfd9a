"""The one reading of a request target: policy, record and upstream must all see the same path.

Source: RFC 9112, 3.2; RFC 3986, 3.3 and 6.2.2. What two readers might read differently has no normal form and is
refused: dot segments, empty segments, path parameters, back-slashes, and those characters in percent form.
"""

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_PLAIN_PATH = re.compile(rb"(?:/(?!\.\.?(?:/|\Z)|@)[A-Za-z0-9\-._~!$&'()*+,=:@]++)*+/?")
_PATH = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*+")
_QUERY = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%(?!00)[0-9A-Fa-f]{2})*+")
_ABSOLUTE = re.compile(rb"https?://([^/?]+)", re.IGNORECASE)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DELIMITERS = frozenset("\\%;?#")
_NAMING = b":@"  # within names, as in `system:node` and `ann@example.com`, they delimit nothing


class TargetError(ValueError):
    """The target has no single reading; the text says why."""


class Target(NamedTuple):
    """`authority` is that of the absolute form, b'' in origin form; `path` is in its normal form, without query."""

    authority: bytes
    path: str


def normal_path(target: bytes) -> str:
    """The path of a target in its normal form: what is unreserved stands plain, percent signs have upper-case
    digits. Raises TargetError."""
    return read_target(target).path


def read_target(target: bytes) -> Target:
    """The parts of a target in origin or absolute form. Raises TargetError."""
    authority, path, query = _split(target)
    if query is not None and not _QUERY.fullmatch(query):
        raise TargetError("a character that does not belong in a query")
    if _PLAIN_PATH.fullmatch(path):
        return Target(authority, path.decode("ascii"))
    return Target(authority, _normal(path))


def _split(target: bytes) -> tuple[bytes, bytes, bytes | None]:
    rest, mark, query = target.partition(b"?")
    authority = b""
    if not rest.startswith(b"/"):
        absolute = _ABSOLUTE.match(rest)
        if absolute is None:
            raise TargetError("neither a path nor an http(s) URL")
        authority, rest = absolute[1], rest[absolute.end() :]
        if not rest:
            raise TargetError("a URL without a path")
    return authority, rest, query if mark else None


def _normal(path: bytes) -> str:
    if not _PATH.fullmatch(path):
        raise TargetError("a character that does not belong in a path")
    _check_decoded(unquote_to_bytes(path))
    normal = _PERCENT.sub(_one_way, path)
    if not _PLAIN_PATH.fullmatch(_PERCENT.sub(b"x", normal)):
        raise TargetError("dot segments or empty segments")
    return normal.decode("ascii")


def _check_decoded(path: bytes) -> None:
    """What percent signs stand for must be text in which no reader can find a delimiter."""
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        raise TargetError("its percent-encoding is not UTF-8") from None
    folded = unicodedata.normalize("NFKC", text)
    look_alikes = any(folded.count(mark) != text.count(mark) for mark in "/.:@")
    if look_alikes or not _DELIMITERS.isdisjoint(folded):
        raise TargetError("a delimiter in percent-encoding")
    if not text.isprintable():
        raise TargetError("a control character in percent-encoding")


def _one_way(found: re.Match[bytes]) -> bytes:
    byte = int(found[1], 16)
    if byte in b"/.":
        raise TargetError("a dot or a slash in percent-encoding")
    return bytes([byte]) if byte in _UNRESERVED or byte in _NAMING else found[0].upper()
