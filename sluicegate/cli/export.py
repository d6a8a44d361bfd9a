"""`export`: the trail for other systems, resumable, and itself on the record."""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, kafka_of, settings_of, time_option
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.exports.events import Kind
    from sinks.exports.run import Export
    from sinks.readers import Reader
    from sluicegate.settings import Settings

Format = Literal["ocsf", "cef", "jsonl", "parquet", "otlp"]
SETTLED_SECONDS = 60  # so long after a moment the store has what happened before it
Target = Literal["folder", "here", "bucket", "collector", "syslog"]
_BY_SCHEME: dict[str, Target] = {
    "s3": "bucket",
    "http": "collector",
    "https": "collector",
    "syslog+tcp": "syslog",
    "syslog+tls": "syslog",
    "syslog+udp": "syslog",
}
_SCHEME = re.compile(r"(\w[\w+.]*)://")
_TARGETS: dict[Format, tuple[str, tuple[Target, ...]]] = {
    "ocsf": ("a folder, s3://BUCKET/PREFIX or -", ("folder", "bucket", "here")),
    "jsonl": ("a folder, s3://BUCKET/PREFIX or -", ("folder", "bucket", "here")),
    "parquet": ("a folder or s3://BUCKET/PREFIX", ("folder", "bucket")),
    "cef": (
        "a folder, s3://BUCKET/PREFIX, -, or syslog+tcp|tls|udp://HOST:PORT",
        ("folder", "bucket", "here", "syslog"),
    ),
    "otlp": ("the URL of a collector, such as https://collector:4318/v1/logs", ("collector",)),
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for, as the record of the export has it."""

    form: Format
    to: str
    kinds: tuple["Kind", ...]
    since: str
    until: str
    connections: tuple[str, ...]

    def asked(self) -> dict[str, Any]:
        return {
            "format": self.form,
            "to": self.to,
            "kinds": list(self.kinds),
            "since": self.since,
            "until": self.until,
            "connections": list(self.connections),
        }


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
    wanted = _wanted(form, to, since, until, what=what, connection=connection)
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


def _wanted(
    form: Format, to: str, since: str, until: str, *, what: list[str] | None, connection: list[str] | None
) -> _Wanted:
    from sinks.spans import moment  # noqa: PLC0415

    allowed, targets = _TARGETS[form]
    if _target(to) not in targets:
        raise Failure(f"{form} cannot go to {to!r}; give {allowed}", USAGE)
    kinds = _kinds(what or ["exchanges", "findings", "admin"])
    if "frames" in kinds and form not in ("jsonl", "parquet"):
        raise Failure(f"frames have no form in {form}; take jsonl or parquet for them", USAGE)
    if connection and "admin" in kinds:
        if what:
            raise Failure(
                "acts of operators are of no connection; leave out --what admin or --connection", USAGE
            )
        kinds = tuple(kind for kind in kinds if kind != "admin")
    end = moment(until) if until else datetime.now(UTC) - timedelta(seconds=SETTLED_SECONDS)
    begin = moment(since) if since else end - timedelta(days=1)
    if begin >= end:
        raise Failure(f"--since {begin.isoformat()} is not before --until {end.isoformat()}", USAGE)
    return _Wanted(form, to, kinds, begin.isoformat(), end.isoformat(), tuple(connection or ()))


def _kinds(what: list[str]) -> tuple["Kind", ...]:
    from sinks.exports.events import EVENTS  # noqa: PLC0415

    known: tuple[Kind, ...] = (*EVENTS, "frames")
    if unknown := [each for each in what if each not in known]:
        raise Failure(f"there is no {unknown[0]!r} to export; there are {', '.join(known)}", USAGE)
    return tuple(kind for kind in known if kind in what)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Failure("--header is NAME=VALUE", USAGE)
    return name, value


def _target(to: str) -> Target | None:
    """What `to` names, by its scheme; None for a scheme that nothing goes by. What has no scheme is a folder."""
    if to == "-":
        return "here"
    scheme = _SCHEME.match(to)
    return _BY_SCHEME.get(scheme[1]) if scheme else "folder"


async def _deliver(export: "Export", wanted: _Wanted, ways: _Ways, settings: "Settings") -> None:
    from sluicegate.settings.approvals_block import public_url  # noqa: PLC0415

    url = public_url(settings.approvals)
    match _target(wanted.to):
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


def _sender(wanted: _Wanted, ways: _Ways) -> Any:
    from sinks.exports.senders import OtlpSender, SyslogSender  # noqa: PLC0415

    if wanted.form == "otlp":
        return OtlpSender(wanted.to, ways.headers, ways.service_name)
    with told(ValueError, code=USAGE):
        return SyslogSender(wanted.to, ways.ca_file)
