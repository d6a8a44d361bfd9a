"""Forms as the OAuth endpoints take them: bounded, each parameter once. Source: RFC 6749, 3.2 and appendix B."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from gateway.edge.tokens.answers import OAuthError

BODY_BYTES_MAX = 32 * 1024
FIELDS_MAX = 20
BODY_SECONDS = 10.0
CONTENT_TYPE = "application/x-www-form-urlencoded"


async def form_of(request: Request) -> Mapping[str, str]:
    """The parameters of a form. Raises OAuthError; parameters without a value count as absent."""
    if request.url.query:
        raise OAuthError("invalid_request", "parameters belong into the body: a URL is written into logs")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != CONTENT_TYPE:
        raise OAuthError("invalid_request", f"the body must be {CONTENT_TYPE}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise OAuthError("invalid_request", "the body must not be compressed")
    return _parameters(await _body(request))


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise OAuthError(
                        "invalid_request", f"the body is larger than {BODY_BYTES_MAX} bytes", 413
                    )
    except TimeoutError:
        raise OAuthError("invalid_request", f"no whole body came within {BODY_SECONDS:g} s", 408) from None
    except ClientDisconnect:
        raise OAuthError("invalid_request", "the client left before its body was whole") from None
    return body


def _parameters(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=FIELDS_MAX
        )
        "".join(value for pair in pairs for value in pair).encode()
    except ValueError:
        raise OAuthError("invalid_request", f"the body is no form of at most {FIELDS_MAX} fields") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is given twice; name one connection, one token")
    return {name: value for name, value in found.items() if value}
