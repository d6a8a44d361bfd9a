"""`processors` and `console`: the workers of the stream, together or one alone, and where people decide."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, kafka_of, settings_of
from sluicegate.names import PROCESSORS, Processor

if TYPE_CHECKING:
    from schemas.kafka import KafkaAddress
    from sluicegate.settings import Settings

WorkerNumber = Annotated[int, typer.Option("--worker", min=0, max=63, help="Number of this worker, from 0.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="This processor alone; may be repeated.", show_default=False),
]


def processors(config: ConfigFile = DEFAULT_FILE, worker: WorkerNumber = 0, only: Only = None) -> None:
    """Run the stream processors: masking, approvals, anomaly, alerts and checkpoints.

    Each is a process of its own, started again when it ends. With one `--only` it is this process itself, and exit
    code 75 asks to be started again.
    """
    names = _named(only)
    settings = settings_of(config)
    kafka = kafka_of(settings)
    if len(names) > 1:
        raise typer.Exit(_family(names, config, worker))
    from sluicegate.settings.findings import SecretAwayError  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    with told(KeyFileError, SecretAwayError, ValueError, OSError):
        code = _run(names[0], settings, kafka, worker)
    raise typer.Exit(code)


def console(config: ConfigFile = DEFAULT_FILE) -> None:
    """Run the console alone: where people decide on held calls."""
    settings = settings_of(config, files=True)
    kafka = kafka_of(settings)
    from console.run import run_console  # noqa: PLC0415
    from sluicegate.settings.console import console_settings  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    with told(KeyFileError, ValueError, OSError):
        code = run_console(console_settings(settings), kafka)
    raise typer.Exit(code)


def command(config: Path, *words: str) -> tuple[str, ...]:
    """The command line of a part in a process of its own."""
    return (sys.executable, "-m", "sluicegate", *words, "--config", str(config.absolute()))


def _named(only: list[str] | None) -> list[Processor]:
    """The processors of these names, in their own order; all where none is named."""
    wrong = [name for name in only or () if name not in PROCESSORS]
    if wrong:
        raise Failure(f"there is no processor {wrong[0]!r}; there are {', '.join(PROCESSORS)}", USAGE)
    return [name for name in PROCESSORS if not only or name in only]


def _family(names: list[Processor], config: Path, worker: int) -> int:
    import asyncio  # noqa: PLC0415

    from sluicegate.embedded.family import run_family  # noqa: PLC0415

    words = ("processors", "--worker", str(worker), "--only")
    members: dict[str, tuple[str, ...]] = {}
    for name in names:
        members[name] = command(config, *words, name)
    return asyncio.run(run_family(members))


def _run(name: Processor, settings: "Settings", kafka: "KafkaAddress", worker: int) -> int:
    """One processor in this process. Raises KeyFileError, SecretAwayError, ValueError and OSError."""
    match name:
        case "masking":
            from processors.worker import run_worker  # noqa: PLC0415

            return run_worker(settings.processor_settings(worker), kafka)
        case "approvals":
            from processors.approvals.worker import run_approvals  # noqa: PLC0415
            from sluicegate.settings.approvals import approval_settings  # noqa: PLC0415

            return run_approvals(approval_settings(settings, worker), kafka)
        case "anomaly":
            from processors.anomaly.worker import run_anomaly  # noqa: PLC0415
            from sluicegate.settings.findings import anomaly_settings  # noqa: PLC0415

            return run_anomaly(anomaly_settings(settings, worker), kafka)
        case "alerts":
            from processors.alerts.worker import run_alerts  # noqa: PLC0415
            from sluicegate.settings.findings import alert_settings  # noqa: PLC0415

            return run_alerts(alert_settings(settings, worker), kafka)
        case "checkpoints":
            from processors.checkpoints.worker import run_checkpoints  # noqa: PLC0415
            from sluicegate.settings.proof import checkpoint_settings  # noqa: PLC0415

            return run_checkpoints(checkpoint_settings(settings, worker), kafka)
