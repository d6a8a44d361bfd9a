"""The gateway's own words to a client: JSON-RPC errors under the HTTP status of their reason code."""

from typing import Any

import msgspec

from gateway.effects import Answer
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look, error_body
from gateway.frames.sse import event
from gateway.refusals import REFUSALS, Refused

_JSON = (b"content-type", b"application/json")


def own_error(exchange_id: str, asked: Look, refused: Refused) -> bytes:
    """The JSON-RPC error of a refusal; it answers `asked` where that is one request."""
    refusal = REFUSALS[refused.reason_code]
    request_id = asked.id if asked.kind == "request" else ""
    told = refusal.told(refused.detail, refused.late)
    return error_body(request_id, refusal.code, told, reason=refused.reason_code, exchange_id=exchange_id)


def own_answer(exchange_id: str, asked: Look, refused: Refused) -> Answer:
    """The whole answer of a refusal."""
    headers: Headers = [_JSON, *refused.headers]
    return Answer(REFUSALS[refused.reason_code].status, headers, own_error(exchange_id, asked, refused))


def problem(exchange_id: str, refused: Refused) -> Answer:
    """The same to a client of an HTTP API: problem details (RFC 9457)."""
    refusal = REFUSALS[refused.reason_code]
    said = {
        "title": refusal.told(refused.detail, refused.late),
        "status": refusal.status,
        "reason": refused.reason_code,
        "exchange_id": exchange_id,
    }
    headers: Headers = [(b"content-type", b"application/problem+json"), *refused.headers]
    return Answer(refusal.status, headers, msgspec.json.encode(said))


_NEVER_PASS = frozenset({"response_too_large", "result_too_large", "masking_failed", "upstream_encoded"})
# by HTTP status; the names are those of metav1.StatusReason
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def status(exchange_id: str, refused: Refused) -> Answer:
    """The same to a client of Kubernetes: a `metav1.Status`, whose message kubectl prints."""
    headers: Headers = [_JSON, *refused.headers]
    said = msgspec.json.encode(_status(exchange_id, refused))
    return Answer(REFUSALS[refused.reason_code].status, headers, said)


def watch_error(exchange_id: str, refused: Refused) -> bytes:
    """A refusal as the last event of a watch that has begun.

    Clients watch on from where they were. What can never pass would come again, so then they are to list anew.
    """
    said = _status(exchange_id, refused)
    if refused.reason_code in _NEVER_PASS:
        said |= {"code": 410, "reason": "Expired"}
    return msgspec.json.encode({"type": "ERROR", "object": said}) + b"\n"


def _status(exchange_id: str, refused: Refused) -> dict[str, Any]:
    refusal = REFUSALS[refused.reason_code]
    told = refusal.told(refused.detail, refused.late)
    cause = {"reason": refused.reason_code, "message": told}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"sluicegate: {told} (exchange {exchange_id})",
        "reason": _REASONS.get(refusal.status, "InternalError"),
        "details": {"group": "sluicegate", "kind": "exchanges", "name": exchange_id, "causes": [cause]},
        "code": refusal.status,
    }


def own_event(exchange_id: str, asked: Look, refused: Refused) -> bytes:
    """A refusal as the last event of a stream that has begun."""
    return event(own_error(exchange_id, asked, refused))
