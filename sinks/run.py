"""The store process: owns the store, brings its schema up to date, runs the sink and the query API."""

import asyncio
import signal
from contextlib import suppress

import structlog
from clickhouse_connect.driver.client import Client

from schemas.kafka import KafkaAddress, ensure_topics
from sinks.access import write_token
from sinks.clickhouse import StoreOwner, StoreThread
from sinks.indexing import index_again
from sinks.metrics import SinkMetrics
from sinks.migrate import migrate
from sinks.patience import AbandonedError, Patience
from sinks.retention.running import forgetting
from sinks.server import QueryApi, QueryServer, listen
from sinks.settings import SinkSettings
from sinks.sink import Sink
from sinks.sql.api import SqlApi
from sinks.sql.installing import install
from sinks.sql_reader import SqlReader
from sinks.verify.server import ProofApi

log = structlog.get_logger(__name__)
_STOP_S = 10.0


async def run_sink(settings: SinkSettings, kafka: KafkaAddress) -> None:
    """Runs until SIGTERM, SIGINT or cancellation, then stops in order.

    Raises StoreError when the store cannot be used, its directory is owned by another process or the address
    is taken. Kafka or a server being away is waited out, and said on /readyz.
    """
    owner = StoreOwner(settings.clickhouse)
    owner.acquire()
    try:
        await _StoreProcess(settings, kafka).run()
    finally:
        owner.release()


class _StoreProcess:
    """The parts of the process, and the order they start and stop in."""

    def __init__(self, settings: SinkSettings, kafka: KafkaAddress) -> None:
        self._settings = settings
        self._kafka = kafka
        address = settings.clickhouse
        self._leaving = asyncio.Event()
        self._store = StoreThread(lambda: address.connect({"async_insert": 0}), "store-write")
        self._metrics = SinkMetrics()
        self._patience = Patience(self._leaving, self._metrics.retries.inc)
        self._sink = Sink(settings, kafka, self._store, self._metrics)
        self._sql = SqlApi(address)
        self._reader = SqlReader(address, self._sql.sandboxed)
        self._migrated = False
        api = QueryApi(self._reader, self._metrics, self._sink.observe, self._fault)
        listening = listen(settings.host, settings.port)
        token = write_token(settings.token_path)  # after the address is ours: nobody else's token is voided
        self._proof = ProofApi(address)
        app = api.app(
            token,
            frozenset({settings.host, *settings.hosts}),
            [*self._proof.routes(), *self._sql.routes(token)],
        )
        self._server = QueryServer(app, listening)

    def _fault(self) -> str:
        return self._patience.fault or self._sink.fault

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave)
        serving = asyncio.create_task(self._server.run_until_asked())
        storing = asyncio.create_task(self._migrate_and_store())
        try:
            await asyncio.wait((serving, storing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave()
            await self._stop(serving, storing)
        for task in (storing, serving):
            if not task.cancelled():
                task.result()

    async def _migrate_and_store(self) -> None:
        database = self._settings.clickhouse.database
        with suppress(AbandonedError):
            applied = await self._patience.until_done(
                lambda: self._store.call(lambda client: migrate(client, database)), "the store is away"
            )
            await self._patience.until_done(
                lambda: self._store.call(lambda client: index_again(client, database)), "the store is away"
            )
            await self._patience.until_done(lambda: self._store.call(self._install), "the store is away")
            log.info("store_open", store=str(self._settings.clickhouse), migrations_applied=applied)
            await self._patience.until_done(lambda: ensure_topics(self._kafka), "Kafka does not answer")
            async with forgetting(self._settings, self._kafka, self._metrics.registry, self._forgets):
                await self._sink.run()

    def _install(self, client: Client) -> None:
        settings, address = self._settings, self._settings.clickhouse
        install(client, address.database, settings.public_url, settings.teams, server=not address.embedded)

    def _forgets(self) -> bool:
        """Of several store processes, the one that stores the tombstones forgets."""
        return self._sink.has(self._settings.topics.tombstones)

    def _leave(self) -> None:
        self._leaving.set()
        self._sink.stop()
        self._server.should_exit = True

    async def _stop(self, *tasks: asyncio.Task[None]) -> None:
        _done, late = await asyncio.wait(tasks, timeout=_STOP_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._reader.close()
        await self._proof.close()
        await self._sql.close()
        await self._store.close()
