"""What a gateway writes when it asks: bounded, whole, and signed for what it may say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.edge.approvals.drafts import SHOWN_BYTES_MAX, AccessWish, access_request, call_request, said
from gateway.policy.verdict import Asked, Grant, Hold
from gateway.settings import AccessRequests
from processors.approvals.reading import read
from processors.approvals.terms import fault
from processors.records import Incoming
from schemas.approvals import decision_value, request_value
from schemas.signatures import KeyRing
from schemas.stamps import Stamp
from tests.gateway.approvals.people import ANY_NUMBER, GLASS, GRANT, HOLD, held, somebody
from tests.processors.approvals.making import GATEWAY, SECOND, T0, TRUSTED, approval_id, decision_id

RING = KeyRing(TRUSTED)
STAMP = Stamp(approval_id(), T0)


def believed(topic: str, value: bytes) -> Any:
    """What the machine makes of a record."""
    return read(Incoming(topic, 0, 0, approval_id().encode(), value), RING, 1)


@pytest.mark.parametrize(
    ("hold", "over", "kind"),
    [
        (HOLD, {}, "call"),
        (GRANT, {}, "standing"),
        (GRANT, {"name": "database"}, "call"),
        (ANY_NUMBER, {}, "standing"),
        (GLASS, {}, "call"),
        (GLASS, {"break_glass": True, "asked_for": "the site is down"}, "break_glass"),
        (HOLD, {"break_glass": True}, "call"),
    ],
)
def test_the_machine_believes_what_is_asked_and_finds_it_fit(
    hold: Hold, over: dict[str, Any], kind: str
) -> None:
    request = call_request(held(somebody(email="ann@example.com"), hold=hold, **over), STAMP, GATEWAY)
    assert request["kind"] == kind
    assert fault(request) == ""
    assert believed("approvals.requested", request_value(request)).request == request
    assert request["principal_aliases"] == ["mail:ann@example.com"]
    assert request["expires_at"] == T0 + 60 * SECOND
    assert request["quorum"] == [{"reviewers": ["owners"], "people": 1}]


def test_a_request_for_access_is_fit_and_believed() -> None:
    terms = AccessRequests(quorum=((("owners", "security"), 2),), comment_required=True)
    request = access_request(somebody(), AccessWish("prod", "why", 600, terms, STAMP), GATEWAY)
    assert fault(request) == ""
    assert (request["kind"], request["grant_seconds"], request["comment_required"]) == ("access", 600, True)
    assert request["quorum"] == [{"reviewers": ["owners", "security"], "people": 2}]
    assert believed("approvals.requested", request_value(request)).request == request


@pytest.mark.parametrize("verb", ["use", "revoke"])
def test_the_machine_believes_what_is_said_for_the_one_who_calls(verb: Any) -> None:
    call = held(somebody())
    decision = said(verb, approval_id(), call, Stamp(decision_id(1), T0), GATEWAY, comment="gone")
    assert believed("approvals.decided", decision_value(decision)).decision == decision
    assert decision["use_id"] == (call.exchange_id if verb == "use" else "")


def test_the_reason_names_the_rules_words_and_the_callers_apart() -> None:
    def reason(**over: Any) -> str:
        return call_request(held(somebody(), **{"reason": "risky", **over}), STAMP, GATEWAY)["reason"]

    assert reason() == "risky"
    assert reason(asked_for="disk full") == "risky; the caller says: disk full"
    assert reason(reason="", asked_for="disk full") == "disk full"
    assert reason(hold=GLASS, break_glass=True) == ""  # the rule's words are no reason to break the glass
    assert len(reason(asked_for="x" * 10_000)) == 2_000


def test_what_nobody_could_look_at_is_not_asked() -> None:
    call = held(somebody(), shown=b"x" * (SHOWN_BYTES_MAX + 1))
    with pytest.raises(ValueError, match="shown to nobody"):
        call_request(call, STAMP, GATEWAY)


def test_half_a_surrogate_pair_stops_nothing() -> None:
    call = held(somebody(groups=("a\ud800",)), tool="x\udfff", object="\ud800")
    request = call_request(call, STAMP, GATEWAY)
    assert believed("approvals.requested", request_value(request)).request["tool"] == "x?"


def test_all_parts_of_a_quorum_are_asked() -> None:
    hold = replace(
        HOLD, quorum=(Asked(("security",)), Asked(("owners",), 2)), hours="mon-fri 08:00-18:00 UTC"
    )
    request = call_request(held(somebody(), hold=hold), STAMP, GATEWAY)
    assert [part["people"] for part in request["quorum"]] == [1, 2]
    assert request["hours"] == "mon-fri 08:00-18:00 UTC"
    grant = replace(hold, grant=Grant(300, 5, 'tool.name == "delete_pod"'))
    request = call_request(held(somebody(), hold=grant), STAMP, GATEWAY)
    assert (request["grant_seconds"], request["uses_max"]) == (300, 5)
    assert request["bound"] == 'tool.name == "delete_pod"'
