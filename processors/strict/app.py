"""The application: Faust's with the strict consumer, tables whose changelog can be awaited, and its settings."""

import asyncio
import traceback
import weakref
from typing import Any, ClassVar

import faust
import structlog
from faust.streams import _current_event
from faust.transport.drivers import aiokafka as driver

from processors.strict.consumer import StrictConsumer
from processors.strict.lean import RawTopic

log = structlog.get_logger(__name__)


class StrictTransport(driver.Transport):  # type: ignore[misc]  # Faust is untyped here
    """Faust's aiokafka transport with the strict consumer."""

    Consumer: ClassVar[type[StrictConsumer]] = StrictConsumer


class StrictTable(faust.Table):  # type: ignore[misc]  # Faust is untyped here
    """A table whose changelog sends can be awaited."""

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        """Send a row to the changelog, as Faust does, and remember it for `durable`."""
        sent = super().send_changelog(*args, **kwargs)
        self.__dict__.setdefault("_unsent", []).append(sent)  # Faust copies tables without calling __init__
        return sent

    async def durable(self) -> None:
        """Wait until every row written so far is acknowledged in the changelog."""
        await asyncio.gather(*self.__dict__.pop("_unsent", ()))

    def at(self, event: Any) -> "StrictTable":
        """This table for the partition of `event`: always `table.at(event)[key]`."""
        _current_event.set(weakref.ref(event))
        return self


class StrictApp(faust.App):  # type: ignore[misc]  # Faust is untyped here
    """A Faust application that loses nothing. Make it with `strict_settings`."""

    def _new_transport(self) -> StrictTransport:
        return StrictTransport(self.conf.broker_consumer, self)

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        """An agent that raised has lost its queue: only a new process has it again."""
        # The exception's text may quote a record, so the log gets its type and its place only.
        place = "".join(traceback.format_tb(exc.__traceback__, limit=-5))
        log.error("agent_raised", agent=agent.name, error=type(exc).__name__, place=place)
        self.consumer.give_up(f"agent {agent.name} raised {type(exc).__name__}")

    def raw_topic(self, name: str) -> RawTopic:
        """A source topic whose keys and values are bytes; an agent should read no other kind."""
        return RawTopic(self, topics=(name,))

    def owns(self, event: Any) -> bool:
        """Whether the event belongs to the assignment we have now."""
        return bool(event.message.generation_id == self.consumer_generation_id)

    @property
    def flowing(self) -> bool:
        """Whether records reach the agents: assigned, sought and recovered."""
        consumer = self._consumer
        return consumer is not None and consumer.ready


def strict_settings(**over: Any) -> dict[str, Any]:
    """Faust settings under which the strict consumer was tried; `over` adds and replaces.

    The session time-out (10 s) bounds the pause after a kill -9; standbys and exactly_once are untried.
    """
    return {
        "processing_guarantee": "at_least_once",
        "stream_wait_empty": True,
        "table_standby_replicas": 0,
        "Table": StrictTable,
        "broker_session_timeout": 10.0,
        "broker_heartbeat_interval": 2.0,
        "broker_rebalance_timeout": 30.0,
        "broker_request_timeout": 40.0,
        "broker_commit_interval": 1.0,
        "broker_max_poll_records": 2000,
        "producer_acks": -1,
        "producer_linger": 0.005,
        "stream_recovery_delay": 0.0,
        "consumer_auto_offset_reset": "earliest",
        "topic_disable_leader": True,
        "web_enabled": False,
        **over,
    }
