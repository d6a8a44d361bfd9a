"""Every attack on the trail that the guarantee G10 speaks of, by somebody with every right on the store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import codec
from schemas.frames import audit_value, open_frame, seal_frame
from schemas.notes import NoteKey, Signature
from schemas.signatures import SigningKey
from sinks.retention.erasing import _REWRITTEN
from sinks.tables import frames_target
from sinks.verify.findings import Kind, Verdict
from sinks.verify.policy import Policy
from tests.verify.recorded import (
    REPEAT,
    WITNESS,
    Trail,
    cosigned,
    policy,
    signed,
    source,
    tombstone,
)

AT = "k_partition = 0 AND k_offset"
TWICE = "[('purpose', 'x'), ('a', '1'), ('purpose', 'é')]"
FOREIGN = bytes([66]) * 32
Outside = dict[int, list[str]]


@dataclass(frozen=True)
class Attack:
    """One attack. `says`: each finding as (kind, partition, first offset, last offset), -1 for none.

    `outside`: what the auditor kept elsewhere. `believed`: the keys that the auditor has.
    """

    name: str
    does: Callable[[Trail], Any]
    verdict: Verdict
    says: list[tuple[Kind, int, int, int]]
    outside: Callable[[], Outside] = field(default=dict)
    believed: Callable[[], Policy] = policy


def sql(*statements: str) -> Callable[[Trail], None]:
    """An attack in SQL."""

    def do(trail: Trail) -> None:
        for statement in statements:
            trail.run(statement)

    return do


def update(changes: str, where: str) -> Callable[[Trail], None]:
    """Stored rows changed in place."""
    return sql(f"ALTER TABLE {{db}}.frames_stored UPDATE {changes} WHERE {where}")


def delete(where: str, table: str = "frames_stored") -> str:
    """Stored rows deleted."""
    return f"ALTER TABLE {{db}}.{table} DELETE WHERE {where}"


def on_checkpoints(changes: str, where: str) -> Callable[[Trail], None]:
    """Stored checkpoints changed in place."""
    return sql(f"ALTER TABLE {{db}}.checkpoints_stored UPDATE {changes} WHERE {where}")


def last_note(partition: int = 0) -> Outside:
    """The newest checkpoint, as an anchor outside has it."""
    return {partition: [signed(partition, written_once()[partition])[-1]["note"]]}


def written_once() -> dict[int, list[bytes]]:
    """The values as they lie on topic `audit`."""
    return source().values


def rewritten(value: bytes, previous: bytes | None = None, **facts: Any) -> tuple[bytes, bytes]:
    """(value, digest) of the frame in `value` with other facts, all its digests computed anew."""
    record = codec("audit").decode(value)
    body = facts.pop("body", record["body"])
    header = {**record, **facts, "prev_digest": record["prev_digest"] if previous is None else previous}
    sealed, digest = seal_frame(header, body, bytes(16))  # type: ignore[arg-type]
    at = (record["frames_partition"], record["frames_offset"])
    return audit_value(open_frame(sealed), partition=at[0], offset=at[1]), digest


def rewrite_row(trail: Trail) -> None:
    """A row is put in place of another, with digests that fit it."""
    trail.run(delete(f"{AT} = 5"))
    trail.put(frames_target("audit"), rewritten(written_once()[0][5], tool="harmless")[0], first=5)


def rewrite_row_and_leaf(trail: Trail) -> None:
    """The same, and the leaf that its checkpoint brings."""
    rewrite_row(trail)
    leaf = f"SHA256(concat(unhex('00'), (SELECT audit_digest FROM {{db}}.frames_stored WHERE {AT} = 5)))"
    changed = f"concat(substring(leaves, 1, 160), {leaf}, substring(leaves, 193))"
    on_checkpoints(f"leaves = {changed}", "partition = 0 AND tree_size = 16")(trail)


def change_time(trail: Trail) -> None:
    """The time is part of the table's key: the row is copied with another one, and the first goes."""
    trail.forge(f"{AT} = 5", recorded_at="recorded_at - 3600")
    latest = f"(SELECT max(recorded_at) FROM {{db}}.frames_stored WHERE {AT} = 5)"
    trail.run(delete(f"{AT} = 5 AND recorded_at = {latest}"))


