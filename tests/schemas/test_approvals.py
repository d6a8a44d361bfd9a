"""Records of approvals: what is signed, who is believed, and what makes two calls one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.approvals import (
    DECISION_SCHEMA,
    DELEGATION_SCHEMA,
    REQUEST_SCHEMA,
    SETTLED_SCHEMA,
    ApprovalDecision,
    ApprovalRequest,
    ApprovalSettled,
    Delegation,
    decision_value,
    open_decision,
    open_request,
    open_settled,
    request_value,
    settled_value,
    signed_decision,
    signed_delegation,
    signed_request,
    signed_settled,
)
from schemas.calls import ExactCall, argument_digest
from schemas.codec import CodecError, load_schema
from schemas.signatures import KeyRing, SigningKey, TrustedKey
from tests.schemas.records import example

KEY = SigningKey(b"k" * 32)
OTHER = SigningKey(b"o" * 32)
RING = KeyRing(
    [TrustedKey(KEY.public, "console", frozenset({"approve"}), frozenset({"https://login.example.com"}))]
)
CALL: ExactCall = {
    "principal_issuer": "https://id",
    "principal_subject": "agent",
    "connection": "prod",
    "method": "tools/call",
    "tool": "delete_pod",
    "verb": "",
    "object": "",
    "arguments": {"name": "web-1", "count": 1},
}
DELEGATION = {
    "from_issuer": "https://id",
    "from_subject": "ann",
    "from_groups": ["owners"],
    "from_aliases": [],
    "to_issuer": "https://id",
    "to_subject": "carl",
    "from_at": 1,
    "until_at": 2,
}


def unsigned(name: str) -> dict[str, Any]:
    record = example(name)
    del record["key_id"], record["signature"]
    return record


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        (REQUEST_SCHEMA, ApprovalRequest),
        (DECISION_SCHEMA, ApprovalDecision),
        (SETTLED_SCHEMA, ApprovalSettled),
    ],
)
def test_the_typed_records_name_the_fields_of_their_schemas_in_order(name: str, typed: type) -> None:
    assert [field["name"] for field in load_schema(name)["fields"]] == list(typed.__annotations__)
    nested = next(f for f in load_schema(DECISION_SCHEMA)["fields"] if f["name"] == "delegation")["type"][1]
    assert [field["name"] for field in nested["fields"]] == list(Delegation.__annotations__)


def test_signed_records_come_back_as_they_were() -> None:
    request = signed_request(unsigned(REQUEST_SCHEMA), KEY)
    delegated = {**unsigned(DECISION_SCHEMA), "delegation": signed_delegation(DELEGATION, KEY)}
    decision = signed_decision(delegated, KEY)
    settled = signed_settled(unsigned(SETTLED_SCHEMA), KEY)
    key = request["approval_id"].encode()
    assert open_request(key, request_value(request)) == request
    assert open_decision(key, decision_value(decision)) == decision
    assert open_settled(key, settled_value(settled)) == settled
    assert request_value(request) == request_value(signed_request(unsigned(REQUEST_SCHEMA), KEY))


def test_a_record_under_another_key_is_not_read() -> None:
    value = request_value(signed_request(unsigned(REQUEST_SCHEMA), KEY))
    for key in (None, b"", b"another"):
        with pytest.raises(CodecError, match="do not say the same"):
            open_request(key, value)


def test_abuse_80_a_decision_is_believed_with_its_own_signature_only() -> None:
    decision = signed_decision(unsigned(DECISION_SCHEMA), KEY)
    issuer = decision["who_issuer"]
    assert RING.fault(DECISION_SCHEMA, decision, "approve", issuer) == ""
    for name in load_schema(DECISION_SCHEMA)["fields"]:
        field = name["name"]
        if field in ("signature", "key_id", "delegation", "verb"):
            continue
        value: Any = decision[field]  # type: ignore[literal-required]
        other = (
            [*value, "x"] if isinstance(value, list) else value + 1 if isinstance(value, int) else f"{value}x"
        )
        changed = {**decision, field: decision["approval_id"][:-1] + "9" if field.endswith("_id") else other}
        assert RING.fault(DECISION_SCHEMA, changed, "approve", issuer) == "the signature does not fit", field
    denied = {**decision, "verb": "deny"}
    assert RING.fault(DECISION_SCHEMA, denied, "deny", issuer) == "the signature does not fit"
    stranger = signed_decision(unsigned(DECISION_SCHEMA), OTHER)
    assert RING.fault(DECISION_SCHEMA, stranger, "approve", issuer) == "signed with an unknown key"
    borrowed = {**stranger, "key_id": KEY.key_id}
    assert RING.fault(DECISION_SCHEMA, borrowed, "approve", issuer) == "the signature does not fit"


def test_abuse_80_a_component_may_say_only_what_its_key_is_for() -> None:
    denied = signed_decision({**unsigned(DECISION_SCHEMA), "verb": "deny"}, KEY)
    assert "may not sign deny" in RING.fault(DECISION_SCHEMA, denied, "deny", denied["who_issuer"])
    stranger = signed_decision({**unsigned(DECISION_SCHEMA), "who_issuer": "https://else"}, KEY)
    assert "may not speak for" in RING.fault(DECISION_SCHEMA, stranger, "approve", "https://else")
    posing = signed_decision({**unsigned(DECISION_SCHEMA), "component": "slack"}, KEY)
    assert "another component" in RING.fault(DECISION_SCHEMA, posing, "approve", posing["who_issuer"])


def test_a_signature_of_one_kind_of_record_is_none_of_another() -> None:
    given = signed_delegation(DELEGATION, KEY)
    ring = KeyRing([TrustedKey(KEY.public, "console", frozenset({"delegate"}))])
    assert ring.fault(DELEGATION_SCHEMA, given, "delegate", "https://id") == ""
    assert ring.fault(DECISION_SCHEMA, {**example(DECISION_SCHEMA), "key_id": KEY.key_id}, "delegate", "")


def test_abuse_73_any_other_argument_is_another_call() -> None:
    digest = argument_digest(CALL)
    assert digest == argument_digest(json.loads(json.dumps({**CALL}, indent=3)))
    assert digest == argument_digest({**CALL, "arguments": {"count": 1, "name": "web-1"}})
    others: list[ExactCall] = [
        {**CALL, "arguments": {"name": "web-2", "count": 1}},
        {**CALL, "arguments": {"name": "web-1", "count": 1.0}},
        {**CALL, "arguments": {"name": "web-1", "count": "1"}},
        {**CALL, "arguments": {"name": "web-1", "count": 1, "force": None}},
        {**CALL, "connection": "test"},
        {**CALL, "principal_subject": "agent-2"},
        {**CALL, "tool": "delete_pods"},
    ]
    assert len({digest, *map(argument_digest, others)}) == 8


@pytest.mark.parametrize("value", [math.nan, math.inf, {1: "a"}, {"a": {None: 1}}, [object()], b"x", {1, 2}])
def test_what_is_no_json_has_no_digest(value: Any) -> None:
    with pytest.raises(ValueError, match=r"has no digest|not JSON compliant|Out of range"):
        argument_digest({**CALL, "arguments": value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(JSON, JSON)
def test_two_calls_have_one_digest_when_they_are_written_the_same(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    digests = {argument_digest({**CALL, "arguments": value}) for value in (one, other)}
    assert (len(digests) == 1) == same
