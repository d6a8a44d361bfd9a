"""`export`: the trail for other systems, resumable, and itself on the record."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.export_wanted import Format, Wanted, target_of, wanted_of
from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, kafka_of, settings_of, time_option
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.exports.run import Export
    from sinks.readers import Reader
    from sluicegate.settings import Settings


def export(
    form: Annotated[Format, typer.Argument(metavar="FORMAT", help="ocsf, cef, jsonl, parquet or otlp.")],
    to: Annotated[
        str, typer.Option(help="A folder, s3://BUCKET/PREFIX, the URL of a collector, or - for here.")
    ],
    *,
    since: Annotated[str, time_option("From this ISO time (UTC); a day before --until unless given.")] = "",
    until: Annotated[str, time_option("Before this ISO time; a minute ago unless given.")] = "",
    what: Annotated[
        list[str] | None,
        typer.Option(
            help="exchanges, findings, admin, frames; may be repeated. All but frames unless given.",
            show_default=False,
        ),
    ] = None,
    connection: Annotated[
        list[str] | None, typer.Option(help="Of this connection alone; may be repeated.", show_default=False)
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the progress here: run again, it goes on there.")
    ] = None,
    endpoint_url: Annotated[
        str, typer.Option(metavar="URL", help="An S3-compatible store that is not AWS's.")
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="For the collector; may be repeated.", show_default=False),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates that vouch for syslog+tls (PEM).")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Hand the trail to another system.

    OCSF 1.5 events, CEF (also as syslog), JSON lines, Parquet by day, or OpenTelemetry logs. Exchanges belong to the
    time they ended at; those that have not ended are not in it. The export is written to the trail before it begins,
    and what it came to when it has ended.
    """
    wanted = wanted_of(form, to, since, until, what=what, connection=connection)
    settings = settings_of(config)
    from sinks.exports.places import PlaceError  # noqa: PLC0415
    from sinks.exports.progress import Progress, ProgressError  # noqa: PLC0415
    from sluicegate.cli.decisions import Act  # noqa: PLC0415
    from sluicegate.cli.recorded import recorded  # noqa: PLC0415

    with told(ProgressError, OSError, code=USAGE):
        progress = Progress.open(state, wanted.asked())
    headers = dict(_pair(each) for each in header or ())
    ways = _Ways(endpoint_url, headers, str(ca_file) if ca_file else None, settings.telemetry.service_name)

    async def deliver(reader: "Reader") -> None:
        from sinks.exports.run import Export  # noqa: PLC0415
        from sinks.exports.source import Trail, Window  # noqa: PLC0415

        window = Window(wanted.since, wanted.until, wanted.connections)
        await _deliver(Export(Trail(reader, window), wanted.kinds, progress), wanted, ways, settings)

    act = Act(f"export.{form}", to, reason, wanted.asked())
    with told(PlaceError), recorded(kafka_of(settings), act, "exported") as came_to:
        came_to["counts"] = progress.counts
        answer(config, deliver)
    counts = ", ".join(f"{progress.counts.get(kind, 0)} {kind}" for kind in wanted.kinds)
    typer.echo(f"exported {counts} from {wanted.since} to {wanted.until}", err=True)


@dataclass(frozen=True, slots=True)
class _Ways:
    endpoint_url: str
    headers: dict[str, str]
    ca_file: str | None
    service_name: str


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Failure("--header is NAME=VALUE", USAGE)
    return name, value


async def _deliver(export: "Export", wanted: Wanted, ways: _Ways, settings: "Settings") -> None:
    from sluicegate.settings.approvals_block import public_url  # noqa: PLC0415

    url = public_url(settings.approvals)
    match target_of(wanted.to):
        case "here":
            await export.to_lines(sys.stdout.write, wanted.form, url)
        case "collector" | "syslog":
            await _send(export, _sender(wanted, ways))
        case target:
            from sinks.exports.places import Bucket, Folder  # noqa: PLC0415

            shelf = Bucket(wanted.to, ways.endpoint_url) if target == "bucket" else Folder(Path(wanted.to))
            await export.to_shelf(shelf, wanted.form, url)


async def _send(export: "Export", sender: Any) -> None:
    try:
        await export.to_sender(sender)
    finally:
        await sender.close()


def _sender(wanted: Wanted, ways: _Ways) -> Any:
    from sinks.exports.senders import OtlpSender, SyslogSender  # noqa: PLC0415

    if wanted.form == "otlp":
        return OtlpSender(wanted.to, ways.headers, ways.service_name)
    with told(ValueError, code=USAGE):
        return SyslogSender(wanted.to, ways.ca_file)
