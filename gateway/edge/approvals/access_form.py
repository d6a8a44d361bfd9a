"""What a request for access to a connection says: `{"connection": NAME, "reason": TEXT, "seconds": N}`."""

from typing import NamedTuple

from starlette.requests import Request

from gateway.edge.approvals.answers import ApprovalError
from gateway.edge.identity.strictjson import strict_object

BODY_BYTES_MAX = 8 * 1024
NAME_CHARACTERS_MAX = 200
REASON_CHARACTERS_MAX = 500
SECONDS_MIN = 60
_NAMES = frozenset({"connection", "reason", "seconds"})


class AccessForm(NamedTuple):
    """To which connection, why, and for how long."""

    connection: str
    reason: str
    seconds: int


async def access_form(request: Request) -> AccessForm:
    """The form of a request. Raises ApprovalError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # a form of a page in a browser is none
        raise ApprovalError(415, "unsupported_media_type", "send the request as application/json")
    try:
        found = strict_object(await _body(request))
    except ValueError as error:
        raise _invalid(f"the body is no JSON object: {error}") from None
    if found.keys() != _NAMES:
        raise _invalid("send exactly connection, reason and seconds")
    return AccessForm(
        _line("connection", found["connection"], NAME_CHARACTERS_MAX),
        _line("reason", found["reason"], REASON_CHARACTERS_MAX),
        _seconds(found["seconds"]),
    )


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise ApprovalError(413, "body_too_large", f"the body is larger than {BODY_BYTES_MAX} bytes")
    return body


def _line(name: str, value: object, characters_max: int) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise _invalid(f"{name} is missing: write a line of text")
    if len(text) > characters_max or not text.isprintable():
        raise _invalid(f"{name} must be one line of at most {characters_max} characters")
    return text


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < SECONDS_MIN:
        raise _invalid(f"seconds must be a whole number, at least {SECONDS_MIN}")
    return value


def _invalid(text: str) -> ApprovalError:
    return ApprovalError(400, "invalid_request", text)
