"""What a caller says of a held call is taken, in headers and in `_meta`, as far as it can be shown to a reviewer."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.waiting import OWN_HEADERS, asked_for
from gateway.waiting.caller import shown, without_own
from tests.gateway.waiting.shapes import body, request


def said(headers: list[tuple[bytes, bytes]] | None = None, **meta: Any) -> tuple[str, bool]:
    """What is taken out of such a request."""
    data = body(meta=meta)
    return asked_for(request(data, headers or []), json.loads(data))


def test_nothing_said_is_nothing_asked() -> None:
    assert said() == ("", False)
    assert asked_for(request(b""), None) == ("", False)
    assert asked_for(request(b"[]"), [{"params": {"_meta": {"sluicegate/reason": "x"}}}]) == ("", False)


def test_the_reason_is_read_from_a_header_or_from_the_body_and_the_header_counts() -> None:
    assert said([(b"sluicegate-reason", b" disk 4 is failing ")]) == ("disk 4 is failing", False)
    assert said(**{"sluicegate/reason": "disk 4 is failing"}) == ("disk 4 is failing", False)
    assert said([(b"sluicegate-reason", b"a")], **{"sluicegate/reason": "b"}) == ("a", False)


def test_breaking_glass_needs_a_word_and_its_text_is_the_reason() -> None:
    assert said([(b"sluicegate-break-glass", b"site down"), (b"sluicegate-reason", b"x")]) == (
        "site down",
        True,
    )
    assert said(**{"sluicegate/break-glass": "site down"}) == ("site down", True)
    for nothing in (b"", b"  ", b"\x00\t"):
        assert said([(b"sluicegate-break-glass", nothing), (b"sluicegate-reason", b"x")]) == ("x", False)
    for no_text in (True, 1, None, ["site down"], {}):
        assert said(**{"sluicegate/break-glass": no_text}) == ("", False)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("für Übung".encode(), "für Übung"),
        ("für Übung".encode("latin-1"), "für Übung"),
        (b"=?base64?" + base64.b64encode("für Übung".encode()) + b"?=", "für Übung"),
        (b"=?base64?%%%?=", ""),
    ],
)
def test_a_header_is_read_in_every_encoding_that_clients_send(sent: bytes, read: str) -> None:
    assert said([(b"sluicegate-reason", sent)]) == (read, False)


def test_the_first_header_that_says_anything_counts() -> None:
    assert said([(b"sluicegate-reason", b" "), (b"sluicegate-reason", b"b")]) == ("b", False)


def test_a_reviewer_sees_one_line_without_what_could_disguise_it() -> None:
    assert shown("a\r\nb\x1b[31mc\u202ed\u200be\u2066f\x00g\u2028h") == "a b[31mcdefg h"
    assert shown("x" * 501) == "x" * 500
    assert shown("\u202e" * 100_000 + "x") == ""


@given(st.text())
def test_what_is_shown_is_bounded_and_shown_again_the_same(text: str) -> None:
    once = shown(text)
    assert len(once) <= 500
    assert once.isprintable() or not once
    assert shown(once) == once


def test_what_is_said_to_the_gateway_does_not_go_upstream() -> None:
    headers = [(name, b"x") for name in sorted(OWN_HEADERS)] + [(b"accept", b"*/*")]
    assert len(headers) == 3
    assert without_own(headers) == [(b"accept", b"*/*")]
