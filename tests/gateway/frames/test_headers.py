"""Headers of one hop stay there; credentials are not written down."""

from __future__ import annotations

import pytest

from gateway.frames.headers import (
    Headers,
    claimed_origin,
    end_to_end,
    first,
    host_name,
    towards_client,
    towards_upstream,
    written_down,
)

KEPT = (b"x-kept", b"1")


@pytest.mark.parametrize(
    "name",
    [
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ],
)
def test_a_header_of_one_hop_does_not_go_on(name: bytes) -> None:
    assert end_to_end([(name, b"close"), KEPT]) == [KEPT]


@pytest.mark.parametrize(
    "connection",
    [
        [(b"connection", b"x-hop")],
        [(b"connection", b"keep-alive, X-Hop ")],
        [(b"connection", b"keep-alive"), (b"connection", b"x-hop")],
        [(b"connection", b"close"), (b"connection", b",, x-hop")],
    ],
)
def test_a_header_that_connection_names_does_not_go_on(connection: Headers) -> None:
    assert end_to_end([(b"x-hop", b"1"), *connection, KEPT]) == [KEPT]


@pytest.mark.parametrize(
    "name",
    [
        b"authorization",
        b"origin",
        b"mcp-session-id",
        b"mcp-protocol-version",
        b"mcp-param-x",
        b"mcp-name",
        b"content-type",
        b"content-encoding",
        b"cookie",
        b"accept",
        b"last-event-id",
    ],
)
def test_abuse_13_connection_cannot_strip_what_decides_on_a_request(name: bytes) -> None:
    assert end_to_end([(b"connection", name), (name, b"v")]) == [(name, b"v")]


def test_order_repeats_and_values_of_the_others_survive() -> None:
    pairs = [(b"b", b"1"), (b"a", b"2"), (b"b", b"3 , 4"), (b"c", b"")]
    assert end_to_end(pairs) == pairs
    assert towards_upstream(pairs) == pairs


@pytest.mark.parametrize("name", [b"host", b"content-length", b"accept-encoding", b"expect"])
def test_what_the_next_hop_sets_anew_is_left_out(name: bytes) -> None:
    assert towards_upstream([(name, b"x"), KEPT]) == [KEPT]


@pytest.mark.parametrize(
    "name",
    [
        b"authorization",
        b"cookie",
        b"set-cookie",
        b"x-api-key",
        b"x-auth-token",
        b"x-amz-security-token",
        b"x-goog-api-key",
    ],
)
def test_g7_a_credential_is_written_down_by_name_only(name: bytes) -> None:
    line = written_down([(name, b"Bearer abc"), KEPT])
    assert line == f"{name.decode()}: [masked:credential]\nx-kept: 1"
    assert (name, b"Bearer abc") in towards_upstream([(name, b"Bearer abc")])


def test_g7_a_credential_for_the_proxy_is_not_written_down_at_all() -> None:
    assert written_down([(b"proxy-authorization", b"Basic abc"), (b"content-length", b"5"), KEPT]) == (
        "x-kept: 1"
    )


def test_the_first_of_several_counts() -> None:
    assert first([(b"a", b"1"), (b"a", b"2")], b"a") == b"1"
    assert first([], b"a") == b""


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"127.0.0.1:8080", "127.0.0.1"),
        (b"LocalHost", "localhost"),
        (b"[::1]:8080", "::1"),
        (b"[::1]", "::1"),
        (b"", ""),
        (b"evil.example:80", "evil.example"),
        (b"localhost.evil.example", "localhost.evil.example"),
    ],
)
def test_the_name_in_a_host_header(host: bytes, name: str) -> None:
    assert host_name(host) == name


CLAIMS = [
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-user",
    b"x-real-ip",
    b"x-auth-request-email",
    b"x-remote-user",
    b"x-remote-group",
    b"x-remote-extra-scopes",
    b"remote-user",
    b"impersonate-user",
    b"impersonate-group",
    b"impersonate-extra-x",
    b"x-user-id",
    b"x-ssl-client-cert",
    b"x-goog-authenticated-user-email",
]


@pytest.mark.parametrize("name", CLAIMS)
def test_abuse_16_what_a_client_claims_of_itself_does_not_go_on_and_is_told_apart(name: bytes) -> None:
    assert towards_upstream([(name, b"admin"), KEPT]) == [KEPT]
    assert claimed_origin([(name, b"admin"), KEPT]) == f"{name.decode()}: admin"


def test_whom_a_rule_lets_the_caller_act_as_goes_on_whatever_connection_names() -> None:
    """Stripped, the API server would take the request for the gateway's own."""
    asked = [(b"connection", b"impersonate-user, impersonate-group"), (b"impersonate-user", b"ann")]
    asked += [(b"impersonate-group", b"dev"), (b"x-remote-user", b"root")]
    assert towards_upstream(asked, impersonating=True) == asked[1:3]
    assert towards_upstream(asked) == []


@pytest.mark.parametrize(
    "name", [b"x-http-method-override", b"x-method-override", b"x-original-url", b"x-rewrite-url", b"x-host"]
)
def test_abuse_27_what_would_make_upstream_see_another_request_does_not_go_on(name: bytes) -> None:
    assert towards_upstream([(name, b"DELETE"), KEPT]) == [KEPT]
    assert claimed_origin([(name, b"DELETE")]) == ""


def test_claims_are_bounded_joined_and_without_credentials() -> None:
    claims = [(b"x-forwarded-for", b"10.0.0.1"), (b"x-amzn-oidc-data", b"secret"), (b"via", b"x" * 9_000)]
    told = claimed_origin([KEPT, *claims])
    assert told.startswith("x-forwarded-for: 10.0.0.1; x-amzn-oidc-data: [masked:credential]; via: xxx")
    assert len(told) == 512
    assert claimed_origin([KEPT, (b"x-user-agent", b"a"), (b"x-forwardedx", b"b")]) == ""


@pytest.mark.parametrize(
    "pair",
    [
        (b"set-cookie", b"a=b"),
        (b"content-length", b"5"),
        (b"alt-svc", b'h2="elsewhere:443"'),
        (b"refresh", b"0; url=http://elsewhere"),
        (b"x-accel-redirect", b"/internal"),
        (b"connection", b"x-kept"),
        (b"transfer-encoding", b"chunked"),
        (b"location", b"http://elsewhere/mcp"),
        (b"location", b"//elsewhere/mcp"),
        (b"location", b"/\\elsewhere"),
        (b"location", b"elsewhere"),
        (b"content-location", b"https://elsewhere/"),
    ],
)
def test_abuse_28_34_nothing_of_upstream_binds_the_client_or_leads_it_around_the_gateway(
    pair: tuple[bytes, bytes],
) -> None:
    kept = (b"content-type", b"application/json")
    assert towards_client([pair, kept]) == [kept]


def test_a_reference_to_a_path_on_the_gateway_and_the_other_headers_reach_the_client() -> None:
    pairs = [(b"location", b"/mcp/other"), (b"mcp-session-id", b"s"), (b"x-kept", b"1"), (b"x-kept", b"2")]
    assert towards_client(pairs) == pairs