def replace_lane(trail: Trail) -> None:
    """All frames of a lane from its third on, with a chain that fits."""
    previous, fresh = None, []
    for value in written_once()[1][2:]:
        other, previous = rewritten(value, previous, principal_subject="somebody else")
        fresh.append(other)
    trail.run(delete("k_partition = 1 AND k_offset >= 2"))
    trail.put(frames_target("audit"), *fresh, partition=1, first=2)


def append(trail: Trail) -> None:
    """A frame that never was, after the last one, in a lane of its own."""
    value, _digest = rewritten(written_once()[1][0], bytes(32), lane="gw-x/boot/0/1", lane_seq=1)
    trail.put(frames_target("audit"), value, partition=1, first=24)


def swap(trail: Trail) -> None:
    """Two rows change their places."""
    trail.forge(f"{AT} IN (5, 9)", k_offset="toInt64(1014) - k_offset")
    trail.run(delete(f"{AT} IN (5, 9)"))
    trail.forge(f"{AT} > 1000", k_offset="k_offset - 1000")
    trail.run(delete(f"{AT} > 1000"))


def swap_bodies(trail: Trail) -> None:
    """Two rows change their bodies, and what is kept of them beside."""
    rows = trail.client.query(
        f"SELECT k_offset, hex(body), hex(body_sha256) FROM {trail.database}.frames_stored"
        f" WHERE {AT} IN (2, 4) ORDER BY k_offset"
    ).result_rows
    for offset, body, digest in ((2, *rows[1][1:]), (4, *rows[0][1:])):
        update(f"body = unhex('{body}'), body_sha256 = unhex('{digest}')", f"{AT} = {offset}")(trail)


def drop_checkpoints(where: str) -> Callable[[Trail], None]:
    """Checkpoints deleted."""
    return sql(delete(where, "checkpoints_stored"))


def resign(*, last_only: bool) -> Callable[[Trail], None]:
    """Checkpoints replaced by others over the same rows, signed with a key of the attacker's."""

    def do(trail: Trail) -> None:
        for partition in (0, 1):
            records = signed(partition, written_once()[partition], FOREIGN)
            chosen = records[-1:] if last_only else records
            sizes = ", ".join(str(record["tree_size"]) for record in chosen)
            trail.run(delete(f"partition = {partition} AND tree_size IN ({sizes})", "checkpoints_stored"))
            trail.put_checkpoints(*chosen, first=5_000 + partition * 100)

    return do


def another_history() -> list[bytes]:
    """A history in which one row was another."""
    values, previous = list(written_once()[1]), None
    for offset in range(20, 24):
        facts = {"tool": "harmless"} if offset == 20 else {}
        values[offset], previous = rewritten(values[offset], previous, **facts)
    return values


def fork(trail: Trail) -> None:
    """The log's own key signs another history of the same size, which is put beside the first."""
    trail.put_checkpoints(signed(1, another_history())[-1], first=7_000)


def fork_rows(trail: Trail) -> None:
    """Rows and checkpoints are replaced by another history, signed with the log's own key."""
    trail.run(delete("partition = 1", "checkpoints_stored"))
    trail.put_checkpoints(*signed(1, another_history()), first=7_000)
    trail.run(delete("k_partition = 1 AND k_offset >= 20"))
    trail.put(frames_target("audit"), *another_history()[20:], partition=1, first=20)


def forged_tombstone(trail: Trail) -> None:
    """A row goes, with a tombstone that a key of the attacker's signed."""
    digest = codec("audit").decode(written_once()[0][5])["audit_digest"]
    trail.put_tombstone(tombstone("row", 5, [digest], key=SigningKey(FOREIGN)))
    trail.run(delete(f"{AT} = 5"))


def other_rows_forgotten(trail: Trail) -> None:
    """The retention's key signs that a row expired which was not the signed one: it was changed before."""
    trail.put_tombstone(tombstone("row", 5, [bytes(32)]))
    trail.run(delete(f"{AT} = 5"))


def erase(trail: Trail) -> None:
    """What the retention's job does when a person is to be forgotten."""
    digest = codec("audit").decode(written_once()[0][4])["audit_digest"]
    trail.put_tombstone(tombstone("row", 4, [digest], why="erased"))
    update(f"principal_subject = 'erased:0123456789ab', {_REWRITTEN}", f"{AT} = 4")(trail)


