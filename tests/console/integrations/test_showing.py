"""What a person sees: the exact call in plain words, bounded, and nothing that commands a screen."""

from __future__ import annotations

from typing import Any

import pytest

from console.integrations.showing import View, bounded, inert, said, values_of, view_of
from console.integrations.templates import NAMES, checked, filled
from console.standing import Standing
from tests.console.integrations.conftest import PUBLIC_URL
from tests.console.integrations.paper import PaperDesk


def asked(**over: Any) -> Standing:
    """Bob asks."""
    desk = PaperDesk()
    standing = desk.standing(desk.ask(**over))
    assert standing
    return standing


def shown(**over: Any) -> View:
    """As a person sees it."""
    return view_of(asked(**over), PUBLIC_URL)


@pytest.mark.parametrize(
    ("over", "title", "grant"),
    [
        ({}, "bob asks for a call on prod", None),
        (
            {"kind": "standing", "grant_seconds": 1_800, "uses_max": 5, "bound": "args.n < 3"},
            "bob asks for a standing grant on prod",
            "5 calls for 30 minutes where args.n < 3",
        ),
        (
            {"kind": "access", "grant_seconds": 7_200, "tool": ""},
            "bob asks for access to prod",
            "for 120 minutes",
        ),
        (
            {"kind": "break_glass", "break_glass_groups": ["developers"], "review_seconds": 600},
            "bob broke the glass on prod",
            None,
        ),
    ],
)
def test_each_kind_says_what_it_is(over: dict[str, Any], title: str, grant: str | None) -> None:
    view = shown(**over)
    assert view.title == title
    assert dict(view.facts).get("Grant") == grant


def test_who_has_to_agree_by_when_and_at_what_hours() -> None:
    quorum = [{"reviewers": ["security", "sre"], "people": 1}, {"reviewers": ["owners"], "people": 2}]
    facts = dict(shown(quorum=quorum, hours="mon-fri 08:00-18:00 Europe/Berlin").facts)
    assert facts["Needs"] == "1 of security, sre and 2 of owners"
    assert facts["Hours"] == "mon-fri 08:00-18:00 Europe/Berlin"
    assert facts["Until"].endswith(" UTC")


def test_a_kubernetes_call_is_verb_and_object() -> None:
    view = shown(tool="", method="DELETE", verb="delete", object="prod/pods/web-1")
    assert dict(view.facts)["What"] == "DELETE delete prod/pods/web-1"


def test_long_texts_are_cut_with_a_sign_and_arguments_say_so() -> None:
    view = shown(reason="x" * 1_000, arguments=b"y" * 2_501)
    assert dict(view.facts)["Reason"] == "x" * 499 + "…"
    assert (len(view.arguments), view.whole) == (2_500, False)
    assert shown(arguments=b"y" * 2_500).whole


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\nc", "a b c"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("Grüße, 世界 🙂", "Grüße, 世界 🙂"),
    ],
)
def test_nothing_that_a_caller_wrote_commands_a_screen(text: str, line: str) -> None:
    assert bounded(text) == line
    assert inert(line) == line


def test_every_name_of_a_template_has_a_value() -> None:
    values = values_of(asked(), PUBLIC_URL)
    assert set(values) == set(NAMES)
    assert filled(checked("$what for $$5"), values) == "delete_pod for $5"


def test_what_nobody_settled_yet_is_not_taken_for_open() -> None:
    standing = Standing(asked().request)
    assert said(standing) == "unread:0"
    view = view_of(standing, "")
    assert (view.open, view.url) == (False, "")
