"""Why a head was not accepted, line by line. A head may be refused before its end has come."""

import re

from gateway.edge.guard.faults import FaultError
from gateway.edge.guard.heads import HEAD_BYTES_MAX, HEADERS_MAX, METHODS, TARGET_BYTES_MAX, TOKEN

REQUEST_LINE_MAX = TARGET_BYTES_MAX + 64
_REQUEST_LINE = re.compile(rb"(" + TOKEN + rb"+) ([!-~]+) (HTTP/[0-9]\.[0-9])")
_HEADER_LINE = re.compile(TOKEN + rb"+:[\t\x20-\x7e\x80-\xff]*")
_NAME = re.compile(TOKEN + rb"+")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)")


def check_partial(data: bytes) -> None:
    """Looks at a head of which the end has not come, or that was not accepted. Raises FaultError."""
    head, ended, _ = data.partition(b"\r\n\r\n")
    _check_octets(head)
    *lines, last = head.split(b"\r\n")
    if ended:
        lines.append(last)
    if lines:
        _check_request_line(lines[0])
    elif len(data) > REQUEST_LINE_MAX:
        raise FaultError("target_too_long", f"over {TARGET_BYTES_MAX} bytes")
    for line in lines[1:]:
        _check_header(line)
    if len(lines) - 1 > HEADERS_MAX:
        raise FaultError("headers_too_large", f"over {HEADERS_MAX} headers")
    if lines and len(head) - len(lines[0]) > HEAD_BYTES_MAX:
        raise FaultError("headers_too_large", f"over {HEAD_BYTES_MAX} bytes")
    if ended:
        raise FaultError("malformed_head", "it is not by the grammar")


def _check_octets(head: bytes) -> None:
    if head.replace(b"\r\n", b"").find(b"\n") >= 0:
        raise FaultError("malformed_head", "a line ends with LF alone")
    wrong = _CONTROL.search(head)
    if wrong is not None:
        what = "a bare CR" if wrong[0] == b"\r" else f"the control character 0x{wrong[0][0]:02x}"
        raise FaultError("malformed_head", what)


def _check_request_line(line: bytes) -> None:
    if len(line) > REQUEST_LINE_MAX:
        raise FaultError("target_too_long", f"over {TARGET_BYTES_MAX} bytes")
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise FaultError("malformed_head", "its first line is no request line")
    method, _, version = found.groups()
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise FaultError("malformed_head", f"the version is {version.decode()}")
    if method not in METHODS:
        raise FaultError("method_not_allowed", method[:32].decode("ascii"))


def _check_header(line: bytes) -> None:
    if _HEADER_LINE.fullmatch(line):
        return
    name, colon, _ = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        raise FaultError("malformed_head", "a header is folded over lines")
    if not colon:
        raise FaultError("malformed_head", "a header line without a colon")
    if b"_" in name:
        raise FaultError("malformed_head", "an underscore in the name of a header")
    if not _NAME.fullmatch(name):
        raise FaultError("malformed_head", "the name of a header is no token")
    raise FaultError("malformed_head", "the value of a header")