def rewrite_erased(trail: Trail) -> None:
    """The same, and something else is written where nothing is left."""
    erase(trail)
    update("reason = 'it was allowed'", f"{AT} = 4")(trail)


def forged_cosignature(trail: Trail) -> None:
    """The witness's line is replaced by one that a key of the attacker's made under its name."""
    trail.run(delete("kind = 'anchor' AND partition = 0", "checkpoints_stored"))
    last = signed(0, written_once()[0])[-1]
    record = cosigned(last, NoteKey(WITNESS.name, FOREIGN))
    trail.put_checkpoints(record, first=8_000)


def changed_cosignature(trail: Trail) -> None:
    """The witness's line keeps its key id and gets another signature."""
    trail.run(delete("kind = 'anchor' AND partition = 0", "checkpoints_stored"))
    last = signed(0, written_once()[0])[-1]
    record = cosigned(last)
    other = Signature(WITNESS.name, WITNESS.witness.key_id, bytes(72))
    evidence, note = str(other).encode(), f"{last['note']}{other}"
    trail.put_checkpoints({**record, "evidence": evidence, "note": note}, first=8_000)


def false_repeat(trail: Trail) -> None:
    """A row goes, and is said to be the repeat of another."""
    columns = "lane, lane_seq, part, frames_partition, frames_offset, digest, audit_digest"
    trail.run(
        f"INSERT INTO {{db}}.repeats_stored (k_partition, k_offset, {columns}) SELECT 0, 5, {columns}"
        f" FROM {{db}}.frames_stored WHERE {AT} = 3"
    )
    trail.run(delete(f"{AT} = 5"))


def quorum() -> Policy:
    """An auditor who wants a witness."""
    return policy(quorum=1)


