"""What the completeness check asks Kafka: group offsets with their metadata, and the ends of logs."""

import asyncio
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
from aiokafka.structs import OffsetAndMetadata

from schemas.clients import start_client
from schemas.kafka import KafkaAddress

COORDINATOR_AWAY = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
COORDINATOR_SECONDS = 20.0
RETRY_SECONDS = 0.2


class KafkaView:
    """Questions to a cluster; an async context manager.

    Every call raises KafkaError when Kafka is away, and TimeoutError when the group's coordinator stays away.
    """

    def __init__(self, kafka: KafkaAddress) -> None:
        self._admin = AIOKafkaAdminClient(**kafka.client_options())
        self._asker = AIOKafkaConsumer(enable_auto_commit=False, **kafka.client_options())

    async def __aenter__(self) -> Self:
        try:
            await start_client(self._admin)
            await start_client(self._asker)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._asker.stop()
        await self._admin.close()

    async def committed(self, group: str, topic: str) -> dict[int, OffsetAndMetadata]:
        """Offset and metadata by partition, of the partitions where the group has any."""
        async with asyncio.timeout(COORDINATOR_SECONDS):
            rows = await self._group_offsets(group)
        return {tp.partition: row for tp, row in rows.items() if tp.topic == topic and row.offset >= 0}

    async def _group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """As the admin client, but patient: the first question about groups makes a new cluster's offsets topic."""
        while True:
            try:
                return dict(await self._admin.list_consumer_group_offsets(group))
            except COORDINATOR_AWAY:
                await asyncio.sleep(RETRY_SECONDS)

    async def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic, ascending; empty when there is no such topic."""
        described = await self._admin.describe_topics([topic])
        return sorted(part["partition"] for row in described for part in row["partitions"])

    async def ends(self, topic: str, partitions: list[int]) -> dict[int, int]:
        """The offset after the last record, by partition."""
        places = [TopicPartition(topic, partition) for partition in partitions]
        return {place.partition: end for place, end in (await self._asker.end_offsets(places)).items()}

    async def lows(self, topic: str, partitions: list[int]) -> dict[int, int]:
        """The offset of the first record that retention has left, by partition."""
        places = [TopicPartition(topic, partition) for partition in partitions]
        return {place.partition: low for place, low in (await self._asker.beginning_offsets(places)).items()}
