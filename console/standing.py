"""Approvals as they stand: what was asked, what holds, and who said what. Believed by signature."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processors.kafka_view import KafkaView
from schemas.approvals import (
    REQUEST_SCHEMA,
    REQUESTED,
    SETTLED,
    SETTLED_SCHEMA,
    ApprovalRequest,
    ApprovalSettled,
    open_request,
    open_settled,
)
from schemas.clients import start_client
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress
from schemas.signatures import KeyRing

READ_SECONDS = 30.0
OPEN = ("pending", "approved")
UNREAD = "unread"
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the processor. `verb`, `who` (`ISSUER|SUBJECT`) and the like are '' where time did it, or where
    the decision is not known here; `instead_of` is who delegated."""

    version: int
    at: int
    state: str
    verb: str = ""
    who: str = ""
    instead_of: str = ""
    comment: str = ""
    refusal: str = ""
    use_id: str = ""
    decision_id: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An approval: what was asked, and what holds; None while the processor has not settled anything of it."""

    request: ApprovalRequest
    settled: ApprovalSettled | None = None
    history: tuple[Turn, ...] = ()

    @property
    def approval_id(self) -> str:
        """Its id."""
        return self.request["approval_id"]

    @property
    def state(self) -> str:
        """As settled; `unread` before that."""
        return self.settled["state"] if self.settled else UNREAD

    @property
    def open(self) -> bool:
        """Whether something may still come of it, or nobody has read it yet."""
        return self.state in (*OPEN, UNREAD)

    @property
    def review_due(self) -> bool:
        """Whether the glass was broken and nobody has looked at it."""
        return bool(self.settled and self.settled["review_due_at"] and not self.settled["reviewed_by"])

    @property
    def ends_at(self) -> int:
        """When it ends by itself: the request while it is pending, then the grant. UTC in microseconds."""
        return self.settled["ends_at"] if self.settled else self.request["expires_at"]


async def standings(kafka: KafkaAddress, ring: KeyRing) -> dict[str, Standing]:
    """What the topics still have, by id, the oldest first, read once. Raises KafkaError, OSError, TimeoutError."""
    found: dict[str, Standing] = {}
    for key, value in await read_through(kafka, REQUESTED):
        request = believed_request(ring, key, value)
        if request is not None:
            found.setdefault(request["approval_id"], Standing(request))
    for key, value in await read_through(kafka, SETTLED):
        settled = believed(ring, key, value)
        before = found.get(settled["approval_id"]) if settled else None
        if settled and before and (before.settled is None or before.settled["version"] <= settled["version"]):
            found[settled["approval_id"]] = Standing(before.request, settled)
    return dict(sorted(found.items(), key=lambda pair: pair[1].request["requested_at"]))


def believed(ring: KeyRing, key: bytes | None, value: bytes) -> ApprovalSettled | None:
    """The settled record, when the processor signed it."""
    try:
        settled = open_settled(key, value)
    except CodecError:
        return None
    return None if ring.fault(SETTLED_SCHEMA, settled, "settle", "") else settled


def believed_request(ring: KeyRing, key: bytes | None, value: bytes) -> ApprovalRequest | None:
    """The request, when one signed it who may ask in the name of its principal."""
    try:
        request = open_request(key, value)
    except CodecError:
        return None
    return None if ring.fault(REQUEST_SCHEMA, request, "request", request["principal_issuer"]) else request


async def read_through(kafka: KafkaAddress, topic: str) -> list[tuple[bytes | None, bytes]]:
    """Keys and values of a topic as it is now. Raises KafkaError; TimeoutError when it takes too long."""
    consumer = AIOKafkaConsumer(
        **kafka.client_options(), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    rows: list[tuple[bytes | None, bytes]] = []
    await start_client(consumer)
    try:
        async with asyncio.timeout(READ_SECONDS):
            places = await places_of(kafka, topic)
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            while [1 for place, end in ends.items() if await consumer.position(place) < end]:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    rows += [(row.key, row.value) for row in batch if row.value is not None]
    finally:
        await consumer.stop()
    return rows


async def places_of(kafka: KafkaAddress, *names: str) -> list[TopicPartition]:
    """The partitions of these topics. Raises KafkaError when there is none of one, or Kafka is away."""
    places: list[TopicPartition] = []
    async with KafkaView(kafka) as view:
        for topic in names:
            numbers = await view.partitions(topic)
            if not numbers:
                raise KafkaError(f"there is no topic {topic}; `sluicegate up` makes it")
            places += [TopicPartition(topic, number) for number in numbers]
    return places


def called(request: ApprovalRequest) -> str:
    """What is called, in one line: tool or method, verb and object."""
    parts = (request["tool"] or request["method"], request["verb"], request["object"])
    return " ".join(part for part in parts if part)


def row(standing: Standing) -> dict[str, Any]:
    """All of it for programs; arguments as text, times as datetimes in UTC."""
    request: dict[str, Any] = {
        name: value for name, value in standing.request.items() if name not in ("key_id", "signature", "verb")
    }
    settled = standing.settled
    return {
        **request,
        "kubernetes_verb": standing.request["verb"],
        "arguments": standing.request["arguments"].decode("utf-8", "replace"),
        "requested_at": moment(standing.request["requested_at"]),
        "expires_at": moment(standing.request["expires_at"]),
        "state": standing.state,
        "uses_left": settled["uses_left"] if settled else 0,
        "ends_at": moment(settled["ends_at"]) if settled else None,
        "approvers": settled["approvers"] if settled else [],
        "review_due_at": moment(settled["review_due_at"]) if settled and settled["review_due_at"] else None,
        "reviewed_by": settled["reviewed_by"] if settled else "",
    }


def moment(microseconds: int) -> datetime:
    """UTC."""
    return datetime.fromtimestamp(microseconds / MICROSECONDS, UTC)
