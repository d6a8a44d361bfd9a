"""The bearer token of a request: in one Authorization header, nowhere else (RFC 6750, 2.1; RFC 9700, 4.3.2)."""

from urllib.parse import unquote_plus

from gateway.edge.identity.compact import invalid
from gateway.frames.headers import Headers


def bearer_token(headers: Headers, query: str) -> bytes:
    """The token, b'' when there is none. Raises TokenError for a token in the query, or several headers."""
    if query and _names_token(query):
        raise invalid("a token in the query string is refused, and should be revoked: send it as a header")
    found = b""
    headers_found = 0
    for name, value in headers:
        if name == b"authorization":
            found = value
            headers_found += 1
    if headers_found > 1:
        raise invalid("there is more than one Authorization header")
    if found[:7].lower() != b"bearer ":
        return b""
    return found[7:].strip(b" \t")


def _names_token(query: str) -> bool:
    """Whether a parameter is called access_token, however its name is written."""
    if "%" not in query and "access_token" not in query.lower():
        return False
    names = (pair.partition("=")[0] for pair in query.replace(";", "&").split("&"))
    return any(unquote_plus(name).strip().lower() == "access_token" for name in names)
