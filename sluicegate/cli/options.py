"""Options that several commands share, and the reading of the configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import USAGE, told

if TYPE_CHECKING:
    from schemas.kafka import KafkaAddress
    from sluicegate.settings import Settings

DEFAULT_FILE = Path("sluicegate.yaml")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def settings_of(file: Path) -> "Settings":
    """The configuration, or a Failure with every fault in it."""
    from sluicegate.settings import SettingsError, load  # noqa: PLC0415

    with told(SettingsError, code=USAGE):
        return load(file)


def kafka_of(settings: "Settings") -> "KafkaAddress":
    """How to reach Kafka, or a Failure when the embedded broker does not run."""
    from sluicegate.settings.parts import NotRunningError  # noqa: PLC0415

    with told(NotRunningError):
        return settings.kafka_address()
