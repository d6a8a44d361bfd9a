"""Header lists: what belongs to one hop stays there, what holds a credential is not written down.

Source: RFC 9110, 7.6.1 (Connection). Headers are lists of (lower-case name, value), both bytes.
"""

import re
from functools import lru_cache
from typing import Literal

from gateway.frames.credentials import is_credential

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
_REPLACED_UPSTREAM = frozenset(
    {
        b"host",
        b"content-length",
        b"accept-encoding",
        b"expect",
        b"sluicegate-break-glass",  # said to the gateway alone, as the next
        b"sluicegate-reason",
    }
)
# What a proxy in front says of the client (RFC 7239 and its forerunners) and of who it has found the caller to be.
# Nobody in front is trusted, so whoever sends these says them of itself, and a server behind would believe it.
_ORIGIN = re.compile(
    rb"forwarded|x-forwarded(?:-.+)?|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-forwarded-for"
    rb"|true-client-ip|cf-connecting-ip(?:v6)?|fastly-client-ip|x-envoy-.+|via"
    rb"|remote-(?:user|groups|name|email)|x-remote-.+|x-auth-request-.+|x-authenticated-.+|x-webauth-.+"
    rb"|x-user(?:-(?:id|name|email|groups?|roles?))?|x-email|x-groups?|impersonate-.+|x-ssl-client-.+|ssl-client-.+|x-client-(?:cert|dn|verify).*"
    rb"|x-amzn-oidc-.+|x-goog-iap-.+|x-goog-authenticated-user-.+|x-ms-client-principal.*|cf-access-.+"
)
# These make a server see another method or path than policy has judged
_REROUTING = re.compile(
    rb"x-http-method(?:-override)?|x-method-override|x-original-(?:url|uri|host|method)|x-rewrite-url|x-host"
)
_AS_SOMEBODY = b"impersonate-"
_CLAIM_BYTES_MAX = 512


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
    return [
        pair
        for pair in headers
        if pair[0] not in HOP_BY_HOP and (pair[0] not in named or pair[0].startswith((b"mcp-", _AS_SOMEBODY)))
    ]


# `Connection: authorization` must not strip what decides on the request (ABUSE 13)
_PROTECTED = frozenset(
    {
        b"accept",
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"last-event-id",
        b"origin",
        b"traceparent",
        b"tracestate",
        b"user-agent",
    }
)


def towards_upstream(headers: Headers, *, impersonating: bool = False) -> Headers:
    """The end-to-end headers of a request, without those that the next hop sets anew, and without what a client
    says of its own origin or identity or of another method or path: nobody but the gateway says that.

    `impersonating`: a rule lets the caller act as whom it names. Without those headers the API server would take it
    for the gateway itself, which may do more.
    """
    return [
        pair
        for pair in end_to_end(headers)
        if _goes_up(pair[0]) or (impersonating and pair[0].startswith(_AS_SOMEBODY))
    ]


@lru_cache(maxsize=1024)
def _goes_up(name: bytes) -> bool:
    return not (name in _REPLACED_UPSTREAM or _ORIGIN.fullmatch(name) or _REROUTING.fullmatch(name))


@lru_cache(maxsize=1024)
def _is_claim(name: bytes) -> bool:
    return _ORIGIN.fullmatch(name) is not None


def claimed_origin(headers: Headers) -> str:
    """What the client claims of its origin or identity, '' when nothing: for the record, where it is marked as
    untrusted. `name: value` joined by `; `, at most 512 characters, credentials by name only."""
    claims = [_line(name, value) for name, value in headers if _is_claim(name)]
    return "; ".join(claims)[:_CLAIM_BYTES_MAX] if claims else ""


def towards_client(headers: Headers) -> Headers:
    """The headers of an answer as the client gets them: without its length and encoding, without what sets state
    on the client for all connections of this gateway, and without what would lead it around the gateway."""
    return [
        pair
        for pair in end_to_end(headers)
        if pair[0] not in _KEPT_FROM_CLIENTS
        and not pair[0].startswith(b"x-accel-")
        and (pair[0] not in _LEADING or _stays_here(pair[1]))
    ]


_KEPT_FROM_CLIENTS = frozenset(
    {
        b"content-length",
        b"content-encoding",  # it was taken off
        b"set-cookie",
        b"set-cookie2",
        b"clear-site-data",
        b"alt-svc",
        b"refresh",
        b"strict-transport-security",
        b"public-key-pins",
        b"service-worker-allowed",
        b"x-sendfile",
        b"x-lighttpd-send-file",
        b"x-reproxy-url",
    }
)
_LEADING = frozenset({b"location", b"content-location"})


def _stays_here(location: bytes) -> bool:
    """Whether a reference is a path on this origin."""
    return location[:1] == b"/" and location[1:2] not in (b"/", b"\\", b"\t")


_STREAM = b"text/event-stream"
_CHARSET = re.compile(rb"charset", re.IGNORECASE)
_UTF8 = re.compile(rb'charset\s*=\s*"?utf-?8"?\s*(?:;|$)', re.IGNORECASE)


def in_utf8(content_type: bytes) -> bool:
    """Whether a content type says no other charset. Servers that believe one read another request out of a body than
    policy does: in UTF-7 `run+AF8-it` is `run_it`."""
    return len(_CHARSET.findall(content_type)) == len(_UTF8.findall(content_type))


def answer_form(headers: Headers) -> Literal["stream", "body", ""]:
    """How clients read an answer: as server-sent events or as one body; '' where some may read it as the one and some
    as the other, or as text in another charset, so that nobody can tell what they get."""
    said = b",".join([value.lower() for name, value in headers if name == b"content-type"])
    if _STREAM not in said:
        return "body"
    return "stream" if said.startswith(_STREAM) and said.count(b"/") == 1 and in_utf8(said) else ""


def written_down(headers: Headers) -> str:
    """The end-to-end headers as lines for the record; credentials only by name, the length not at all."""
    return "\n".join([_line(name, value) for name, value in end_to_end(headers) if name != b"content-length"])


def _line(name: bytes, value: bytes) -> str:
    text = "[masked:credential]" if is_credential(name) else value.decode("latin-1")
    return f"{name.decode('latin-1')}: {text}"


def host_name(host: bytes) -> str:
    """The name in a Host or Origin authority, without port and brackets, in lower case."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
