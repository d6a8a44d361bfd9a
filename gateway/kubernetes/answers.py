"""Answers of an API server: what the gateway asks for so that masking can see it, and what it keeps of them.

Source: RFC 9110, 12.5.1 (Accept).
"""

import re
from hashlib import sha256

from gateway.frames.headers import Headers, first
from gateway.kubernetes.info import RequestInfo
from gateway.refusals import REFUSALS, Refused

JSON = b"application/json"
BODY_DIGEST = "http.body.sha256"
_UNREADABLE = re.compile(
    rb"application/(?:vnd\.kubernetes\.protobuf|cbor(?:-seq)?|[\w.+@-]*\+(?:protobuf|cbor)|[\w.+@-]*@v[\w.]*\+protobuf)"
)
_METADATA = re.compile(
    r"/(?:version|openapi/v[23](?:/.*)?|\.well-known/openid-configuration|openid/v1/jwks)/?"
)


def is_metadata(info: RequestInfo) -> bool:
    """Whether the answer describes the API and holds no object: it is recorded without its body."""
    if info.resource_request:
        return False
    if _METADATA.fullmatch(info.path):
        return True
    prefix, *rest = info.path.strip("/").split("/")
    return len(rest) <= {"api": 1, "apis": 2}.get(prefix, -1)


def is_openapi(info: RequestInfo) -> bool:
    """Whether it is a schema, which some clients read in protobuf alone."""
    return not info.resource_request and info.path.startswith("/openapi/")


def asked_in_json(headers: Headers, info: RequestInfo) -> Headers:
    """The headers of a request, with an Accept for nothing that masking cannot look into.

    Order, parameters (Tables, aggregated discovery) and weights of what is left stay as they are.
    """
    if is_openapi(info):
        return headers
    said = b",".join([value for name, value in headers if name == b"accept"])
    if not said or not _UNREADABLE.search(said.lower()):
        return headers
    ranges = [each.strip() for each in said.split(b",")]
    kept = [each for each in ranges if each and not is_unreadable(each)]
    accept = (b"accept", b",".join(kept) or JSON)
    place = next(index for index, pair in enumerate(headers) if pair[0] == b"accept")
    others = [pair for pair in headers if pair[0] != b"accept"]
    return [*others[:place], accept, *others[place:]]


def is_unreadable(media_type: bytes) -> bool:
    """Whether a media type (with parameters) is one whose strings no masking finds."""
    return _UNREADABLE.fullmatch(media_type.partition(b";")[0].strip().lower()) is not None


def hidden_form(info: RequestInfo, headers: Headers) -> bool:
    """Whether an answer came in a form that was not asked for and cannot be looked into."""
    return is_unreadable(first(headers, b"content-type")) and not is_openapi(info)


def digest_of(body: bytes) -> dict[str, str]:
    """What the record keeps of a body that it does not keep."""
    return {BODY_DIGEST: sha256(body).hexdigest()}


def log_notice(exchange_id: str, refused: Refused) -> bytes:
    """The last line of a log that the gateway ends."""
    told = REFUSALS[refused.reason_code].told(refused.detail, refused.late)
    return f"\nsluicegate: {told} (exchange {exchange_id})\n".encode()
