"""A trail as the real parts record it, in a real chDB: sealed, masked, signed, cosigned, stored, partly forgotten.

Partition 0 has two lanes that take turns, a frame in parts and one deep-masked, a repeat, two rows that expired and a
body that did. Partition 1 has one lane. Each attack works on a copy of it, in a database of its own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from masking.deep import DeepMasker
from processors.checkpoints.log import Log
from processors.masking_step import Audited, step
from processors.masks import Deep
from schemas.checkpoints import (
    CheckpointRecord,
    anchor_record,
    checkpoint_record,
    checkpoint_value,
    tree_head,
)
from schemas.digests import GENESIS
from schemas.frames import FrameHeader, seal_frame
from schemas.merkle import Frontier
from schemas.notes import Note, NoteKey
from schemas.signatures import SigningKey
from schemas.tombstones import leaves_digest, signed_tombstone, tombstone_id, tombstone_value
from sinks.avro import Placed
from sinks.migrate import migrate
from sinks.store import insert
from sinks.tables import Target, checkpoints_target, frames_target, tombstones_target
from sinks.verify.check import check
from sinks.verify.findings import Report
from sinks.verify.live import Horizon, LiveTrail, horizons
from sinks.verify.policy import Policy
from sinks.verify.straight import Straight
from tests.sinks.records import _DEFAULTS as DEFAULTS
from tests.sinks.records import START_US
from tests.sinks.shared_store import embedded_store

NAME = "trail.example.com"
SOURCE = "verify_source"
TABLES = ("frames_stored", "repeats_stored", "checkpoints_stored", "tombstones_stored")
RETENTION = SigningKey(bytes([7]) * 32)
WITNESS = NoteKey("witness.example.org", bytes([8]) * 32)
SEED = bytes([9]) * 32
SECRET = "AKIA" + "Q3EGRIDHPUU7MPLA"
EXPIRED = (20, 21)
BODILESS = 25
REPEAT = 47
EVERY = 16
_NUMBERS = count(1)


def log_key(partition: int, seed: bytes = SEED) -> NoteKey:
    """The key of the log of a partition."""
    return NoteKey(f"{NAME}/audit/{partition}", seed)


def policy(**other: Any) -> Policy:
    """What an auditor would have."""
    usual: dict[str, Any] = {
        "name": NAME,
        "log_keys": (log_key(0).log.public,),
        "witnesses": (WITNESS.witness,),
        "retention_keys": (RETENTION.public,),
    }
    return Policy(**{**usual, **other})


@dataclass
class Writer:
    """Writes the frames of some lanes to one partition, each through the gateway's seal and the processor's step."""

    partition: int
    values: list[bytes] = field(default_factory=list)
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def frame(self, lane: str, body: bytes = b'{"jsonrpc":"2.0"}', **facts: Any) -> bytes:
        """One more frame of `lane`; its value for topic `audit`."""
        seq, previous = self.heads.get(lane, (0, GENESIS))
        number = next(_NUMBERS)
        header: dict[str, Any] = {
            **DEFAULTS,
            "frame_id": str(UUID(int=number)),
            "exchange_id": str(UUID(int=number // 2 + (1 << 64))),
            "session_id": str(UUID(int=hash(lane) % 1000 + (1 << 65))),
            "lane": lane,
            "lane_seq": seq + 1,
            "prev_digest": previous,
            "recorded_at": START_US + number * 1000,
            "body_bytes": len(body),
            **facts,
        }
        sealed: FrameHeader = header  # type: ignore[assignment]
        value, digest = seal_frame(sealed, body, number.to_bytes(16, "big"))
        self.heads[lane] = (seq + 1, digest)
        done = step(value, self.partition, len(self.values), lambda *_: _deep(), 4_000_000)
        assert isinstance(done, Audited)
        self.values.append(done.value)
        return done.value


@cache
def _deep() -> Deep:
    masker = DeepMasker(bytes(32), "secrets+pii")
    return Deep(masker.mask)


def written() -> dict[int, list[bytes]]:
    """The values of topic `audit`, by partition."""
    first, second = Writer(0), Writer(1)
    for number in range(32):
        first.frame(
            "gw-a/boot/0/0", json.dumps({"n": number}).encode(), attributes={"purpose": "é", "a": "1"}
        )
        first.frame(
            "gw-b/boot/0/0", b"\xff\x00" * number, direction="response", http_status=200, tool_is_error=False
        )
    first.frame("gw-a/boot/0/0", f"key {SECRET}".encode(), redactions=[_redaction()], jsonrpc_error=-32000)
    for part in (1, 2):
        first.frame("gw-a/boot/0/0", b"half", part=part, parts=2, frame_id=str(UUID(int=1 << 90)))
    for number in range(24):
        second.frame("gw-c/boot/0/1", b"x" * number, direction=("request", "response", "end")[number % 3])
    twin = first.values[REPEAT - 2]
    first.values.insert(REPEAT, twin)  # the processor was killed, and gave the same record again
    return {0: first.values, 1: second.values}


def _redaction() -> dict[str, Any]:
    return {"path": "$.a", "rule": "aws", "start": 0, "end": 4, "pseudonym": "[masked:aws:1]"}


def signed(partition: int, values: list[bytes], seed: bytes = SEED, base: int = 0) -> list[CheckpointRecord]:
    """The checkpoints that the checkpointer makes of these values, which lie at offset `base` and after."""
    key, log = log_key(partition, seed), Log(base, Frontier())
    records = []
    for offset, value in enumerate(values, base):
        log.take(offset, value, float(offset))
        if not log.due(float(offset), EVERY, 1e9) and offset + 1 < base + len(values):
            continue
        draft = log.draft()
        head = tree_head(key.name, draft.size, draft.root, base, START_US)
        note = str(Note(head.text, (key.sign(head.text),)))
        records.append(
            checkpoint_record(
                head,
                note,
                topic="audit",
                partition=partition,
                base_offset=base,
                leaves=draft.leaves,
                at=START_US + offset,
            )
        )
        log.signed(draft)
    return records


def cosigned(record: CheckpointRecord, witness: NoteKey = WITNESS) -> CheckpointRecord:
    """The anchor that a witness makes of a checkpoint."""
    head = record["note"].partition("\n\n")[0] + "\n"
    line = witness.cosign(head, 1_790_000_100)
    evidence, note = str(line).encode(), record["note"] + str(line)
    return anchor_record(
        record, "witness", "https://witness.example.org", evidence, note=note, at=START_US + 10_000
    )


def tombstone(
    what: str, first: int, digests: list[bytes], *, key: SigningKey = RETENTION, why: str = "expired"
) -> dict[str, Any]:
    """A signed tombstone of a run in partition 0."""
    last = first + len(digests) - 1
    fields = {
        "at": START_US,
        "what": what,
        "why": why,
        "connection": "demo",
        "partition": 0,
        "first_offset": first,
        "last_offset": last,
        "count": last - first + 1,
        "leaves_sha256": leaves_digest(digests),
        "policy_version": "0" * 64,
        "cause": "",
        "asked_by": [],
    }
    return dict(signed_tombstone({**fields, "tombstone_id": tombstone_id(fields)}, key))


@dataclass
class Trail:
    """A trail in a database of its own, for somebody with every right on the store to work on."""

    client: Client
    database: str
    values: dict[int, list[bytes]]

    def run(self, statement: str) -> None:
        """One statement; {db} is the database. Returns when it is done."""
        self.client.command(statement.format(db=self.database), settings={"mutations_sync": 2})

    def put(self, target: Target, *values: bytes, first: int = 1_000, partition: int = 0) -> None:
        """Stores records as the sink does."""
        placed = [Placed(partition, first + at, value) for at, value in enumerate(values)]
        schema = target.schemas.of(values[0])
        unread = insert(
            self.client, f"{self.database}.{target.table}", schema, placed, f"{first}-{hash(values)}"
        )
        assert not unread

    def put_checkpoints(self, *records: CheckpointRecord, first: int = 1_000) -> None:
        """Stores checkpoints as the sink does."""
        self.put(checkpoints_target("checkpoints"), *map(checkpoint_value, records), first=first)

    def put_tombstone(self, record: dict[str, Any], first: int = 1_000) -> None:
        """Stores a tombstone as the sink does."""
        self.put(tombstones_target("tombstones"), tombstone_value(record), first=first)  # type: ignore[arg-type]

    def forge(self, where: str, **instead: str) -> None:
        """Puts rows like those `where`, with other columns, into the store."""
        rest = ", ".join(f"{sql} AS {name}" for name, sql in instead.items())
        names = self.client.query(
            "SELECT name FROM system.columns WHERE database = {d:String} AND table = 'frames_stored'"
            " AND default_kind IN ('', 'DEFAULT') ORDER BY position",
            {"d": self.database},
        ).result_columns[0]
        listed = ", ".join(names)
        chosen = f"SELECT * FROM {{db}}.frames_stored WHERE {where}"
        changed = f"SELECT * {'REPLACE (' + rest + ')' if rest else ''} FROM ({chosen})"
        self.run(f"INSERT INTO {{db}}.frames_stored ({listed}) SELECT {listed} FROM ({changed})")

    def check(self, believed: Policy | None = None, outside: dict[int, list[str]] | None = None) -> Report:
        """What a check says. Nothing more is coming, so it does not wait."""
        asking = Straight(self.client, self.database)
        seen: dict[int, Horizon] = horizons(asking, 0.0, iter(count()).__next__, lambda: None)
        return check(LiveTrail(asking, seen), believed or policy(), outside)


@cache
def source() -> Trail:
    """The honest trail; work on a `copy`."""
    client = embedded_store().client
    migrate(client, SOURCE)
    values = written()
    trail = Trail(client, SOURCE, values)
    target = frames_target("audit")
    for partition, records in values.items():
        placed = [Placed(partition, offset, value) for offset, value in enumerate(records)]
        kept = [one for one in placed if (partition, one.offset) != (0, REPEAT)]
        schema = target.schemas.of(records[0])
        assert not insert(client, f"{SOURCE}.frames_stored", schema, kept, f"p{partition}")
    _store_repeat(trail)
    for partition, records in values.items():
        heads = signed(partition, records)
        trail.put_checkpoints(*heads, cosigned(heads[-1]), first=partition * 100)
    _forget(trail)
    return trail


def _store_repeat(trail: Trail) -> None:
    columns = "lane, lane_seq, part, frames_partition, frames_offset, digest, audit_digest"
    trail.run(
        f"INSERT INTO {{db}}.repeats_stored (k_partition, k_offset, {columns}) SELECT 0, {REPEAT}, {columns}"
        f" FROM {{db}}.frames_stored WHERE k_partition = 0 AND k_offset = {REPEAT - 2}"
    )


def _forget(trail: Trail) -> None:
    """Two rows and a body go, as their tombstones say."""
    for what, first, last in (("row", *EXPIRED), ("body", BODILESS, BODILESS)):
        digests = trail.client.query(
            f"SELECT audit_digest FROM {SOURCE}.frames_stored WHERE k_partition = 0"
            f" AND k_offset BETWEEN {first} AND {last} ORDER BY k_offset"
        ).result_columns[0]
        trail.put_tombstone(tombstone(what, first, list(digests)), first=first)
    trail.run(f"ALTER TABLE {{db}}.frames_stored DELETE WHERE k_partition = 0 AND k_offset IN {EXPIRED}")
    trail.run(
        "ALTER TABLE {db}.frames_stored UPDATE body = '', body_salt = ''"
        f" WHERE k_partition = 0 AND k_offset = {BODILESS}"
    )


@contextmanager
def copied() -> Iterator[Trail]:
    """A copy of the honest trail, gone afterwards."""
    honest = source()
    trail = Trail(honest.client, f"verify_attack_{next(_NUMBERS)}", honest.values)
    trail.run("CREATE DATABASE {db} ENGINE = Atomic")
    try:
        for table in TABLES:
            trail.run(f"CREATE TABLE {{db}}.{table} AS {SOURCE}.{table}")
            if table == "frames_stored":  # no merge may tidy up behind an attack before it was looked at
                small = "max_bytes_to_merge_at_max_space_in_pool = 1"
                trail.run(f"ALTER TABLE {{db}}.{table} MODIFY SETTING {small}")
            trail.run(f"INSERT INTO {{db}}.{table} SELECT * FROM {SOURCE}.{table}")
        yield trail
    finally:
        trail.run("DROP DATABASE {db} SYNC")
