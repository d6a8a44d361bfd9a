"""Requests and decisions of the approvals' tests, signed by keys that are trusted here; and a log to put them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processors.approvals.agenda import Agenda
from processors.approvals.app import tick
from processors.approvals.books import Books, Office, Place
from processors.approvals.entry import Row
from processors.approvals.reading import partition_of
from processors.approvals.settings import ApprovalSettings
from processors.approvals.worker import office_of
from processors.records import Incoming, Outgoing
from schemas.approvals import (
    ApprovalSettled,
    decision_value,
    open_settled,
    request_value,
    signed_decision,
    signed_delegation,
    signed_request,
)
from schemas.codec import codec
from schemas.signatures import SigningKey, TrustedKey

SECOND = 1_000_000
T0 = 1_789_997_600 * SECOND  # a Monday, 13:33 UTC
ISSUER = "https://id.example.com"
PARTITIONS = 4
GATEWAY, CONSOLE, MACHINE = SigningKey(b"g" * 32), SigningKey(b"c" * 32), SigningKey(b"m" * 32)
STRANGER = SigningKey(b"s" * 32)
DECISIONS = frozenset({"approve", "deny", "revoke", "review", "delegate"})
TRUSTED = (
    TrustedKey(GATEWAY.public, "gateway", frozenset({"request", "use", "revoke"})),
    TrustedKey(CONSOLE.public, "console", DECISIONS),
)
PEOPLE = ((f"{ISSUER}|bob", "|bob@laptop"),)
DIGEST, POLICY = "4f" * 32, "9a" * 32


def approval_id(number: int = 1) -> str:
    """The id of approval `number`."""
    return f"0190a8c0-0000-7000-8000-{number:012x}"


def decision_id(number: int) -> str:
    """The id of decision `number`."""
    return f"0190a8c0-0000-7000-9000-{number:012x}"


def request_fields(number: int = 1, **over: Any) -> dict[str, Any]:
    """Bob's agent wants to delete a pod; one of the owners is asked, for fifteen minutes."""
    return {
        "approval_id": approval_id(number),
        "requested_at": T0,
        "kind": "call",
        "exchange_id": f"exchange-{number}",
        "session_id": "session",
        "principal_issuer": ISSUER,
        "principal_subject": "bob",
        "principal_groups": ["developers", "owners"],
        "principal_aliases": ["mail:bob@example.com"],
        "client_id": "agent",
        "connection": "prod",
        "method": "tools/call",
        "tool": "delete_pod",
        "verb": "",
        "object": "",
        "arguments": b'{"name":"web-1"}',
        "argument_digest": DIGEST,
        "policy_version": POLICY,
        "rule": "deletes",
        "reason": "the pod hangs",
        "quorum": [{"reviewers": ["owners"], "people": 1}],
        "comment_required": False,
        "hours": "",
        "expires_at": T0 + 900 * SECOND,
        "grant_seconds": 0,
        "uses_max": 0,
        "bound": "",
        "break_glass_groups": [],
        "review_seconds": 0,
        **over,
    }


def decision_fields(number: int, who: str = "ann", verb: str = "approve", **over: Any) -> dict[str, Any]:
    """Decision `number`, one second after the other; who is not given groups is one of the owners."""
    return {
        "decision_id": decision_id(number),
        "approval_id": approval_id(),
        "at": T0 + number * SECOND,
        "verb": verb,
        "who_issuer": ISSUER,
        "who_subject": who,
        "who_groups": ["owners"],
        "who_aliases": [],
        "component": "gateway" if verb == "use" else "console",
        "comment": "",
        "argument_digest": DIGEST,
        "policy_version": POLICY,
        "use_id": "",
        "delegation": None,
        **over,
    }


def delegation(
    giver: str, taker: str, groups: tuple[str, ...] = ("owners",), **over: Any
) -> Mapping[str, Any]:
    """`giver` lets `taker` decide for a day."""
    fields = {
        "from_issuer": ISSUER,
        "from_subject": giver,
        "from_groups": list(groups),
        "from_aliases": [],
        "to_issuer": ISSUER,
        "to_subject": taker,
        "from_at": T0,
        "until_at": T0 + 86_400 * SECOND,
        **over,
    }
    return signed_delegation(fields, CONSOLE)


def request(number: int = 1, key: SigningKey = GATEWAY, **over: Any) -> tuple[bytes, bytes]:
    """Key and value of a request."""
    record = signed_request(request_fields(number, **over), key)
    return record["approval_id"].encode(), request_value(record)


def decision(
    number: int, who: str = "ann", verb: str = "approve", key: SigningKey | None = None, **over: Any
) -> tuple[bytes, bytes]:
    """Key and value of a decision."""
    own = GATEWAY if verb == "use" else CONSOLE
    record = signed_decision(decision_fields(number, who, verb, **over), key or own)
    return record["approval_id"].encode(), decision_value(record)


def use(number: int, use_id: str = "exchange-1", **over: Any) -> tuple[bytes, bytes]:
    """Key and value of a gateway's question whether `use_id` may run Bob's call now."""
    return decision(number, "bob", "use", use_id=use_id, **over)


def office(people: Sequence[Sequence[str]] = PEOPLE, *, anonymous: bool = False) -> Office:
    """As a worker has it."""
    settings = ApprovalSettings(Path(), b"m" * 32, TRUSTED, people, ("security-on-call",), anonymous)
    return office_of(settings, PARTITIONS, 1_000_000)


@dataclass
class Desk:
    """The processor without Kafka: a log, a table, and what was said."""

    table: dict[Place, Row | None] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    said: list[Outgoing] = field(default_factory=list)
    office: Office = field(default_factory=office)
    batch: Callable[[Books], None] = lambda _books: None

    def asked(self, record: tuple[bytes, bytes]) -> list[ApprovalSettled]:
        """Put a request on its topic; what is settled by it."""
        return self.put("approvals.requested", *record)

    def told(self, record: tuple[bytes, bytes]) -> list[ApprovalSettled]:
        """Put a decision on its topic; what is settled by it."""
        return self.put("approvals.decided", *record)

    def tick(self, at: int, number: int = 1) -> list[ApprovalSettled]:
        """It is `at` where approval `number` is."""
        made = tick(MACHINE, partition_of(approval_id(number).encode(), PARTITIONS), at)
        return self.put(made.topic, made.key or b"", made.value, made.partition)

    def put(
        self, topic: str, key: bytes, value: bytes, partition: int | None = None
    ) -> list[ApprovalSettled]:
        """Append a record and process it."""
        partition = partition_of(key, PARTITIONS) if partition is None else partition
        offset = self.offsets.get((topic, partition), -1) + 1
        self.offsets[topic, partition] = offset
        books = Books(self.office, self.agenda, self.table.get)
        outgoing = books.apply(Incoming(topic, partition, offset, key, value))
        self.table.update(books.rows)
        self.said += outgoing
        self.batch(books)
        return settled(outgoing)

    def findings(self) -> list[str]:
        """The rules of all findings so far."""
        return [codec("finding").decode(row.value)["rule"] for row in self.said if row.topic == "findings"]


def settled(outgoing: list[Outgoing]) -> list[ApprovalSettled]:
    """The settled records among these."""
    return [open_settled(row.key, row.value) for row in outgoing if row.topic == "approvals.settled"]
