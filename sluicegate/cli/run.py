"""`up`, `demo` and the parts: what runs until it is stopped."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, kafka_of, settings_of

if TYPE_CHECKING:
    from schemas.kafka import KafkaAddress

TOPICS_SECONDS = 10.0


def up(config: ConfigFile = DEFAULT_FILE) -> None:
    """Run the whole stack in the foreground.

    Prints a line with `ready` when everything is; Ctrl-C stops it in order. What the parts say is in data_dir/logs.
    """
    settings = settings_of(config, files=True)
    import asyncio  # noqa: PLC0415

    from sluicegate.cli.stack import run_stack  # noqa: PLC0415

    raise typer.Exit(asyncio.run(run_stack(settings, config)))


def gateway(config: ConfigFile = DEFAULT_FILE) -> None:
    """Run the gateway alone: what agents connect to."""
    settings = settings_of(config, files=True)
    kafka = kafka_of(settings)
    from gateway.app import serve  # noqa: PLC0415
    from sluicegate.cli.logs import configure  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    with told(KeyFileError, OSError):
        serve(settings.gateway_settings(), kafka, partial(configure, "gateway"))


def sink(config: ConfigFile = DEFAULT_FILE) -> None:
    """Run the sink alone: it fills the store and is asked."""
    import asyncio  # noqa: PLC0415

    settings = settings_of(config)
    kafka = kafka_of(settings)
    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.run import run_sink  # noqa: PLC0415
    from sluicegate.cli.logs import configure  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415
    from sluicegate.settings.retention import retention_settings  # noqa: PLC0415

    async def run() -> None:
        await _topics(kafka)
        await run_sink(replace(settings.sink_settings(), retention=retention_settings(settings)), kafka)

    configure("sink")
    with told(StoreError, KeyFileError, OSError):
        asyncio.run(run())


async def _topics(kafka: "KafkaAddress") -> None:
    """Creates missing topics: who subscribes to one that is not there learns of it late.

    A Kafka that is away does not keep the store from answering queries: it is waited for inside.
    """
    import asyncio  # noqa: PLC0415

    import structlog  # noqa: PLC0415
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from schemas.kafka import ensure_topics  # noqa: PLC0415

    try:
        async with asyncio.timeout(TOPICS_SECONDS):
            await ensure_topics(kafka)
    except (KafkaError, OSError, TimeoutError) as error:
        structlog.get_logger("sink").warning("topics_not_ensured", cause=type(error).__name__)


def demo(
    config: ConfigFile = DEFAULT_FILE,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop when all is shown, instead of staying up.")
    ] = False,
) -> None:
    """Start everything and let an agent work through it.

    Then shows the trail that it left, and stays up, so that you can point your own MCP client at the gateway.
    """
    from sluicegate.demo.run import run  # noqa: PLC0415

    raise typer.Exit(run(leave=leave, config=config))
