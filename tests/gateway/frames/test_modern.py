"""MCP 2026-07-28: which headers contradict which bodies."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import VERSION_META_KEY, look
from gateway.frames.modern import decoded, is_modern, mismatch

VERSION = "2026-07-28"


def body(method: str = "tools/call", version: str | None = VERSION, **params: Any) -> bytes:
    """A request of 2026-07-28."""
    meta = {"_meta": {VERSION_META_KEY: version}} if version else {}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, **meta}}).encode()


def headers(method: str = "tools/call", name: bytes | None = b"t", version: str = VERSION) -> Headers:
    """The routing headers of a request."""
    pairs = [(b"mcp-protocol-version", version.encode()), (b"mcp-method", method.encode())]
    return [*pairs, (b"mcp-name", name)] if name is not None else pairs


def in_base64(text: str) -> bytes:
    return b"=?base64?" + base64.b64encode(text.encode()) + b"?="


CALL = body(name="t", arguments={"n": 5, "f": 1.0, "on": True, "s": {"deep": ["ü"]}})

AGREE: list[tuple[str, Headers, bytes]] = [
    ("a call", headers(), CALL),
    ("a name in base64", headers(name=in_base64("t")), CALL),
    ("a name that needs base64", headers(name=in_base64("tü")), body(name="tü")),
    ("a resource", headers("resources/read", b"file:///x"), body("resources/read", uri="file:///x")),
    ("a prompt", headers("prompts/get", b"p"), body("prompts/get", name="p")),
    ("a method without a name", headers("tools/list", None), body("tools/list")),
    ("an integer parameter", [*headers(), (b"mcp-param-n", b"5")], CALL),
    ("a float parameter", [*headers(), (b"mcp-param-f", b"1.0")], CALL),
    ("a float that is whole", [*headers(), (b"mcp-param-f", b"1")], CALL),
    ("a boolean parameter", [*headers(), (b"mcp-param-on", b"true")], CALL),
    ("a nested parameter in base64", [*headers(), (b"mcp-param-s", in_base64("ü"))], CALL),
    ("no parameter header at all", headers(), CALL),
    (
        "an older era, whatever its headers say",
        headers("x", b"y", "2025-11-25"),
        body(version=None, name="t"),
    ),
    ("a body that names no version, under its own headers", headers(), body(version=None, name="t")),
    ("an older era that names itself", headers("x", b"y", "2025-11-25"), body(version="2025-11-25")),
    ("a notification", [], b'{"jsonrpc":"2.0","method":"notifications/cancelled"}'),
    ("a batch", [], b"[" + CALL + b"]"),
    ("nonsense", headers(), b"nonsense"),
]
CONTRADICT: list[tuple[str, Headers, bytes, str]] = [
    ("another version", headers(version="2025-11-25"), CALL, "mcp-protocol-version"),
    ("no version", headers()[1:], CALL, "mcp-protocol-version"),
    ("another method", headers("tools/list"), CALL, "mcp-method"),
    ("a method in other letters", headers("Tools/Call"), CALL, "mcp-method"),
    (
        "another method than that of a body without version",
        headers("x"),
        body(version=None, name="t"),
        "mcp-method",
    ),
    (
        "another tool than that of a body without version",
        headers(name=b"u"),
        body(version=None, name="t"),
        "mcp-name",
    ),
    ("no method", [headers()[0]], CALL, "mcp-method"),
    ("another tool", headers(name=b"u"), CALL, "mcp-name"),
    ("no tool", headers(name=None), CALL, "mcp-name"),
    ("another tool in base64", headers(name=in_base64("u")), CALL, "mcp-name"),
    ("broken base64", headers(name=b"=?base64?%?="), CALL, "mcp-name"),
    ("base64 of no text", headers(name=b"=?base64?/w==?="), CALL, "mcp-name"),
    ("another resource", headers("resources/read", b"y"), body("resources/read", uri="x"), "mcp-name"),
    ("another argument", [*headers(), (b"mcp-param-n", b"6")], CALL, "mcp-param-n"),
    ("an argument of a call without any", [*headers(), (b"mcp-param-n", b"6")], body(name="t"), "mcp-param"),
    ("the tool named twice", [*headers(), (b"mcp-name", b"t")], CALL, "more than once"),
    ("a header name that is no text", [*headers(), *[(b"mcp-param-\xff", b"5")] * 2], CALL, "more than once"),
]


@pytest.mark.parametrize(("_", "pairs", "text"), AGREE, ids=[row[0] for row in AGREE])
def test_headers_that_agree(_: str, pairs: Headers, text: bytes) -> None:
    assert mismatch(pairs, look(text)) == ""


@pytest.mark.parametrize(("_", "pairs", "text", "words"), CONTRADICT, ids=[row[0] for row in CONTRADICT])
def test_headers_that_contradict(_: str, pairs: Headers, text: bytes, words: str) -> None:
    assert words in mismatch(pairs, look(text))


def test_a_task_that_is_named_is_the_one_that_is_asked_about() -> None:
    asked = look(body("tasks/get", taskId="t1"))
    assert mismatch(headers("tasks/get", b"t1"), asked, "t1") == ""
    assert mismatch(headers("tasks/get", None), asked, "t1") == ""
    assert "mcp-name" in mismatch(headers("tasks/get", b"t2"), asked, "t1")
    assert mismatch(headers("tasks/get", b"t2"), asked) == ""


@pytest.mark.parametrize("number", [b"9" * 5000, b"1e999", b"-1e999", b"123456789012345678901234567890"])
def test_numbers_that_no_parser_agrees_on_are_mirrored_by_no_header(number: bytes) -> None:
    text = CALL.replace(b'"n": 5', b'"n": ' + number)
    assert look(text).kind == "request"
    assert "mcp-param-n" in mismatch([*headers(), (b"mcp-param-n", b"5")], look(text))


@settings(deadline=None)
@given(st.text(max_size=20))
def test_every_name_can_be_carried_in_base64(name: str) -> None:
    assert decoded(in_base64(name)) == name


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([b"mcp-name", b"mcp-method", b"mcp-param-a"]), st.binary(max_size=9))),
    st.binary(max_size=9),
)
def test_no_header_value_raises(pairs: Headers, name: bytes) -> None:
    mismatch([*headers(name=name)[:2], *pairs], look(CALL))


@pytest.mark.parametrize(
    ("version", "modern"),
    [("2026-07-28", True), ("2027-01-01", True), ("2025-11-25", False), ("", False), ("2026-07-28x", False)],
)
def test_revisions_from_2026_07_28_on_have_no_sessions(version: str, modern: bool) -> None:
    assert is_modern(version) is modern
