"""A desk and a book without Kafka: the desk asks the real processor of approvals, and the book is a dictionary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from typing import Any
from uuid import uuid4

from console.desk import DeskError, Verb
from console.directory import Directory, Person
from console.integrations.book import BookError
from console.settings import PersonEntry
from console.standing import Standing
from processors.approvals.app import tick
from processors.approvals.reading import partition_of
from schemas.approvals import (
    ApprovalSettled,
    decision_value,
    open_request,
    request_value,
    signed_decision,
    signed_request,
)
from schemas.deliveries import ApprovalDelivery, delivery_key, delivery_value, open_delivery
from tests.processors.approvals.making import (
    CONSOLE,
    GATEWAY,
    ISSUER,
    MACHINE,
    PARTITIONS,
    SECOND,
    decision_fields,
    request_fields,
)
from tests.processors.approvals.making import Desk as Processor

PEOPLE = (
    PersonEntry(
        (
            f"{ISSUER}|bob",
            "slack:T1/UBOB",
            "teams:tenant-1/bob-object",
            "jira:acc-bob",
            "servicenow:bob.user",
            "webhook:bus/bob",
        ),
        ("owners",),
    ),
    PersonEntry(
        (
            f"{ISSUER}|ann",
            "slack:T1/UANN",
            "teams:tenant-1/ann-object",
            "jira:acc-ann",
            "servicenow:ann.user",
            "webhook:bus/ann",
        ),
        ("owners",),
    ),
    PersonEntry((f"{ISSUER}|eve", "slack:T1/UEVE", "jira:acc-eve", "servicenow:eve.user"), ("owners",)),
    PersonEntry((f"{ISSUER}|mallory", "slack:T1/UMALLORY"), ("visitors",)),
)
"""Bob asks for everything here; Ann and Eve may decide, Mallory is known and may not."""


class PaperDesk:
    """As `console.desk.Desk`, with the processor in this process."""

    def __init__(self) -> None:
        self.people = Directory(PEOPLE)
        self.ready = True
        self.away = False
        self.decided: list[tuple[str, str, str, str]] = []
        self._processor = Processor()
        self._standings: dict[str, Standing] = {}
        self._feeds: list[asyncio.Queue[Standing]] = []

    def ask(self, **over: Any) -> str:
        """Bob's agent asks now; the approval's id."""
        at = time.time_ns() // 1_000
        times = {"approval_id": str(uuid4()), "requested_at": at, "expires_at": at + 600 * SECOND}
        record = signed_request(request_fields(1, **{**times, **over}), GATEWAY)
        key, value = record["approval_id"].encode(), request_value(record)
        self._standings[record["approval_id"]] = Standing(open_request(key, value))
        self._settle(self._processor.asked((key, value)))
        return record["approval_id"]

    def tick(self, approval_id: str) -> None:
        """It is now, where an approval is."""
        now, partition = time.time_ns() // 1_000, partition_of(approval_id.encode(), PARTITIONS)
        made = tick(MACHINE, partition, now)
        self._settle(self._processor.put(made.topic, made.key or b"", made.value, made.partition))

    def state(self, approval_id: str) -> str:
        return self._standings[approval_id].state

    def standings(self, *, states: Collection[str] | None = None) -> list[Standing]:
        return [each for each in self._standings.values() if states is None or each.state in states]

    def standing(self, approval_id: str) -> Standing | None:
        return self._standings.get(approval_id)

    async def subscribe(self) -> AsyncIterator[Standing]:
        feed: asyncio.Queue[Standing] = asyncio.Queue()
        self._feeds.append(feed)
        while True:
            yield await feed.get()

    async def decide(
        self, approval_id: str, verb: Verb, who: Person, comment: str = "", *, component: str = ""
    ) -> ApprovalSettled:
        if self.away:
            raise DeskError("unavailable", "it is written down, but nobody has answered")
        standing = self._standings.get(approval_id)
        if standing is None:
            raise DeskError("not_found", f"there is no approval {approval_id}")
        self.decided.append((component, verb, who.name, comment))
        fields = decision_fields(
            1,
            decision_id=str(uuid4()),
            approval_id=approval_id,
            at=time.time_ns() // 1_000,
            verb=verb,
            who_issuer=who.issuer,
            who_subject=who.subject,
            who_groups=list(who.groups),
            who_aliases=list(who.aliases),
            comment=comment,
        )
        record = signed_decision(fields, CONSOLE)
        answers = self._processor.told((approval_id.encode(), decision_value(record)))
        self._settle(answers)
        answer = next(each for each in answers if each["decision_id"] == record["decision_id"])
        if answer["refusal"]:
            raise DeskError("refused", answer["refusal"])
        return answer

    def _settle(self, answers: list[ApprovalSettled]) -> None:
        for answer in answers:
            before = self._standings[answer["approval_id"]]
            now = self._standings[answer["approval_id"]] = Standing(before.request, answer)
            for feed in self._feeds:
                feed.put_nowait(now)


class PaperBook:
    """As `console.integrations.book.KafkaBook` while it is open; entries make the way through their bytes."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.away = False

    def entry(self, approval_id: str, integration: str) -> ApprovalDelivery | None:
        key = delivery_key(approval_id, integration)
        return open_delivery(key, self.rows[key]) if key in self.rows else None

    def entries(self, integration: str) -> list[ApprovalDelivery]:
        found = [open_delivery(key, value) for key, value in self.rows.items()]
        return [entry for entry in found if entry["integration"] == integration]

    async def write(self, entry: ApprovalDelivery) -> None:
        if self.away:
            raise BookError("Kafka did not acknowledge a delivery in time")
        self.rows[delivery_key(entry["approval_id"], entry["integration"])] = delivery_value(entry)

    async def strike(self, entry: ApprovalDelivery) -> None:
        self.rows.pop(delivery_key(entry["approval_id"], entry["integration"]), None)
