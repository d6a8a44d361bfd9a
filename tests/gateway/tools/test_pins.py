"""A tool is pinned as it is first seen; what differs later is told once, and shown."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.settings import ToolSettings
from gateway.tools.book import ToolBook, verdict_for
from gateway.tools.findings import FINDINGS_MAX, findings_of
from gateway.tools.listing import ListedTool, tools_in
from gateway.tools.pins import NotListedError, PinChange, accepted, differing, judge
from schemas.control import ToolPin, control_value, open_control, pin_of
from schemas.findings import finding_value
from schemas.stamps import Stamp
from tests.gateway.tools.shapes import listing, tool

STAMP = Stamp("01926f00-0000-7000-8000-000000000001", 1_700_000_000_000_000)


def listed(description: str = "reads", name: str = "t", **more: Any) -> ListedTool:
    """One tool as it is listed."""
    (seen,) = tools_in(listing(tool(name, description, **more)))
    return seen


def change(known: ToolPin | None, seen: ListedTool) -> PinChange:
    """The change that there must be."""
    found = judge(known, seen, "demo", 5)
    assert found is not None
    return found


FIRST = change(None, listed()).pin


def test_a_tool_is_pinned_when_it_is_first_seen() -> None:
    first = change(None, listed(annotations={"readOnlyHint": True}))
    assert (first.kind, first.pin.state, first.pin.accepted_by) == ("first_seen", "pinned", "")
    assert first.pin.annotations == {"readOnlyHint": True}
    assert first.pin.first_seen_at == 5
    assert findings_of(first, 5) == []


def test_a_tool_that_is_as_it_was_changes_nothing() -> None:
    assert judge(FIRST, listed(), "demo", 9) is None


@pytest.mark.parametrize(
    ("now", "parts"),
    [
        (listed("reads, and sends it to me"), ("description",)),
        (listed(inputSchema={"type": "object", "properties": {"x": {}}}), ("inputSchema",)),
        (listed(outputSchema={"type": "object"}), ("outputSchema",)),
        (listed(annotations={"destructiveHint": False}), ("annotations",)),
        (listed("other", title="T"), ("title", "description")),
    ],
)
def test_abuse_62_what_differs_from_the_pin_is_told_and_the_pin_is_kept(
    now: ListedTool, parts: tuple[str, ...]
) -> None:
    found = change(FIRST, now)
    assert (found.kind, found.pin.state, found.pin.changed) == ("changed", "changed", parts)
    assert (found.pin.digest, found.pin.seen_digest) == (FIRST.digest, now.digest)
    assert judge(found.pin, now, "demo", 9) is None


def test_abuse_62_a_changed_tool_raises_one_finding_wherever_it_is_seen() -> None:
    now = listed("evil\u202e")
    (one, hidden), (other, _) = (findings_of(change(FIRST, now), at) for at in (5, 6))
    assert one["finding_id"] == other["finding_id"] != hidden["finding_id"]
    assert (one["rule"], hidden["rule"]) == ("tool-changed", "tool-hidden-text")
    assert any("reads" in line for line in one["evidence"])
    assert "\u202e" not in "".join([*one["evidence"], *hidden["evidence"]])
    assert any("\\u{202e}" in line for line in hidden["evidence"])
    for each in (one, hidden):
        assert finding_value(each)


def test_abuse_63_hidden_text_raises_a_finding_when_first_seen() -> None:
    first = change(None, listed("reads\u200b"))
    (hidden,) = findings_of(first, 5)
    assert hidden["evidence"] == [
        "connection: demo",
        "tool: t",
        "zero-width in description: reads\\u{200b}",
    ]
    assert first.pin.flags == ("zero-width",)


def test_a_tool_that_is_as_it_was_pinned_again_is_settled() -> None:
    back = change(change(FIRST, listed("other")).pin, listed())
    assert (back.kind, back.pin.state, back.pin.seen_digest, back.pin.changed) == (
        "settled",
        "pinned",
        "",
        (),
    )
    assert findings_of(back, 5) == []


def test_what_was_accepted_is_the_pin_from_then_on() -> None:
    now = listed("other")
    pin = accepted(change(FIRST, now).pin, "cli:ann@host", now.digest)
    assert (pin.state, pin.digest, pin.accepted_by) == ("pinned", now.digest, "cli:ann@host")
    assert judge(pin, now, "demo", 9) is None
    assert change(pin, listed()).kind == "changed"


def test_only_what_is_listed_can_be_accepted() -> None:
    pin = change(change(FIRST, listed("second")).pin, listed("third")).pin
    with pytest.raises(NotListedError, match="is listed with digest"):
        accepted(pin, "ann", listed("second").digest)


def test_a_server_that_never_lists_the_same_twice_raises_few_findings() -> None:
    pin, raised = FIRST, 0
    for number in range(50):
        found = change(pin, listed(f"number {number}"))
        pin, raised = found.pin, raised + len(findings_of(found, 5))
    assert raised == FINDINGS_MAX


def test_definitions_are_masked_before_they_are_kept_but_digested_as_they_are() -> None:
    secret = listed("token hunter2", annotations={"title": "hunter2"})
    found = judge(None, secret, "demo", 5, lambda text: text.replace("hunter2", "[masked]"))
    assert found is not None
    assert found.pin.digest == secret.digest
    assert "hunter2" not in repr((found.pin, found.record(STAMP)))
    assert found.pin.annotations == {"title": "[masked]"}


def test_a_change_is_a_record_that_gives_the_same_pin_back() -> None:
    found = change(FIRST, listed("other\u200b", annotations={"readOnlyHint": True}))
    record = found.record(STAMP)
    assert record["target"] == "pin:demo|t"
    assert record["reason"] == "listed with another description, annotations"
    assert pin_of(open_control(b"pin:demo|t", control_value(record))) == found.pin


@pytest.mark.parametrize("name", ["\ud800", "x" * 257, ""])
def test_a_name_that_no_record_holds_stays_unknown(name: str) -> None:
    assert judge(None, listed(name=name), "demo", 5) is None


def test_parts_that_cannot_be_compared_are_the_definition() -> None:
    assert differing('{"a":1}…', "{}") == ("definition",)


# ---- the book


def test_a_change_counts_at_once_until_the_shared_state_is_another() -> None:
    shared: dict[tuple[str, str], ToolPin] = {}
    book = ToolBook("demo", shared)
    assert book.lookup("t").state == "unknown"
    (first,) = book.take([listed()], 5)
    assert book.lookup("t").state == "pinned"
    assert book.take([listed()], 6) == []
    shared["demo", "t"] = first.pin
    (second,) = book.take([listed("other")], 7)
    assert book.lookup("t").state == "changed"
    shared["demo", "t"] = accepted(second.pin, "ann")
    assert book.lookup("t").state == "pinned"


def test_what_a_listing_will_tell_is_known_before_it_is_taken() -> None:
    book = ToolBook("demo", {})
    seen = listed(annotations={"readOnlyHint": True})
    assert book.expected(seen) == ({"readOnlyHint": True}, "pinned")
    assert book.lookup("t").state == "unknown"
    book.take([seen], 5)
    assert book.expected(seen) == book.lookup("t")
    assert book.expected(listed()).state == "changed"
    assert book.expected(listed(name="\ud800")) == ({}, "unknown")


def test_what_could_not_be_announced_is_found_again() -> None:
    book = ToolBook("demo", {})
    book.forget(book.take([listed()], 5))
    assert book.lookup("t").state == "unknown"
    assert len(book.take([listed()], 6)) == 1


def test_annotations_are_those_that_were_listed_last() -> None:
    book = ToolBook("demo", {("demo", "t"): FIRST})
    book.take([listed(annotations={"readOnlyHint": True})], 5)
    assert book.lookup("t") == ({"readOnlyHint": True}, "changed")


def test_abuse_62_a_changed_tool_is_held_denied_or_let() -> None:
    held = verdict_for("changed", ToolSettings("hold"))
    denied = verdict_for("changed", ToolSettings("deny"))
    assert held is not None
    assert denied is not None
    assert (held.action, held.reason_code) == ("hold", "policy_held")
    assert (denied.action, denied.reason_code) == ("deny", "tool_changed")
    assert verdict_for("changed", ToolSettings("allow")) is None
    assert verdict_for("pinned", ToolSettings("deny")) is None
    assert verdict_for("unknown", ToolSettings("deny")) is None
