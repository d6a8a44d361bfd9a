"""What pages say of approvals and findings, without any page: who may decide and why not, JSON as it was written."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.directory import Person
from console.sight import Acquaintance, Sight
from console.standing import Standing, Turn
from console.web.pages.findings_view import seen_mark, technique_url, window_of
from console.web.pages.inbox_context import before, like
from console.web.pages.inbox_json import pretty
from console.web.pages.inbox_may import may
from console.web.pages.inbox_rows import Wanted, progress, section_of, sections, wanted_of
from schemas.approvals import ApprovalRequest, ApprovalSettled
from sinks.readers import Finding
from tests.processors.approvals.making import ISSUER, request_fields

NOW = time.time_ns() // 1_000
KNOWN = Acquaintance([(f"{ISSUER}|bob", "|bob@laptop")])


def standing(
    number: int = 1, state: str = "pending", approvers: tuple[str, ...] = (), **over: Any
) -> Standing:
    """Bob's request in that state; `broken`: a glass that nobody looked at."""
    settled = {
        "state": state,
        "approvers": list(approvers),
        "review_due_at": None,
        "reviewed_by": "",
        "ends_at": NOW,
    }
    settled |= {"uses_left": 0}
    if state == "broken":
        settled |= {"state": "used", "review_due_at": NOW}
    fields = request_fields(number, **over)
    turn = Turn(1, NOW, state, "deny", f"{ISSUER}|ann", comment="no")
    return Standing(cast("ApprovalRequest", fields), cast("ApprovalSettled", settled), (turn,))


def sight(name: str, *groups: str, **more: Any) -> Sight:
    return Sight(Person(ISSUER, name, groups), KNOWN, (), **more)


@pytest.mark.parametrize(
    ("name", "groups", "state", "decides", "verbs"),
    [
        ("ann", ("owners",), "pending", True, ("approve", "deny", "revoke")),
        ("ann", ("owners",), "approved", True, ("revoke",)),
        ("ann", ("owners",), "denied", True, ()),
        ("ann", ("owners",), "broken", True, ("review",)),
        ("ann", ("owners",), "pending", False, ()),
        ("bob", ("owners",), "pending", True, ("revoke",)),
        ("bob", ("owners",), "pending", False, ("revoke",)),
        ("bob", ("owners",), "used", True, ()),
        ("zoe", ("others",), "pending", True, ()),
    ],
)
def test_who_may_say_what(
    name: str, groups: tuple[str, ...], state: str, decides: bool, verbs: tuple[str, ...]
) -> None:
    found = may(standing(state=state), sight(name, *groups), decides=decides, revoker=False, now=NOW)
    assert found.verbs == verbs
    assert found.why


def test_who_may_revoke_everything_may_take_back_and_nothing_else() -> None:
    found = may(standing(), sight("sec", "on-call", revoker=True), decides=True, revoker=True, now=NOW)
    assert found.verbs == ("revoke",)
    assert "none of its reviewers" in found.why


def test_a_review_always_takes_a_comment_and_other_verbs_where_the_rule_says_so() -> None:
    ann = sight("ann", "owners")
    broken = may(standing(state="broken"), ann, decides=True, revoker=False, now=NOW)
    strict = may(standing(comment_required=True), ann, decides=True, revoker=False, now=NOW)
    assert (broken.comment_required, strict.comment_required) == (("review",), ("approve", "deny"))


def test_what_waits_is_no_more_there_once_the_person_has_agreed() -> None:
    two = [{"reviewers": ["owners"], "people": 2}]
    open_one = standing(quorum=two)
    half = standing(quorum=two, approvers=(f"{ISSUER}|ann",))
    ann = sight("ann", "owners")
    assert (section_of(open_one, ann), section_of(half, ann)) == ("waiting", "others")
    assert section_of(half, sight("eve", "owners")) == "waiting"
    assert (progress(open_one), progress(half)) == ("0 of 2", "1 of 2")


def test_nobody_is_shown_what_they_may_not_see() -> None:
    found = sections([standing(1), standing(2)], sight("zoe", "others"), Wanted())
    assert [len(section.rows) for section in found] == [0, 0, 0]


def test_like_requests_are_of_the_same_object_where_there_are_any() -> None:
    ann, asked = sight("ann", "owners"), standing(1, object="web-1")
    other, same = standing(2, "denied", object="web-2"), standing(3, "approved", object="web-1")
    elsewhere = standing(4, connection="stage", object="web-1")
    assert like(asked, [asked, other, same, elsewhere], ann).counts == {"approved": 1}
    tool = like(asked, [asked, other, elsewhere], ann)
    assert (tool.counts, [row["comment"] for row in tool.rows]) == ({"denied": 1}, ["no"])
    assert like(asked, [asked, other, same], sight("zoe", "others")).counts == {}


def test_the_last_calls_before_one_are_given_the_latest_first() -> None:
    calls = [{"exchange_id": str(number)} for number in range(20)]
    assert [each["exchange_id"] for each in before(calls, "12")] == [str(n) for n in range(11, 3, -1)]
    assert before(calls, "unknown")[0]["exchange_id"] == "19"
    assert before([], "1") == []


@pytest.mark.parametrize("text", ["", "not json", '{"a":', "[" * 5_000, '{"a":1}' + " " * 200_000])
def test_what_is_no_json_is_shown_as_it_came(text: str) -> None:
    assert pretty(text) == text


SCALARS = st.none() | st.booleans() | st.text() | st.integers() | st.floats(allow_nan=False)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_indented_json_says_the_same_in_the_same_order(value: Any) -> None:
    written = json.dumps(value, ensure_ascii=False)
    assert json.dumps(json.loads(pretty(written)), ensure_ascii=False) == written


def test_numbers_keep_their_digits_and_members_that_are_there_twice_stay() -> None:
    assert (
        pretty('{"a":1.0,"a":1e400,"b":[],"c":{}}')
        == '{\n  "a": 1.0,\n  "a": 1e400,\n  "b": [],\n  "c": {}\n}'
    )


def test_the_page_of_a_list_is_taken_from_its_link_alone() -> None:
    with pytest.raises(ValueError, match="next page"):
        wanted_of({"after": "now"})
    assert wanted_of({"show": "mine", "state": "pending"}).query == {"show": "mine", "state": "pending"}


@pytest.mark.parametrize(
    ("technique", "url"),
    [
        ("T1552.007", "https://attack.mitre.org/techniques/T1552/007/"),
        ("T1078", "https://attack.mitre.org/techniques/T1078/"),
        ("javascript:alert(1)", ""),
        ("T1078/../..", ""),
    ],
)
def test_a_link_to_a_technique_is_made_of_its_number_alone(technique: str, url: str) -> None:
    assert technique_url(technique) == url


@pytest.mark.parametrize("value", ["nan", "inf", "-3", "many", "1e999"])
def test_a_value_that_is_none_draws_nothing(value: str) -> None:
    found = window_of(
        cast("Finding", {"attributes": {"value": value, "threshold": "20", "window_start": "soon"}})
    )
    assert found is not None
    assert (found.share, round(found.mark), found.start) == (0, 91, "")


def test_a_finding_changes_its_mark_with_every_word_of_a_person_and_not_while_it_lasts() -> None:
    acts = [{"by": ""}, {"by": "cli:ann@ops"}]
    found = {"state": "acknowledged", "acts": acts}
    mark = seen_mark(cast("Finding", found))
    assert seen_mark(cast("Finding", {**found, "acts": [*acts, {"by": ""}]})) == mark
    assert seen_mark(cast("Finding", {**found, "acts": [*acts, {"by": "cli:ann@ops"}]})) != mark
