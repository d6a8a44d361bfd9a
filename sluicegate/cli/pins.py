"""Tool pins as people see them, and the accepting of what a server lists now."""

import difflib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.edge.control import in_force
from gateway.tools.pins import NotListedError, accepted, last_digest
from schemas.control import ControlRecord, ToolPin, pin_of, tool_pinned
from schemas.kafka import KafkaAddress
from schemas.stamps import Stamp
from sluicegate.cli.failures import Failure

COLUMNS = ("connection", "tool", "state", "digest", "first seen", "changed", "flags", "accepted by")


async def pins(kafka: KafkaAddress, connection: str = "") -> list[tuple[ControlRecord, ToolPin]]:
    """All pins, or those of one connection, by connection and tool. Raises KafkaError, OSError."""
    records = [record for record in await in_force(kafka) if record["kind"] == "tool_pinned"]
    wanted = [record for record in records if connection in ("", record["connection"])]
    return [(record, pin_of(record)) for record in sorted(wanted, key=lambda r: (r["connection"], r["tool"]))]


async def pin(kafka: KafkaAddress, connection: str, tool: str) -> ToolPin:
    """One pin. Raises Failure when the tool was never listed; KafkaError, OSError."""
    for record, known in await pins(kafka, connection):
        if record["tool"] == tool:
            return known
    raise Failure(
        f"connection {connection} has no tool {tool} that was listed through the gateway; "
        "`sluicegate tools list` shows those that were"
    )


def cells(record: ControlRecord, known: ToolPin) -> Sequence[Any]:
    """A row for `COLUMNS`."""
    return (
        record["connection"],
        record["tool"],
        known.state,
        last_digest(known)[:16],
        _moment(known.first_seen_at),
        known.changed,
        _flags(known),
        known.accepted_by,
    )


def row(record: ControlRecord, known: ToolPin) -> dict[str, Any]:
    """The same for programs, in full."""
    return {
        "connection": record["connection"],
        "tool": record["tool"],
        "state": known.state,
        "pinned_digest": known.digest,
        "listed_digest": last_digest(known),
        "first_seen": _moment(known.first_seen_at),
        "changed": list(known.changed),
        "flags": list(_flags(known)),
        "accepted_by": known.accepted_by,
    }


def differences(known: ToolPin) -> list[str]:
    """What was pinned against what is listed, line by line; the definition alone where it has not changed."""
    before = _pretty(known.definition)
    if known.state == "pinned":
        return before
    return list(
        difflib.unified_diff(before, _pretty(known.seen_definition), "pinned", "listed now", lineterm="")
    )


def accepting(
    stamp: Stamp, where: tuple[str, str], known: ToolPin, *, by: str, reason: str, digest: str = ""
) -> ControlRecord:
    """The record that makes what is listed the pin of the tool at `where` (connection, tool). Raises Failure."""
    try:
        settled = accepted(known, by, digest)
    except NotListedError as error:
        raise Failure(f"{error}; look at it with `sluicegate tools show`") from error
    return tool_pinned(stamp, *where, settled, by=by, reason=reason)


def _flags(known: ToolPin) -> tuple[str, ...]:
    return known.seen_flags if known.state == "changed" else known.flags


def _moment(microseconds: int) -> datetime | None:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC) if microseconds else None


def _pretty(definition: str) -> list[str]:
    """A definition on many lines; every text in it as ASCII, so that nothing in it is hidden."""
    try:
        return json.dumps(json.loads(definition), indent=2, ensure_ascii=True).split("\n")
    except ValueError:
        return [definition]