M, T = Kind.MODIFIED, Verdict.TAMPERED
ATTACKS = [
    Attack("nothing is done", sql(), Verdict.SOUND, []),
    Attack(
        "nothing is done but to erase a person, as a signed tombstone says",
        erase,
        Verdict.SOUND,
        [(Kind.EXPIRED_BY_POLICY, 0, 4, 4)],
    ),
    Attack("something else is written into an erased row", rewrite_erased, T, [(M, 0, 4, 4)]),
    Attack("a row is deleted", sql(delete(f"{AT} = 5")), T, [(Kind.MISSING, 0, 5, 5)]),
    Attack(
        "five rows of two lanes are deleted",
        sql(delete(f"{AT} BETWEEN 5 AND 9")),
        T,
        [(Kind.MISSING, 0, 5, 9)],
    ),
    Attack("a whole partition is deleted", sql(delete("k_partition = 1")), T, [(Kind.TRUNCATED, 1, 0, 23)]),
    Attack("a field of the header is changed", update("tool = 'harmless'", f"{AT} = 5"), T, [(M, 0, 5, 5)]),
    Attack(
        "a time is changed",
        change_time,
        T,
        [(M, 0, 5, 5)],
    ),
    Attack(
        "a name stands twice in a map",
        update(f"attributes = CAST({TWICE}, 'Map(LowCardinality(String), String)')", f"{AT} = 4"),
        T,
        [(M, 0, 4, 4)],
    ),
    Attack("a text is made no UTF-8", update("tool = unhex('ff')", f"{AT} = 5"), T, [(M, 0, 5, 5)]),
    Attack("a verdict is none of the known ones", update("verdict = 'fine'", f"{AT} = 5"), T, [(M, 0, 5, 5)]),
    Attack("a body is changed", update("body = 'x'", f"{AT} = 4"), T, [(M, 0, 4, 4)]),
    Attack(
        "a body is changed, and its kept hash",
        update("body = 'x', body_sha256 = SHA256('x')", f"{AT} = 4"),
        T,
        [(M, 0, 4, 4)],
    ),
    Attack(
        "a body is emptied without a tombstone",
        update("body = '', body_salt = ''", f"{AT} = 4"),
        T,
        [(M, 0, 4, 4)],
    ),
    Attack("two bodies are swapped", swap_bodies, T, [(M, 0, 2, 2), (M, 0, 4, 4)]),
    Attack(
        "an expired body comes back in other words",
        update("body = 'nothing of note'", f"{AT} = 25"),
        T,
        [(M, 0, 25, 25)],
    ),
    Attack("only a digest is changed", update("digest = reverse(digest)", f"{AT} = 5"), T, [(M, 0, 5, 5)]),
    Attack(
        "only audit_digest is changed",
        update("audit_digest = reverse(audit_digest)", f"{AT} = 5"),
        T,
        [(M, 0, 5, 5)],
    ),
    Attack(
        "the schema of a row is changed",
        update("schema_fingerprint = '0000000000000000'", f"{AT} = 5"),
        T,
        [(M, 0, 5, 5)],
    ),
    Attack("a row is rewritten with digests that fit", rewrite_row, T, [(M, 0, 5, 5)]),
    Attack(
        "a lane is replaced by one with a chain that fits",
        replace_lane,
        T,
        [(M, 1, n, n) for n in range(2, 24)],
    ),
    Attack("a row is stored twice", lambda t: t.forge(f"{AT} = 5"), T, [(Kind.DUPLICATE, 0, 5, 5)]),
    Attack(
        "another row is put at the place of a signed one",
        lambda t: t.forge(f"{AT} = 5", tool="'other'"),
        T,
        [(Kind.DUPLICATE, 0, 5, 5)],
    ),
    Attack(
        "an invented frame is put after the last one",
        append,
        Verdict.INCOMPLETE,
        [(Kind.UNCHECKPOINTED_TAIL, 1, 24, 24)],
    ),
    Attack(
        "a copy is put after the last one",
        lambda t: t.forge("k_partition = 1 AND k_offset = 5", k_offset="toInt64(24)"),
        T,
        [(Kind.DUPLICATE, 1, 24, 24), (Kind.UNCHECKPOINTED_TAIL, 1, 24, 24)],
    ),
    Attack("two rows change their places", swap, T, [(Kind.REORDERED, 0, 5, 5), (Kind.REORDERED, 0, 9, 9)]),
    Attack(
        "a row goes to another partition",
        lambda t: (t.forge(f"{AT} = 5", k_partition="toInt32(1)"), t.run(delete(f"{AT} = 5"))),
        T,
        [(Kind.MISSING, 0, 5, 5), (Kind.REORDERED, 1, 5, 5)],
    ),
    Attack(
        "the last rows are cut off",
        sql(delete("k_partition = 0 AND k_offset >= 60")),
        T,
        [(Kind.TRUNCATED, 0, 60, 67)],
    ),
    Attack(
        "rows and checkpoints are cut off, and an anchor was kept outside",
        sql(
            delete("k_partition = 1 AND k_offset >= 16"),
            delete("partition = 1 AND tree_size > 16", "checkpoints_stored"),
        ),
        T,
        [(Kind.TRUNCATED, 1, 16, 23)],
        outside=lambda: last_note(1),
    ),
    Attack(
        "rows and checkpoints are cut off, and nothing was kept outside",
        sql(
            delete("k_partition = 1 AND k_offset >= 16"),
            delete("partition = 1 AND tree_size > 16", "checkpoints_stored"),
        ),
        Verdict.SOUND,
        [],
    ),
    Attack(
        "the last checkpoint is taken back",
        drop_checkpoints("partition = 1 AND tree_size = 24 AND kind = 'checkpoint'"),
        T,
        [(Kind.TRUNCATED, 1, 16, 23), (Kind.UNCHECKPOINTED_TAIL, 1, 16, 23)],
    ),
    Attack(
        "the last checkpoint and its anchor are taken back, and one was kept outside",
        drop_checkpoints("partition = 1 AND tree_size = 24"),
        T,
        [(Kind.TRUNCATED, 1, 16, 23), (Kind.UNCHECKPOINTED_TAIL, 1, 16, 23)],
        outside=lambda: last_note(1),
    ),
    Attack(
        "a checkpoint in the middle is deleted",
        drop_checkpoints("partition = 0 AND tree_size = 32"),
        T,
        [(Kind.MISSING, 0, -1, -1)],
    ),
    Attack(
        "the leaves of a checkpoint are changed",
        on_checkpoints("leaves = reverse(leaves)", "partition = 1 AND kind = 'checkpoint'"),
        T,
        [(M, 1, -1, -1), (M, 1, -1, -1)],
    ),
    Attack(
        "the root of a checkpoint is changed",
        on_checkpoints("root_hash = reverse(root_hash)", "partition = 1 AND kind = 'checkpoint'"),
        T,
        [(M, 1, -1, -1), (M, 1, -1, -1)],
    ),
    Attack(
        "a row is changed, and its leaf in the checkpoint",
        rewrite_row_and_leaf,
        T,
        [(M, 0, 0, 15), (Kind.FORKED, 0, 7, 7)],
    ),
    Attack(
        "the note of a checkpoint is changed",
        on_checkpoints(
            "note = replaceOne(note, '\n24\n', '\n23\n')",
            "partition = 1 AND tree_size = 24 AND kind = 'checkpoint'",
        ),
        T,
        [(Kind.BAD_SIGNATURE, 1, -1, -1), (Kind.TRUNCATED, 1, 16, 23), (Kind.UNCHECKPOINTED_TAIL, 1, 16, 23)],
    ),
    Attack(
        "the last checkpoint is signed with a foreign key",
        resign(last_only=True),
        T,
        [(Kind.UNKNOWN_KEY, p, -1, -1) for p in (0, 1)]
        + [(Kind.UNCHECKPOINTED_TAIL, 0, 64, 67), (Kind.UNCHECKPOINTED_TAIL, 1, 16, 23)],
    ),
    Attack(
        "everything is signed anew with a foreign key",
        resign(last_only=False),
        Verdict.CANNOT_CHECK,
        [(Kind.UNKNOWN_KEY, 0, -1, -1)] * 5
        + [(Kind.UNKNOWN_KEY, 1, -1, -1)] * 2
        + [(Kind.UNCHECKPOINTED_TAIL, 0, 0, 67), (Kind.UNCHECKPOINTED_TAIL, 1, 0, 23)],
    ),
    Attack("the log signs a second history beside the first", fork, T, [(Kind.FORKED, 1, -1, -1)]),
    Attack(
        "the log signs a second history instead of the first, and an anchor was kept outside",
        fork_rows,
        T,
        [(Kind.FORKED, 1, -1, -1)],
        outside=lambda: last_note(1),
    ),
    Attack(
        "a row goes with a tombstone of a foreign key",
        forged_tombstone,
        T,
        [(Kind.UNKNOWN_KEY, 0, 5, 5), (Kind.MISSING, 0, 5, 5)],
    ),
    Attack(
        "a tombstone is widened",
        lambda t: (
            t.run("ALTER TABLE {db}.tombstones_stored UPDATE last_offset = 22, count = 3 WHERE what = 'row'"),
            t.run(delete(f"{AT} = 22")),
        ),
        T,
        [(Kind.BAD_SIGNATURE, 0, 20, 22), (Kind.MISSING, 0, 20, 22)],
    ),
    Attack(
        "a tombstone is deleted",
        sql(delete("what = 'row'", "tombstones_stored")),
        T,
        [(Kind.MISSING, 0, 20, 21)],
    ),
    Attack(
        "a changed row was left to expire",
        other_rows_forgotten,
        T,
        [(M, 0, 5, 5), (Kind.EXPIRED_BY_POLICY, 0, 5, 5)],
    ),
    Attack(
        "a deleted row is said to be a repeat",
        false_repeat,
        T,
        [(Kind.MISSING, 0, 5, 5), (Kind.MISSING, 0, -1, -1)],
    ),
    Attack(
        "a repeat is deleted",
        sql(delete(f"k_offset = {REPEAT}", "repeats_stored")),
        T,
        [(Kind.MISSING, 0, REPEAT, REPEAT)],
    ),
    Attack(
        "a cosignature is forged",
        forged_cosignature,
        Verdict.INCOMPLETE,
        [(Kind.UNCHECKPOINTED_TAIL, 0, 0, 67)],
        believed=quorum,
    ),
    Attack(
        "a cosignature is changed",
        changed_cosignature,
        T,
        [(Kind.BAD_SIGNATURE, 0, -1, -1), (Kind.UNCHECKPOINTED_TAIL, 0, 0, 67)],
        believed=quorum,
    ),
]
