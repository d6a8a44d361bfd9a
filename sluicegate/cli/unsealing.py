"""The work of `unseal`: the record first, then the ciphertext from the store, then, with nobody's help, the body."""

import os
import sys
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.edge.announce import Announcer, stamp
from masking.sealed import SealError, recipients, unseal
from schemas.admin import Outcome, admin_record
from schemas.kafka import KafkaAddress
from sluicegate.cli.deciding import told_of_kafka
from sluicegate.cli.decisions import operator
from sluicegate.cli.failures import Failure
from sluicegate.cli.options import kafka_of, settings_of
from sluicegate.cli.output import print_json
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from pyrage.x25519 import Identity  # type: ignore[import-untyped]

ACTION = "sealed.open"


class Sealed(NamedTuple):
    """One frame's sealed original."""

    frame_id: str
    recipient: str
    ciphertext: bytes


def take(config: Path, target: str, reason: str, keys: "Sequence[Identity]", save: Path | None) -> None:
    """Records that `target` is asked for, fetches it, opens or saves it, records how it went. Raises Failure."""
    kafka = kafka_of(settings_of(config))
    detail = {"save": save is not None, "recipients": recipients(keys)}
    told_of_kafka(_told(kafka, target, reason, "asked", detail))
    outcome: Outcome = "failed"
    try:
        found = _fetch(config, target)
        if save:
            _save(found, save)
        else:
            _show(target, found, keys)
        outcome = "done"
    finally:
        told_of_kafka(_told(kafka, target, reason, outcome, detail))


async def _told(
    kafka: KafkaAddress, target: str, reason: str, outcome: Outcome, detail: dict[str, object]
) -> None:
    announcer = Announcer(kafka)
    announcer.start()
    try:
        record = admin_record(stamp(), operator(), ACTION, target, outcome, reason=reason, detail=detail)
        if not await announcer.admin(record):
            undone = "nothing was opened: " if outcome == "asked" else ""
            raise Failure(f"{undone}topic admin did not take the record ({announcer.fault})")
    finally:
        await announcer.stop()


def _fetch(config: Path, target: str) -> list[Sealed]:
    """The sealed originals of a frame or an exchange. Raises Failure when there is none, or a piece lacks."""
    where = f"frame_id = toUUID('{target}') OR exchange_id = toUUID('{target}')"  # a UUID, checked before
    sql = (
        "SELECT frame_id, recipient, pieces, ciphertext_base64 FROM v_sealed"
        f" WHERE {where} ORDER BY recorded_at, frame_id, piece"
    )
    table = answer(config, lambda reader: reader.query(sql))
    whole: dict[str, list[tuple[str, int, bytes]]] = {}
    for frame_id, recipient, pieces, text in table.rows:
        whole.setdefault(frame_id, []).append((recipient, int(pieces), b64decode(text)))
    if not whole:
        raise Failure(
            f"nothing sealed is stored for {target}: the connection does not keep originals, or it expired"
        )
    for frame_id, rows in whole.items():
        if len(rows) != rows[0][1]:
            raise Failure(
                f"of {frame_id} {len(rows)} of {rows[0][1]} pieces are stored; try again in a moment"
            )
    return [Sealed(name, rows[0][0], b"".join(row[2] for row in rows)) for name, rows in whole.items()]


def _save(found: list[Sealed], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        path = folder / f"{one.frame_id}.age"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(one.ciphertext)
        print_json([{"frame_id": one.frame_id, "recipient": one.recipient, "file": str(path)}])


def _show(target: str, found: list[Sealed], keys: "Sequence[Identity]") -> None:
    opened = [(one.frame_id, _open(one, keys)) for one in found]
    if len(opened) == 1 and opened[0][0] == target:
        write(opened[0][1])
    else:
        print_json(
            {"frame_id": name, "body": body.decode("utf-8", "backslashreplace")} for name, body in opened
        )


def _open(one: Sealed, keys: "Sequence[Identity]") -> bytes:
    try:
        return unseal(one.ciphertext, keys)
    except SealError as error:
        raise Failure(f"{one.frame_id}: {error}; it was sealed for recipient {one.recipient}") from error


def write(body: bytes) -> None:
    """The body to standard output, byte for byte; to a terminal, made inert."""
    if sys.stdout.isatty():
        print_json([{"body": body.decode("utf-8", "backslashreplace")}])
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
