"""Bodies in AWS's own framing (Content-Encoding: aws-chunked), as SDKs send files to S3: taken out of it.

The signature of each chunk is by the client's key, and its checksum stands behind the body, where no signature of
ours would cover it. What goes upstream is the plain body, signed as a whole, with the checksum as a header.
Source: Amazon S3 API reference, "Signature Calculations: Transferring Payload in Multiple Chunks".
"""

import re

from gateway.frames.headers import Headers, first

_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[\x21-\x7e]*)?\r\n")
_TRAILER = re.compile(rb"(x-amz-[a-z0-9-]{1,60}):[ \t]*([\x21-\x7e]{1,200})[ \t]*\r?\n(?:\r\n)*")
_SIGNATURE = b"x-amz-trailer-signature"
_OF_THE_FRAMING = frozenset({b"x-amz-decoded-content-length", b"x-amz-trailer"})


def is_framed(headers: Headers) -> bool:
    """Whether the body of a request with these headers (names in lower case) is in that framing."""
    return b"aws-chunked" in _codings(first(headers, b"content-encoding"))


def unframed(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """The plain body, and the headers for it. Raises ValueError when the framing is broken."""
    pieces, trailers = _read(body)
    plain = b"".join(pieces)
    said = first(headers, b"x-amz-decoded-content-length")
    if said and said != b"%d" % len(plain):
        raise ValueError("its chunks are not as long as it says")
    return [*_without_framing(headers), *trailers], plain


def _read(body: bytes) -> tuple[list[memoryview], Headers]:
    whole = memoryview(body)
    pieces: list[memoryview] = []
    at = 0
    while found := _SIZE.match(body, at):
        size, at = int(found[1], 16), found.end()
        if not size:
            return pieces, _trailers(body, at)
        if body[at + size : at + size + 2] != b"\r\n":
            break
        pieces.append(whole[at : at + size])
        at += size + 2
    raise ValueError("its chunks break off")


def _trailers(body: bytes, at: int) -> Headers:
    found: Headers = []
    while match := _TRAILER.match(body, at):
        found.append((match[1], match[2]))
        at = match.end()
    if body[at:].strip(b"\r\n"):
        raise ValueError("what stands behind its chunks is no checksum")
    return [pair for pair in found if pair[0] != _SIGNATURE]


def _without_framing(headers: Headers) -> Headers:
    kept = [pair for pair in headers if pair[0] not in _OF_THE_FRAMING and pair[0] != b"content-encoding"]
    codings = [coding for coding in _codings(first(headers, b"content-encoding")) if coding != b"aws-chunked"]
    return [*kept, (b"content-encoding", b",".join(codings))] if codings else kept


def _codings(value: bytes) -> list[bytes]:
    return [coding for part in value.split(b",") if (coding := part.strip().lower())]
