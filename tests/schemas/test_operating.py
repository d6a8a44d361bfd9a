"""Records of topics `control`, `admin` and `findings`: what they say, and what is never believed or written."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from schemas.admin import (
    DETAIL_CHARACTERS_MAX,
    GATEWAY,
    TEXT_CHARACTERS_MAX,
    Actor,
    AdminRecord,
    admin_record,
    admin_value,
)
from schemas.codec import CodecError, codec, load_schema
from schemas.control import (
    ControlRecord,
    Lowered,
    ToolPin,
    alerts_silenced,
    approval_demanded,
    control_value,
    limits_lowered,
    lowered_of,
    open_control,
    pin_of,
    policy_in_force,
    principal_blocked,
    session_killed,
    token_revoked,
    tool_pinned,
)
from schemas.findings import (
    EVIDENCE_MAX,
    TITLE_CHARACTERS_MAX,
    FindingRecord,
    acted,
    finding_record,
    finding_value,
    open_finding,
)
from schemas.stamps import Stamp
from schemas.topics import topics

STAMP = Stamp("0193b2f0-5c1e-7cc1-9c1e-0242ac120002", 1_790_000_000_123_456)
RECORDS = [
    principal_blocked(STAMP, "https://id/x", "auth0|m", by="b", reason="r", expires_at=5),
    principal_blocked(STAMP, "", "мэллори", by="b", reason=""),
    session_killed(STAMP, "s-1", by="b", reason="r"),
    token_revoked(STAMP, "t-1", by="b", reason="r", expires_at=STAMP.at),
    tool_pinned(STAMP, "demo", "a|b", ToolPin("aa", {"readOnlyHint": True}, ("flag",)), by="b"),
    policy_in_force(STAMP, "demo", "ff", by="gateway"),
    approval_demanded(STAMP, session_id="s-1", by="rule:r", reason="r", expires_at=5, cause=STAMP.id),
    approval_demanded(STAMP, subject="мэллори", by="rule:r", reason="r"),
    limits_lowered(STAMP, "https://id/x", "a|b", Lowered(0.5, 2), by="rule:r", reason="r", cause=STAMP.id),
    alerts_silenced(STAMP, "secret-*", "", "m|x", by="b", reason="r", expires_at=STAMP.at),
    principal_blocked(STAMP, "", "m", by="rule:r", reason="r", expires_at=5, cause=STAMP.id),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record["kind"]))
def test_a_control_record_comes_back_as_it_was_told(record: ControlRecord) -> None:
    assert open_control(record["target"].encode(), control_value(record)) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record["kind"]))
def test_a_control_record_under_another_key_is_not_believed(record: ControlRecord) -> None:
    for key in (None, b"", record["target"].encode() + b" ", b"block:|alice"):
        with pytest.raises(CodecError, match="do not say the same"):
            open_control(key, control_value(record))


def test_lowered_limits_come_back_as_they_were_told() -> None:
    record = limits_lowered(STAMP, "", "m", Lowered(0.5, 2), by="rule:r", reason="r")
    assert lowered_of(open_control(record["target"].encode(), control_value(record))) == Lowered(0.5, 2)


def test_a_pin_of_another_kind_of_record_is_no_pin() -> None:
    with pytest.raises(CodecError, match="detail of a pin"):
        pin_of(session_killed(STAMP, "s-1", by="b", reason="r"))


@pytest.mark.parametrize(
    ("name", "typed"), [("control", ControlRecord), ("admin", AdminRecord), ("finding", FindingRecord)]
)
def test_the_typed_records_name_the_fields_of_their_schemas_in_order(name: str, typed: type) -> None:
    assert [field["name"] for field in load_schema(name)["fields"]] == list(typed.__annotations__)


def test_an_act_is_bounded_whatever_a_stranger_sends() -> None:
    record = admin_record(
        STAMP,
        Actor("token_endpoint", "s" * 5_000, "i" * 5_000),
        "token.refuse",
        "\ud800" + "t" * 5_000,
        "refused",
        reason="r" * 5_000,
        detail={"big": "x" * (DETAIL_CHARACTERS_MAX + 1)},
    )
    texts = (record["actor_subject"], record["actor_issuer"], record["target"], record["reason"])
    assert {len(text) for text in texts} == {TEXT_CHARACTERS_MAX + 1}
    assert "left_out_characters" in json.loads(record["detail"])
    assert len(admin_value(record)) < 40_000


def test_who_acts_is_told_in_one_word() -> None:
    assert str(Actor("cli", "ann@ops")) == "cli:ann@ops"
    assert str(GATEWAY) == "gateway"
    assert str(Actor("rule", "secret-reads")) == "rule:secret-reads"
    assert str(Actor("token_endpoint", "alice", "https://id")) == "https://id|alice"


def test_a_finding_raised_twice_is_one_and_another_digest_is_another() -> None:
    one, two, other = (
        finding_record("tool-changed", "high", "title", ["demo|get_pod", digest], raised_at=at)
        for digest, at in (("aa", 1), ("aa", 2), ("bb", 1))
    )
    assert one["finding_id"] == two["finding_id"] != other["finding_id"]
    assert UUID(one["finding_id"]).version == 5
    assert codec("finding").decode(finding_value(one))["evidence"] == ["demo|get_pod", "aa"]


def test_the_evidence_of_a_named_finding_may_grow() -> None:
    one = finding_record("secret-reads", "high", "title", ["f1"], raised_at=1, name="alice/10:00")
    grown = finding_record(
        "secret-reads",
        "high",
        "title",
        ["f1", "f2"],
        raised_at=2,
        act="repeated",
        name="alice/10:00",
        count=2,
    )
    other = finding_record("secret-reads", "high", "title", ["f1"], raised_at=1, name="alice/10:10")
    assert one["finding_id"] == grown["finding_id"] != other["finding_id"]
    assert (
        one["finding_id"]
        != finding_record("x", "high", "t", ["f1"], raised_at=1, name="alice/10:00")["finding_id"]
    )


def test_a_finding_comes_back_as_it_was_told_and_is_closed_with_a_verdict() -> None:
    told = {"principal_subject": "alice", "response": "demand_approval for 1h"}
    raised = finding_record("secret-reads", "high", "title", ["f1"], raised_at=1, attributes=told)
    closed = acted(raised, "closed", at=9, by="cli:ann@ops", comment="a drill", verdict="benign")
    assert open_finding(finding_value(raised)) == raised
    assert (
        open_finding(finding_value(closed))
        == closed
        == {
            **raised,
            "act": "closed",
            "raised_at": 9,
            "by": "cli:ann@ops",
            "comment": "a drill",
            "verdict": "benign",
        }
    )
    with pytest.raises(ValueError, match="verdict"):
        acted(raised, "closed", at=9, by="cli:ann@ops")
    with pytest.raises(ValueError, match="verdict"):
        finding_record("r", "high", "t", [], raised_at=1, verdict="benign")


def test_a_finding_is_bounded_whatever_a_stranger_sends() -> None:
    record = finding_record(
        "r",
        "low",
        "\ud800" + "t" * 9_000,
        ["e" * 9_000] * 9_000,
        raised_at=1,
        attributes={f"{n:03}": "v" * 9_000 for n in range(200)},
    )
    assert len(record["title"]) == TITLE_CHARACTERS_MAX + 1
    assert len(record["evidence"]) < EVIDENCE_MAX
    assert len(finding_value(record)) < 600_000


def test_topics_that_hold_state_keep_it_for_ever_and_control_has_one_order() -> None:
    compacted = [topic for topic in topics().values() if topic.compacted]
    assert {topic.retention_ms for topic in compacted} == {-1}
    assert topics()["control"] in compacted
    assert topics()["control"].partitions == 1
