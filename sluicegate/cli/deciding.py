"""Carrying a decision out from a command that is not async, with failures told like everywhere."""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sluicegate.cli.failures import told
from sluicegate.cli.options import kafka_of, settings_of
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from schemas.kafka import KafkaAddress
    from sluicegate.cli.decisions import Decision

Result = TypeVar("Result")


def carry_out(config: Path, decision: "Decision") -> None:
    """Returns once every replica will know of `decision`; a Failure otherwise."""
    from sluicegate.cli.decisions import decide  # noqa: PLC0415

    told_of_kafka(decide(address_of(config), decision))


def address_of(config: Path) -> "KafkaAddress":
    """The cluster that the configuration names."""
    return kafka_of(settings_of(config))


def told_of_kafka(work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` gives; what Kafka says instead becomes a Failure."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from sluicegate.cli.decisions import DecisionError  # noqa: PLC0415

    with told(KafkaError, DecisionError, OSError), _without_logs():
        return run_quietly(work)


@contextmanager
def _without_logs() -> Iterator[None]:
    """What the gateway's modules log is for its operators; a command tells what happened itself."""
    import structlog  # noqa: PLC0415

    def drop(*_: Any) -> Any:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[drop])
    try:
        yield
    finally:
        structlog.configure(**before)
