"""Options that several commands share, and the reading of the configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.failures import USAGE, told

if TYPE_CHECKING:
    from schemas.kafka import KafkaAddress
    from sluicegate.settings import Settings

DEFAULT_FILE = Path("sluicegate.yaml")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.", show_default=True)
]


def _iso_time(text: str) -> str:
    if not text:  # the default passes here too
        return text
    from sinks.readers import ReadError  # noqa: PLC0415
    from sinks.spans import moment  # noqa: PLC0415

    try:
        moment(text)
    except ReadError:
        raise typer.BadParameter("write an ISO time such as 2026-07-28T12:00:00 (UTC)") from None
    return text


def time_option(help_text: str) -> Any:
    """An option that takes an ISO time; '' when it is not given."""
    return typer.Option(metavar="TIME", help=help_text, parser=_iso_time)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def settings_of(file: Path, *, files: bool = False) -> "Settings":
    """The configuration, or a Failure with every fault in it; with `files`, in policies and certificates too."""
    from sluicegate.settings import SettingsError, load  # noqa: PLC0415

    with told(SettingsError, code=USAGE):
        return load(file, files=files)


def kafka_of(settings: "Settings") -> "KafkaAddress":
    """How to reach Kafka, or a Failure when the embedded broker does not run."""
    from sluicegate.settings.parts import NotRunningError  # noqa: PLC0415

    with told(NotRunningError):
        return settings.kafka_address()
