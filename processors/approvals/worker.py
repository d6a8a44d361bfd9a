"""One worker process of the approvals processor, and its probes."""

import asyncio
from contextlib import AsyncExitStack

import structlog
from aiokafka.errors import KafkaError

from processors.approvals.app import DECIDED, REQUESTED, ApprovalsProcessor
from processors.approvals.books import SETTLED, Office
from processors.approvals.law import Rules
from processors.approvals.people import People
from processors.approvals.reading import TICK
from processors.approvals.settings import ApprovalSettings
from processors.kafka_view import KafkaView
from processors.logs import configure_logs
from processors.outlet import Outlet
from processors.probes import Probes
from processors.rejected import DEAD_LETTERS
from processors.strict import RESTART_CODE
from processors.working import stop_event, work
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics
from schemas.signatures import KeyRing, SigningKey, TrustedKey

log = structlog.get_logger(__name__)

RECORD_OVERHEAD_BYTES = 1024


def run_approvals(settings: ApprovalSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises ValueError for a seed of another length than 32 bytes and OSError for a taken port.
    """
    configure_logs()
    settings.datadir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_work(settings, kafka))


def office_of(settings: ApprovalSettings, partitions: int, limit: int) -> Office:
    """The keys and rules of `settings`; our own key is good for ticks alone. Raises ValueError for a bad seed."""
    key = SigningKey(settings.signing_seed)
    own = TrustedKey(key.public, "machine", frozenset({TICK}))
    rules = Rules(People(settings.people), frozenset(settings.revoker_groups), settings.anonymous)
    return Office(KeyRing([*settings.trusted, own]), key, rules, partitions, limit)


async def _work(settings: ApprovalSettings, kafka: KafkaAddress) -> int:
    stop = stop_event()
    try:
        partitions, limit = await _usable_topics(kafka)
    except (KafkaError, KafkaUnsafeError, OSError) as error:
        log.error("topics_not_usable", reason=str(error))  # noqa: TRY400 - the place tells nothing here
        return RESTART_CODE
    office = office_of(settings, partitions, limit)
    async with AsyncExitStack() as stack:
        outlet = await stack.enter_async_context(Outlet(kafka))
        processor = ApprovalsProcessor(
            kafka,
            outlet,
            office,
            datadir=str(settings.datadir),
            batch_records_max=settings.batch_records_max,
        )
        flowing = processor.app
        probes = Probes(
            processor.metrics.registry, lambda: "" if flowing.flowing else "no partitions assigned yet"
        )
        server = await probes.start(settings.host, settings.port, settings.port_file)
        stack.callback(server.close)
        return await work(processor.app, stop, processor.watch, "the watch")


async def _usable_topics(kafka: KafkaAddress) -> tuple[int, int]:
    """(Partitions of the three topics, bytes of a dead letter). Raises KafkaUnsafeError where they differ."""
    await ensure_topics(kafka)
    limits = await check_topics(kafka)
    async with KafkaView(kafka) as view:
        counts = {name: len(await view.partitions(name)) for name in (REQUESTED, DECIDED, SETTLED)}
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise KafkaUnsafeError(
            f"these topics must have the same number of partitions: {told}; add to the smaller"
        )
    return counts[DECIDED], limits[DEAD_LETTERS] - RECORD_OVERHEAD_BYTES
