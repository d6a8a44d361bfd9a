"""Header lists: what belongs to one hop stays there, what holds a credential is not written down.

Source: RFC 9110, 7.6.1 (Connection). Headers are lists of (lower-case name, value), both bytes.
"""

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_REPLACED_UPSTREAM = frozenset({b"host", b"content-length", b"accept-encoding", b"expect"})
_CREDENTIALS = frozenset(
    {
        b"authorization",
        b"proxy-authorization",
        b"cookie",
        b"set-cookie",
        b"x-api-key",
        b"x-auth-token",
        b"x-amz-security-token",
        b"x-goog-api-key",
    }
)


def first(headers: Headers, name: bytes) -> bytes:
    """Value of the first header called `name`, b'' when there is none."""
    for key, value in headers:
        if key == name:
            return value
    return b""


def end_to_end(headers: Headers) -> Headers:
    """Without the headers of this hop, those that Connection names included."""
    connection = b",".join([value for name, value in headers if name == b"connection"])
    if not connection or connection in (b"keep-alive", b"close"):
        return [pair for pair in headers if pair[0] not in HOP_BY_HOP]
    named = {token.strip().lower() for token in connection.split(b",")} - _PROTECTED
    return [pair for pair in headers if pair[0] not in HOP_BY_HOP and pair[0] not in named]


# `Connection: authorization` must not strip what decides on the request (ABUSE 13)
_PROTECTED = frozenset(
    {b"authorization", b"origin", b"mcp-session-id", b"mcp-protocol-version", b"content-type"}
)


def towards_upstream(headers: Headers) -> Headers:
    """The end-to-end headers of a request, without those that the next hop sets anew."""
    return [pair for pair in end_to_end(headers) if pair[0] not in _REPLACED_UPSTREAM]


def written_down(headers: Headers) -> str:
    """The end-to-end headers as lines for the record; credentials only by name, the length not at all."""
    return "\n".join(
        f"{name.decode('latin-1')}: {'[masked:credential]' if name in _CREDENTIALS else value.decode('latin-1')}"
        for name, value in end_to_end(headers)
        if name != b"content-length"
    )


def host_name(host: bytes) -> str:
    """The name in a Host or Origin authority, without port and brackets, in lower case."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
