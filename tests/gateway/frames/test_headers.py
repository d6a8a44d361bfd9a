"""Headers of one hop stay there; credentials are not written down."""

from __future__ import annotations

import pytest

from gateway.frames.headers import Headers, end_to_end, first, host_name, towards_upstream, written_down

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
    "name", [b"authorization", b"origin", b"mcp-session-id", b"mcp-protocol-version", b"content-type"]
)
def test_connection_cannot_strip_what_decides_on_a_request(name: bytes) -> None:
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
