"""Approvals as they stand: read off `approvals.requested` and `approvals.settled`, and believed by signature."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processors.kafka_view import KafkaView
from schemas.approvals import (
    REQUEST_SCHEMA,
    SETTLED_SCHEMA,
    ApprovalRequest,
    ApprovalSettled,
    open_request,
    open_settled,
)
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress
from schemas.signatures import KeyRing
from sluicegate.cli.output import inert
from sluicegate.settings.approvals import machine_key, trusted_keys

REQUESTED, SETTLED = "approvals.requested", "approvals.settled"
COLUMNS = ("approval", "state", "kind", "asked", "until", "who", "connection", "what", "rule", "approved by")
OPEN = ("pending", "approved")
READ_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """An approval: what was asked, and what holds; None while the processor has not settled anything of it."""

    request: ApprovalRequest
    settled: ApprovalSettled | None = None

    @property
    def state(self) -> str:
        """As settled; `unread` before that."""
        return self.settled["state"] if self.settled else "unread"


async def standings(kafka: KafkaAddress, data_dir: Path) -> dict[str, Standing]:
    """What the topics still have, by id, the oldest first. Raises KafkaError, OSError, KeyFileError."""
    ring = KeyRing([*trusted_keys(data_dir), machine_key(data_dir)])
    found: dict[str, Standing] = {}
    for key, value in await read_through(kafka, REQUESTED):
        request = _request(ring, key, value)
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


def _request(ring: KeyRing, key: bytes | None, value: bytes) -> ApprovalRequest | None:
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
    await consumer.start()
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


async def places_of(kafka: KafkaAddress, topic: str) -> list[TopicPartition]:
    """The partitions of a topic. Raises KafkaError when there is none, or Kafka is away."""
    async with KafkaView(kafka) as view:
        numbers = await view.partitions(topic)
    if not numbers:
        raise KafkaError(f"there is no topic {topic}; `sluicegate up` makes it")
    return [TopicPartition(topic, number) for number in numbers]


def cells(standing: Standing) -> Sequence[Any]:
    """A row for `COLUMNS`."""
    request, settled = standing.request, standing.settled
    return (
        request["approval_id"],
        standing.state,
        request["kind"],
        moment(request["requested_at"]),
        moment(settled["ends_at"] if settled else request["expires_at"]),
        request["principal_subject"],
        request["connection"],
        " ".join(
            part
            for part in (request["tool"] or request["method"], request["verb"], request["object"])
            if part
        ),
        request["rule"],
        settled["approvers"] if settled else [],
    )


def row(standing: Standing) -> dict[str, Any]:
    """The same for programs, in full; arguments as text."""
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


def facts(standing: Standing) -> list[tuple[str, Any]]:
    """(fact, value) for a person who has to decide."""
    shown = row(standing)
    quorum = [f"{part['people']} of {', '.join(part['reviewers'])}" for part in standing.request["quorum"]]
    shown["quorum"] = "; ".join(quorum)
    shown["arguments"] = inert(shown["arguments"])
    return [(name.replace("_", " "), value) for name, value in shown.items() if value not in ("", [], None)]


def moment(microseconds: int) -> datetime:
    """UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
