"""Targets have one reading, or none."""

from __future__ import annotations

from urllib.parse import unquote, unquote_to_bytes

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frames.target import TargetError, normal_path, read_target


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/", "/"),
        (b"/mcp/demo", "/mcp/demo"),
        (b"/mcp/demo/", "/mcp/demo/"),
        (b"/mcp/demo?a=b&c=/../..//%2e;@", "/mcp/demo"),
        (b"/mcp/d%65mo%7e%2D", "/mcp/demo~-"),
        (b"/a/b%2cc%20%c3%a9", "/a/b%2Cc%20%C3%A9"),
        (b"/k8s/c/nodes/system%3anode", "/k8s/c/nodes/system:node"),
        (b"/k8s/c/bindings/ann%40example.com", "/k8s/c/bindings/ann@example.com"),
        (b"/a/file.txt/..b/.c/d../...", "/a/file.txt/..b/.c/d../..."),
        (b"http://127.0.0.1:80/mcp/demo", "/mcp/demo"),
        (b"HTTPS://[::1]/?x", "/"),
    ],
)
def test_a_path_has_its_normal_form(target: bytes, path: str) -> None:
    assert normal_path(target) == path
    assert normal_path(path.encode()) == path


def test_the_absolute_form_names_an_authority() -> None:
    assert read_target(b"http://Host:81/a").authority == b"Host:81"
    assert read_target(b"/a").authority == b""


AMBIGUOUS = [
    b"/mcp/%2e%2e%2fadmin",
    b"/mcp/%2e%2e/admin",
    b"/mcp/.%2e/admin",
    b"/mcp/..%2fadmin",
    b"/mcp/..;/admin",
    b"/mcp/demo;a=b",
    b"/mcp/..\\admin",
    b"/mcp\\demo",
    b"/mcp/%5cdemo",
    b"/mcp//demo",
    b"//mcp/demo",
    b"//elsewhere/mcp/demo",
    b"/mcp/./demo",
    b"/mcp/../mcp/demo",
    b"/mcp/demo/..",
    b"/mcp/demo/.",
    b"/mcp/demo//",
    b"/mcp/%00demo",
    b"/mcp/demo%00",
    b"/mcp/demo%0d%0aX:1",
    b"/mcp/%c0%afdemo",
    b"/mcp/%c0%ae%c0%ae/demo",
    b"/mcp/%e0%80%af",
    b"/mcp/%ed%a0%80",
    b"/mcp/%ff",
    b"/mcp/%252e%252e/demo",
    b"/mcp/%25demo",
    b"/mcp/%u002e",
    b"/mcp/%2",
    b"/mcp/%",
    b"/mcp/%zz",
    b"/mcp/demo#x",
    b"/mcp/demo%23x",
    b"/mcp/demo?a#x",
    b"/mcp/demo%3fa",
    b"/@elsewhere/mcp/demo",
    b"/%40elsewhere/mcp/demo",
    b"/mcp/a%ef%bc%a0b",
    b"/mcp/%ef%bc%8fdemo",
    b"/mcp/%ef%bc%8e%ef%bc%8e/demo",
    b"/mcp/%e2%80%ae",
    b"/mcp/\xc3\xa9",
    b"/mcp/demo?a=%00",
    b"/mcp/demo?a=%",
    b"/mcp/demo?a=\\",
    b"*",
    b"mcp/demo",
    b"mcp:80",
    b"?a",
    b"",
    b"http://",
    b"http://127.0.0.1",
    b"ftp://127.0.0.1/a",
    b"javascript:alert(1)",
]


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_abuse_27_what_can_be_read_in_two_ways_has_no_normal_form(target: bytes) -> None:
    with pytest.raises(TargetError):
        normal_path(target)


pieces = st.sampled_from(
    b"/ . .. a B %2e %2F %61 %c3%a9 %20 ; \\ %5C %25 %00 ? # @ : // ~ %7E %EF%BC%8F = %c0%af + %2b".split()
)


@given(st.lists(pieces, max_size=8).map(lambda parts: b"/" + b"".join(parts)))
def test_every_reader_sees_the_same_path_as_the_normal_form(target: bytes) -> None:
    try:
        path = normal_path(target)
    except TargetError:
        return
    assert normal_path(path.encode()) == path
    raw = httptools.parse_url(target).path
    assert raw == target.partition(b"?")[0]
    decoded = unquote_to_bytes(raw)
    assert unquote_to_bytes(path) == decoded
    for reading in (decoded.decode(), unquote(decoded.decode()), path):
        assert not {"", ".", ".."} & set(reading.split("/")[1:-1])
        assert reading.split("/")[-1] not in (".", "..")
        assert not set(reading) & set("\\;#?\x00")
        assert not any(name.startswith("@") for name in reading.split("/"))
    assert decoded.count(b"/") == path.count("/")
