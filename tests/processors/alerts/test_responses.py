"""What is done without a person: only what is switched on, to whom it may, so often as it may."""

from __future__ import annotations

from typing import Any

import pytest

from processors.alerts.responses import HELD_BACK, Answer, answer, wanted_of
from processors.alerts.settings import Responses
from schemas.control import Lowered, control_value, lowered_of, open_control
from schemas.findings import acted, finding_value
from tests.processors.alerts.making import HOUR, ISSUER, SECOND, T0, finding

ON = Responses(on=True)


def answered(response: str, settings: Responses = ON, now: int = T0, **over: Any) -> Answer:
    before = over.pop("before", [])
    facts = {"response": response, **over.pop("facts", {})}
    return answer(finding(facts=facts, **over), settings, before, now)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("demand_approval for 1h", ("demand_approval", 3_600, None)),
        ("demand_approval 3600s", ("demand_approval", 3_600, None)),
        ("block for 90s", ("block", 90, None)),
        ("lower_limits for 2d", ("lower_limits", 172_800, None)),
        ("lower_limits to 0.5/s for 30m", ("lower_limits", 1_800, 0.5)),
    ],
)
def test_a_response_is_an_act_and_a_time(text: str, wanted: tuple[str, int, float | None]) -> None:
    assert wanted_of(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "block",
        "block for ever",
        "block for 0s",
        "block for 32d",
        "block to 1/s for 1h",
        "lower_limits to 0/s for 1h",
    ],
)
def test_what_a_response_cannot_mean_is_done_by_a_person(text: str) -> None:
    made = answered(text)
    assert (made.outcome, made.control) == ("held_back", None)
    assert made.held_back is not None
    assert made.held_back["rule"] == HELD_BACK


def test_nothing_is_done_unless_it_is_switched_on() -> None:
    assert answered("block for 1h", Responses()).outcome == "off"
    assert answered("block for 1h", Responses(on=True, rules=("other-*",))).outcome == "off"
    assert answer(finding(), ON, [], T0).outcome == "none"


def test_a_block_is_on_the_record_before_and_after_and_ends_by_itself() -> None:
    made = answered("block for 30m")
    assert made.control is not None
    assert made.asked is not None
    assert made.done is not None
    record = open_control(made.control["target"].encode(), control_value(made.control))
    assert (record["kind"], record["issuer"], record["subject"]) == ("principal_blocked", ISSUER, "alice")
    assert (record["by"], record["expires_at"]) == ("rule:secret-reads", T0 + 1_800 * SECOND)
    assert record["reason"] == "secret-reads: alice read 14 secrets"
    assert [(act["action"], act["outcome"], act["actor_kind"]) for act in (made.asked, made.done)] == [
        ("response.block", "asked", "rule"),
        ("response.block", "done", "rule"),
    ]


def test_approval_is_demanded_of_the_session_where_there_is_one_else_of_the_caller() -> None:
    of_session = answered("demand_approval for 1h", facts={"session_id": "s-1"}).control
    of_caller = answered("demand_approval for 1h").control
    assert of_session is not None
    assert of_caller is not None
    assert (of_session["session_id"], of_session["subject"]) == ("s-1", "")
    assert (of_caller["session_id"], of_caller["subject"]) == ("", "alice")


def test_limits_are_lowered_to_what_the_rule_or_else_the_settings_say() -> None:
    by_rule = answered("lower_limits to 2/s for 1h").control
    by_settings = answered("lower_limits for 1h", Responses(on=True, lowered=Lowered(0.1, 3))).control
    assert by_rule is not None
    assert by_settings is not None
    assert [lowered_of(by_rule), lowered_of(by_settings)] == [Lowered(2.0, 2), Lowered(0.1, 3)]


def test_who_is_exempt_is_never_touched() -> None:
    for name in (f"{ISSUER}|alice", "|alice"):
        made = answered("block for 1h", Responses(on=True, exempt=(name,)))
        assert (made.outcome, made.control) == ("exempt", None)


@pytest.mark.parametrize("who", ["", "anonymous"])
def test_nobody_in_particular_is_never_blocked(who: str) -> None:
    made = answered("block for 1h", who=who, facts={"principal_issuer": "", "session_id": "s-1"})
    assert (made.outcome, made.control) == ("held_back", None)
    session = answered("demand_approval for 1h", who=who, facts={"principal_issuer": "", "session_id": "s-1"})
    assert session.control is not None


def test_at_most_so_many_blocks_an_hour_then_a_person_is_asked() -> None:
    settings = Responses(on=True, blocks_hour_max=2)
    before = [("block", T0 - HOUR + SECOND), ("block", T0 - SECOND), ("other", T0)]
    made = answered("block for 1h", settings, before=before)
    assert (made.outcome, made.counts) == ("held_back", "")
    assert made.held_back is not None
    assert "2 were carried out within the hour" in made.held_back["title"]
    assert finding_value(made.held_back)
    assert "response" not in made.held_back["attributes"]
    assert answered("demand_approval for 1h", settings, before=before).counts == "other"
    assert answered("block for 1h", settings, T0 + 2 * SECOND, before=before).counts == "block"


def test_a_finding_of_long_ago_and_one_that_is_only_seen_again_change_nothing() -> None:
    assert answered("block for 1h", now=T0 + HOUR).outcome == "late"
    lasting = finding(facts={"response": "block for 1h"}, act="repeated")
    assert answer(lasting, ON, [], T0).outcome == "none"
    reopened = acted(finding(facts={"response": "block for 1h"}), "reopened", at=T0, by="cli:ann")
    assert answer(reopened, ON, [], T0).outcome == "none"


def test_the_same_finding_gives_the_same_record() -> None:
    one = finding(facts={"response": "block for 1h"})
    first, second = (answer(one, ON, [], T0) for _ in range(2))
    assert first == second
