"""From the block `retention` to the rules of the file, the keys that acts are believed with, and the store's job."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.durations import seconds_in
from schemas.retention_rules import Rules, Terms
from schemas.signatures import SigningKey, TrustedKey
from sinks.retention.settings import RetentionSettings
from sluicegate.settings.approvals import TERMINAL, public_key, signing_seed
from sluicegate.settings.connection import ConnectionBlock
from sluicegate.settings.keys import key, read_public, write_public
from sluicegate.settings.model import Settings
from sluicegate.settings.retention_block import FOR_EVER, RetentionBlock

if TYPE_CHECKING:
    from console.settings import KeepingSettings

STORE = "retention"
_PEOPLE = frozenset({"proposed", "confirmed", "withdrawn"})
_FILE = frozenset({"started", "lengthened"})


def rules_of_file(settings: Settings) -> Rules:
    """What the file says, by connection: its labels are resolved here, so that the record needs none."""
    block = settings.retention
    named = {connection.name: _of(block, connection) for connection in settings.connections}
    default = _terms(block.days, block.body_days)
    return Rules(default, {n: t for n, t in named.items() if t != default}, block.minimum_days)


def retention_settings(settings: Settings) -> RetentionSettings:
    """What the store's job takes. Makes its key when there is none; raises KeyFileError."""
    data_dir = settings.data_dir
    return RetentionSettings(
        rules=rules_of_file(settings),
        signing_seed=store_seed(data_dir),
        trusted=trusted(data_dir),
        erasure_key=erasure_key(data_dir),
        people=tuple(person.names for person in settings.approvals.people),
        single_person=settings.retention.single_person,
        every_seconds=float(seconds_in(settings.retention.every)),
    )


def keeping_settings(settings: Settings, component: str) -> "KeepingSettings":
    """What the console (or the command line) takes to put people's words on the record. Raises KeyFileError."""
    from console.settings import KeepingSettings  # noqa: PLC0415  # it takes its time to import

    data_dir = settings.data_dir
    return KeepingSettings(
        signing_seed=signing_seed(data_dir, component),
        trusted=trusted(data_dir),
        erasure_key=erasure_key(data_dir),
        people=tuple(person.names for person in settings.approvals.people),
        single_person=settings.retention.single_person,
        officer_groups=settings.retention.officer_groups,
    )


def store_seed(data_dir: Path) -> bytes:
    """The seed of the key that signs tombstones; its public key lies beside it. Raises KeyFileError."""
    seed = key(data_dir, STORE, "tombstones given until now are then believed with the old public key alone")
    write_public(data_dir, STORE, SigningKey(seed).public)
    return seed


def erasure_key(data_dir: Path) -> bytes:
    """What makes the marks of erased people. Raises KeyFileError."""
    return key(data_dir, "erasure", "nobody can tell then whose data an erasure took out")


def trusted(data_dir: Path) -> tuple[TrustedKey, ...]:
    """Whose acts on retention are believed: those of people through the command line (which speaks for terminals
    alone) and the console, and of the store what the file says. Raises KeyFileError."""
    return (
        TrustedKey(public_key(data_dir, "cli"), "cli", _PEOPLE, frozenset({TERMINAL})),
        TrustedKey(public_key(data_dir, "console"), "console", _PEOPLE),
        TrustedKey(_store_public(data_dir), STORE, _FILE, frozenset({TERMINAL})),
    )


def _store_public(data_dir: Path) -> bytes:
    """As its file says, so that no machine but the store's needs the seed."""
    return read_public(data_dir, STORE) or SigningKey(store_seed(data_dir)).public


def _of(block: RetentionBlock, connection: ConnectionBlock) -> Terms:
    labelled = [
        _terms(
            block.days if each.days is None else each.days,
            block.body_days if each.body_days is None else each.body_days,
        )
        for each in block.labels
        if connection.labels.get(each.label) == each.value
    ]
    found = _terms(block.days, block.body_days)
    if labelled:
        found = labelled[0]
        for other in labelled[1:]:
            found = found.longest(other)
    own = block.connections.get(connection.name)
    if own is None:
        return found
    days = found.days if own.days is None else own.days or None
    return Terms(days, found.body_days if own.body_days is None else own.body_days or None)


def _terms(days: int, body_days: int) -> Terms:
    return Terms(None if days == FOR_EVER else days, None if body_days == FOR_EVER else body_days)
