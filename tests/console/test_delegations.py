"""Delegations in force: from their day to their end, believed by both signatures, ended for good."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from console.delegations import Delegations, believed_delegation
from console.directory import Person
from schemas.approvals import signed_delegation
from schemas.codec import CodecError
from schemas.delegations import ApprovalDelegated, delegated_value, open_delegated, signed_delegated
from schemas.signatures import KeyRing, SigningKey
from tests.processors.approvals.making import (
    CONSOLE,
    GATEWAY,
    ISSUER,
    SECOND,
    STRANGER,
    T0,
    TRUSTED,
    delegation,
)

GUEST = Person(ISSUER, "guest")


def record(act: str = "given", key: SigningKey = CONSOLE, **over: Any) -> ApprovalDelegated:
    fields = {
        "delegation_id": str(uuid4()),
        "at": T0,
        "act": act,
        "by_issuer": ISSUER,
        "by_subject": "ann",
        "reason": "",
        "delegation": delegation("ann", "guest") if act == "given" else None,
        "component": "console",
        **over,
    }
    return signed_delegated(fields, key)


def opened(made: ApprovalDelegated) -> ApprovalDelegated | None:
    return believed_delegation(KeyRing(TRUSTED), made["delegation_id"].encode(), delegated_value(made))


def test_it_holds_from_its_day_until_its_end() -> None:
    now = T0 - 1
    found = Delegations(lambda: now)
    found.apply(record())
    assert (len(found.all()), list(found.held_by(GUEST))) == (1, [])
    now = T0
    assert [each.giver for each in found.held_by(GUEST)] == [f"{ISSUER}|ann"]
    assert list(found.held_by(Person(ISSUER, "ann"))) == []
    now = T0 + 86_400 * SECOND
    assert found.all() == []


def test_what_has_ended_stays_so_whatever_comes_after_or_before() -> None:
    given = record()
    ended = record("ended", delegation_id=given["delegation_id"])
    for order in ((given, ended, given), (ended, given)):
        found = Delegations(lambda: T0)
        for each in order:
            found.apply(each)
        assert found.all() == []
        assert found.find(given["delegation_id"]) is None


def test_abuse_80_a_delegation_is_believed_by_both_signatures() -> None:
    assert opened(record()) is not None
    inner = {
        name: value
        for name, value in delegation("ann", "guest").items()
        if name not in ("key_id", "signature")
    }
    forged = [
        record(key=STRANGER),
        record(key=GATEWAY),
        record(delegation=signed_delegation(inner, STRANGER)),
        record(delegation=signed_delegation(inner, GATEWAY)),
        record(delegation={**delegation("ann", "guest"), "to_subject": "mallory"}),
        record(component="gateway"),
    ]
    assert [opened(each) for each in forged] == [None] * len(forged)


@pytest.mark.parametrize(
    "change", [{"delegation": None}, {"act": "ended", "delegation": delegation("ann", "guest")}]
)
def test_a_record_whose_act_and_content_do_not_fit_is_broken(change: dict[str, Any]) -> None:
    made = record(**change)
    with pytest.raises(CodecError, match="do not fit"):
        open_delegated(made["delegation_id"].encode(), delegated_value(made))
    whole = record()
    with pytest.raises(CodecError, match="do not say the same"):
        open_delegated(b"another", delegated_value(whole))
