"""The report of a session: a PDF that says what the trail says, whatever texts are in it."""

from __future__ import annotations

from typing import Any, cast

from sinks.exports.pdf import CALLS_MAX, report, shown
from sinks.readers import Exchange, Finding, Session
from tests.exports.test_languages import exchange, finding
from tests.support.pdf import texts

SESSION = cast(
    "Session",
    {
        "session_id": "s1",
        "started_at": "2026-11-21T12:00:00Z",
        "last_at": "2026-11-21T12:05:00Z",
        "connection": "prod",
        "protocol": "kubernetes",
        "principal": "alice",
        "principal_issuer": "https://id",
        "user_agent": "kubectl \u202e(evil) \u4e2d",
        "exchanges": 2,
        "denied": 1,
        "errors": 0,
        "redactions": 1,
        "request_bytes": 1,
        "response_bytes": 2,
    },
)


def rows(*events: Any) -> list[Exchange]:
    return [cast("Exchange", event.row) for event in events]


def test_the_report_names_the_caller_each_call_and_each_finding() -> None:
    calls = rows(exchange(), exchange(verdict="deny", rule="no-deletes"))
    said = texts(
        report(SESSION, calls, [cast("Finding", finding().row)], "https://c.example.com/sessions/s1")
    )
    for text in (
        "Session report",
        "alice",
        "delete pods p web",
        "deny no-deletes",
        "14 secrets",
        "c.example.com",
    ):
        assert text in said, text
    assert "page 1 of" in said


def test_abuse_84_what_the_font_has_not_is_drawn_as_its_code_point() -> None:
    assert shown("a\u202eb\x1b[31m\u4e2d\n\xe9") == "a\\u202eb\\u001b[31m\\u4e2d\\u000a\xe9"
    said = texts(report(SESSION, [], []))
    assert "u202e" in said
    assert "Findings: none" in said


def test_of_a_very_long_session_the_first_calls_are_in_it_and_it_says_so() -> None:
    said = texts(report(SESSION, rows(*[exchange()] * (CALLS_MAX + 1)), []))
    assert f"Calls: {CALLS_MAX + 1}" in said
    assert f"The first {CALLS_MAX} follow." in said
