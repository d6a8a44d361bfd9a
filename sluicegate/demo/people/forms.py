"""Parameters of a request: bounded, each of them once."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from sluicegate.demo.people.errors import OAuthError

BYTES_MAX = 32 * 1024
FIELDS_MAX = 50
FORM = "application/x-www-form-urlencoded"


class Parameters(dict[str, str]):
    """Parameters by name."""

    def needed(self, name: str) -> str:
        """One that must be there. Raises OAuthError."""
        if not (value := self.get(name)):
            raise OAuthError("invalid_request", f"{name} is missing")
        return value


async def posted(request: Request) -> Parameters:
    """The form in the body. Raises OAuthError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"send a form ({FORM})")
    return parameters(await body(request))


async def body(request: Request) -> str:
    """The body as text. Raises OAuthError when it is too large or no UTF-8."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BYTES_MAX:
            raise OAuthError("invalid_request", f"the body is larger than {BYTES_MAX} bytes", 413)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "the body is not UTF-8") from None


def parameters(encoded: str) -> Parameters:
    """The parameters in a query or form; empty ones count as absent (RFC 6749, 3.1). Raises OAuthError."""
    try:
        pairs = parse_qsl(encoded, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "the parameters cannot be read") from None
    found = Parameters(pairs)
    if len(found) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is given twice")
    return found
