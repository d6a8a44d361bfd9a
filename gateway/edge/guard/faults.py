"""What the guard refuses, by reason code, and what it tells of it for the trail and to the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from gateway.frames.jsonrpc import error_body
from gateway.refusals import AUDIT_UNAVAILABLE, REFUSALS, Refusal

PATH_MAX = 512

FAULTS: Mapping[str, Refusal] = MappingProxyType(
    {
        "malformed_head": Refusal(400, -32086, "not executed: the head of the request is not HTTP/1.1"),
        "ambiguous_length": Refusal(400, -32086, "not executed: where the body ends is not clear"),
        "malformed_chunk": Refusal(400, -32086, "not executed: the chunked body is not well-formed"),
        "duplicate_header": Refusal(400, -32086, "not executed: a header stands twice"),
        "bad_host": Refusal(400, -32087, "not executed: there must be one Host, and it must be the target's"),
        "bad_target": Refusal(400, -32087, "not executed: the target can be read in more than one way"),
        "target_too_long": Refusal(414, -32086, "not executed: the target is longer than the limit"),
        "expectation_failed": Refusal(417, -32087, "not executed: only 100-continue can be expected"),
        "malformed_handshake": Refusal(400, -32086, "not executed: this is no handshake of a WebSocket"),
        "too_slow": Refusal(408, -32088, "not executed: the request came too slowly"),
        "too_many_connections": Refusal(503, -32088, "not executed: too many connections at once"),
        "method_not_allowed": REFUSALS["method_not_allowed"],
        "headers_too_large": REFUSALS["headers_too_large"],
    }
)
_MORE_HEADERS = {503: b"retry-after: 1\r\n", 405: b"allow: GET, POST, DELETE\r\n"}


class FaultError(Exception):
    """What a client sent cannot be taken. `reason_code` is one of FAULTS, `detail` is for a person."""

    def __init__(self, reason_code: str, detail: str = "") -> None:
        super().__init__(reason_code, detail)
        self.reason_code = reason_code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class DoorRefusal:
    """One refusal, as it is to be recorded. `method` and `path` (without its query) are '' when nobody can tell.

    `path` is printable ASCII, what is not is escaped; no header and no body stand here, so there is nothing to mask
    but what a client may have put into a path.
    """

    status: int
    reason_code: str
    reason: str
    method: str
    path: str
    peer: str


def refusal_of(fault: FaultError, head: bytes, peer: str) -> DoorRefusal:
    """The refusal of a request that begins with `head`."""
    refusal = FAULTS[fault.reason_code]
    method, path = _named(head)
    return DoorRefusal(refusal.status, fault.reason_code, refusal.told(fault.detail), method, path, peer)


def answer(refusal: DoorRefusal, exchange_id: str) -> bytes:
    """The whole HTTP answer; without an exchange id (it could not be recorded) that of an unwritable trail."""
    known = FAULTS[refusal.reason_code]
    status, code, reason_code, text = refusal.status, known.code, refusal.reason_code, refusal.reason
    if not exchange_id:
        lost = REFUSALS[AUDIT_UNAVAILABLE]
        status, code, reason_code, text = lost.status, lost.code, AUDIT_UNAVAILABLE, lost.message
    body = error_body("", code, text, reason=reason_code, exchange_id=exchange_id)
    head = (
        b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%bconnection: close\r\n\r\n"
        % (
            status,
            HTTPStatus(status).phrase.encode(),
            len(body),
            _MORE_HEADERS.get(status, b""),
        )
    )
    return head if refusal.method == "HEAD" else head + body


def _named(head: bytes) -> tuple[str, str]:
    """Method and path as far as the first line has them."""
    words = head[: 2 * PATH_MAX].partition(b"\n")[0].rstrip(b"\r").split(b" ")
    if len(words) < 2 or not words[0].isalpha() or len(words[0]) > 32:
        return "", ""
    path = words[1].partition(b"?")[0]
    return words[0].decode("ascii"), "".join([_printable(byte) for byte in path])[:PATH_MAX]


def _printable(byte: int) -> str:
    return chr(byte) if 0x21 <= byte <= 0x7E and byte != 0x5C else f"\\x{byte:02x}"
