"""What an export is asked for: which kinds of the trail, from when to when, in which form, and where to."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sluicegate.cli.failures import USAGE, Failure

if TYPE_CHECKING:
    from sinks.exports.events import Kind

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
class Wanted:
    """What was asked for, as the record of the export has it."""

    form: Format
    to: str
    kinds: tuple["Kind", ...]
    since: str
    until: str
    connections: tuple[str, ...]

    def asked(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": self.form,
            "to": self.to,
            "kinds": list(self.kinds),
            "since": self.since,
            "until": self.until,
            "connections": list(self.connections),
        }


def wanted_of(
    form: Format, to: str, since: str, until: str, *, what: list[str] | None, connection: list[str] | None
) -> Wanted:
    """Raises Failure for what makes no sense together."""
    from sinks.spans import moment  # noqa: PLC0415

    allowed, targets = _TARGETS[form]
    if target_of(to) not in targets:
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
    return Wanted(form, to, kinds, begin.isoformat(), end.isoformat(), tuple(connection or ()))


def _kinds(what: list[str]) -> tuple["Kind", ...]:
    from sinks.exports.events import EVENTS  # noqa: PLC0415

    known: tuple[Kind, ...] = (*EVENTS, "frames")
    if unknown := [each for each in what if each not in known]:
        raise Failure(f"there is no {unknown[0]!r} to export; there are {', '.join(known)}", USAGE)
    return tuple(kind for kind in known if kind in what)


def target_of(to: str) -> Target | None:
    """What `to` names, by its scheme; None for a scheme that nothing goes by. What has no scheme is a folder."""
    if to == "-":
        return "here"
    scheme = _SCHEME.match(to)
    return _BY_SCHEME.get(scheme[1]) if scheme else "folder"
