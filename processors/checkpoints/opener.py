"""Opens the log of a partition that is ours now: gathers what is known of it, and asks `opening`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from processors.checkpoints.book import Book, Page, claims
from processors.checkpoints.intent import read_entry
from processors.checkpoints.log import Kept, Log
from processors.checkpoints.opening import Claim, Past, opened
from processors.checkpoints.readback import Newest, ReadBack
from processors.checkpoints.refusal import RefusedError
from processors.checkpoints.settings import CheckpointSettings
from processors.checkpoints.signing import Signer
from processors.kafka_view import KafkaView
from schemas.checkpoints import CheckpointRecord

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
Outside = Callable[[int], Awaitable[list[Claim]]]
"""What the anchors have of a partition's log."""


class Opened:
    """A log that can go on, its newest checkpoint, and the name of the log before it where it is a new one."""

    def __init__(self, log: Log, head: CheckpointRecord | None, before: str) -> None:
        self.log = log
        self.head = head
        self.before = before


class Opener:
    """Opens logs. Every call raises KafkaError or TimeoutError when Kafka is away."""

    def __init__(
        self,
        view: KafkaView,
        readback: ReadBack,
        signer: Signer,
        book: Book,
        outside: Outside,
        *,
        settings: CheckpointSettings,
    ) -> None:
        self._view = view
        self._readback = readback
        self._signer = signer
        self._book = book
        self._outside = outside
        self._reread = settings.reread
        self._settle_seconds = settings.settle_seconds
        self._topics = settings.topics

    async def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic."""
        return await self._view.partitions(topic)

    async def open(self, partition: int, *, doubting: bool = False) -> Opened:
        """The log of `partition`. `doubting`: what the last owner left did not come out; ask the topic instead.

        Raises RefusedError. A partition that ends too early gets time: after a change of leader, its end comes
        from behind."""
        until = asyncio.get_running_loop().time() + self._settle_seconds
        while True:
            try:
                return await self._open(partition, doubting)
            except RefusedError as fault:
                if fault.why != "smaller-end" or asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(POLL_SECONDS)

    async def _open(self, partition: int, doubting: bool) -> Opened:
        origin, keys = self._signer.origin(partition), self._signer.trusted(partition)
        newest = await self._readback.newest(origin, self._topics.audit, partition, keys)
        intent = await self._intent(partition)
        page = await self._page(origin)
        outside = await self._outside(partition)
        past = _past(newest, intent, [*claims(page, keys), *outside])
        if doubting and intent and intent.frontier.size <= past.published:
            past = replace(past, intent=None)
        found = await self._log(partition, past)
        before = newest.other if newest.head is None and intent is None else ""
        log.info("log_opened", origin=origin, published=past.published, reading_from=found.position)
        return Opened(found, newest.head, before)

    async def _log(self, partition: int, past: Past) -> Log:
        low = (await self._view.lows(self._topics.audit, [partition]))[partition]
        end = (await self._view.ends(self._topics.audit, [partition]))[partition]
        trees = [past.intent.mark, past.intent.frontier] if past.intent else []
        found = opened(past, low, end, trees, self._reread)
        if found is None:
            origin = self._signer.origin(partition)
            trees = await self._readback.tree(origin, partition, past.published, self._reread)
            found = opened(past, low, end, trees, self._reread)
        if found is None:
            raise AssertionError("a tree of all that is published is always one to begin at")
        return found

    async def _page(self, origin: str) -> Page:
        try:
            return await asyncio.to_thread(self._book.page, origin)
        except ValueError as error:
            raise RefusedError("unreadable", str(error)) from error

    async def _intent(self, partition: int) -> Kept | None:
        committed = await self._view.committed(self._topics.group, self._topics.audit)
        return read_entry(self._signer.origin(partition), committed.get(partition))


def _past(newest: Newest, intent: Kept | None, told: list[Claim]) -> Past:
    head = newest.head
    return Past(
        base_offset=head["base_offset"] if head else None,
        published=head["tree_size"] if head else 0,
        roots=tuple((record["tree_size"], record["root_hash"]) for record in newest.records),
        intent=intent,
        claims=tuple(told),
    )
