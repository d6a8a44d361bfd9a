"""What the guard takes for a request, the parser behind it takes for the same one, however the bytes come."""

from __future__ import annotations

from dataclasses import dataclass, field

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.edge.guard import FaultError
from gateway.edge.guard.follower import Follower
from tests.abuse.raw import post

CHUNKED = post(b"Transfer-Encoding: chunked", body=b"2;x=y\r\n{}\r\n0\r\n\r\n", length=False)
UPGRADE = post(b"Connection: Upgrade", b"Upgrade: h2c")
TWO = post() + post(body=b"{}")


@dataclass
class Parsed:
    """What httptools makes of the bytes it is given."""

    complete: int = 0
    urls: list[bytes] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def on_url(self, url: bytes) -> None:
        self.urls.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1


def followed(data: bytes, cuts: list[int]) -> tuple[list[bytes], str]:
    """The requests that the guard hands on one by one, and the reason code of what it refuses at the end."""
    follower, requests, passed = Follower(), [], b""
    pending = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    try:
        while pending:
            segment = pending.pop(0)
            if not segment:
                continue
            part, rest = follower.take(segment)
            passed += part
            if follower.whole:
                requests.append(passed)
                passed = b""
                follower.next()
                pending.insert(0, rest)
    except FaultError as fault:
        return requests, fault.reason_code
    return requests, ""


def parsed(request: bytes) -> Parsed:
    result = Parsed()
    httptools.HttpRequestParser(result).feed_data(request)
    return result


@pytest.mark.parametrize("data", [post(), CHUNKED, UPGRADE, TWO, b"\r\n" + post()])
def test_honest_requests_are_handed_on_whole(data: bytes) -> None:
    requests, fault = followed(data, [])
    assert not fault
    assert [parsed(request).complete for request in requests] == [1] * len(requests)
    if data in (post(), CHUNKED):
        assert requests == [data]


def test_the_parser_never_sees_a_wish_to_upgrade() -> None:
    ((request,), _) = followed(UPGRADE, [])
    assert b"upgrade" not in dict(parsed(request).headers)


lines = st.sampled_from(
    [
        b"Host: a",
        b"host:b",
        b"Content-Length: 2",
        b"Content-Length:  2 ",
        b"Content-Length: 02",
        b"Content-Length: 2\t",
        b"content-length: +2",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: Chunked\t",
        b"transfer-encoding: x",
        b"Transfer-Encoding : chunked",
        b" folded",
        b"X: \xff",
        b"X:",
        b":",
        b"X_Y: 1",
        b"X: a\rb",
        b"X: a\nContent-Length: 2",
        b"Connection: close",
        b"Connection: upgrade",
        b"Upgrade: websocket",
        b"Expect: 100-continue",
        b"\x00",
    ]
)
bodies = st.sampled_from(
    [
        b"",
        b"{}",
        b"2\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\r\n0\r\n\r\n",
        b"02;a\r\n{}\r\n0\r\n\r\n",
        b"0\r\nX: 1\r\n\r\n",
    ]
)
starts = st.sampled_from(
    [
        b"POST / HTTP/1.1",
        b"POST /a?b HTTP/1.1",
        b"POST /%61 HTTP/1.1",
        b"POST http://a/x HTTP/1.1",
        b"POST /  HTTP/1.1",
        b"POST /\x80 HTTP/1.1",
        b"POST / HTTP/1.0",
        b"post / HTTP/1.1",
        b"",
    ]
)
requests_made = st.builds(
    lambda start, fields, end, body: b"\r\n".join([start, *fields]) + end + body,
    starts,
    st.lists(lines, max_size=4).map(lambda some: [b"Host: a", *some]),
    st.sampled_from([b"\r\n\r\n", b"\r\n\r\n", b"\r\n\n", b"\n\n", b"\n\r\n"]),
    bodies,
)


@settings(deadline=None, max_examples=500)
@example(post())
@example(CHUNKED)
@given(requests_made)
def test_what_is_handed_on_is_one_request_to_the_parser_with_the_same_end(data: bytes) -> None:
    for request in followed(data, [])[0]:
        found = parsed(request)
        assert found.complete == 1
        names = [name for name, _ in found.headers]
        assert names.count(b"host") == 1
        assert not {b"content-length", b"transfer-encoding"} <= set(names)
        assert b"upgrade" not in names


@settings(deadline=None, max_examples=300)
@given(st.lists(requests_made, min_size=1, max_size=3).map(b"".join), st.data())
def test_it_makes_no_difference_how_the_bytes_are_cut_into_segments(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=12).map(sorted))
    whole, fault = followed(data, [])
    for other in (cuts, list(range(1, len(data)))):
        requests, other_fault = followed(data, other)
        assert requests == whole
        assert bool(other_fault) == bool(fault)  # which of several faults is found first may differ


def test_a_head_of_many_small_segments_is_refused_at_the_limit() -> None:
    data = b"GET /" + b"a" * 20_000
    assert followed(data, list(range(1, len(data)))) == ([], "target_too_long")
