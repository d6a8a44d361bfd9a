"""A bundle proves what is in it with nothing but the policy file, and what was done to it is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, reader
from fastavro.write import writer

from sinks.verify.bundle import check_bundle
from sinks.verify.exporting import TREE, Piece, export
from sinks.verify.findings import Kind, Report, Verdict, VerifyError
from sinks.verify.live import LiveTrail, horizons
from sinks.verify.rebuild import row_schema
from sinks.verify.selection import ALL, Selection, SelectionError
from sinks.verify.straight import Straight
from tests.verify.recorded import SOURCE, Trail, copied, policy, signed, source

Records = list[dict[str, Any]]


def exported(folder: Path, wanted: Selection = ALL, trail: Trail | None = None) -> list[Piece]:
    """A bundle of the honest trail, or of another."""
    trail = trail or source()
    asking = Straight(trail.client, trail.database)
    return export(
        LiveTrail(asking, horizons(asking, 0.0, iter(count()).__next__, lambda: None)), wanted, folder
    )


def kinds(report: Report) -> list[Kind]:
    """What was found, but for what expired."""
    return [finding.kind for finding in report.findings if finding.kind is not Kind.EXPIRED_BY_POLICY]


def rewrite(path: Path, change: Callable[[Records], Records]) -> None:
    """The records of an Avro file, changed."""
    with path.open("rb") as source_file:
        records = change(list(reader(source_file)))  # type: ignore[arg-type]
    schema = TREE if path.name.startswith("tree") else parse_schema(row_schema())
    with path.open("wb") as out:
        writer(out, schema, records)


def test_a_bundle_of_everything_is_sound_with_every_row_a_witness_and_what_expired(tmp_path: Path) -> None:
    pieces = exported(tmp_path / "all")

    report = check_bundle(tmp_path / "all", policy(quorum=1))

    assert (report.verdict, kinds(report)) == (Verdict.SOUND, [])
    assert report.rows == sum(piece.rows for piece in pieces) == 90
    assert [(part.size, part.witnesses) for part in report.coverage] == [(68, 1), (24, 1)]
    assert report.counts[Kind.EXPIRED_BY_POLICY] == 2


def test_a_session_takes_a_pruned_tree_and_says_what_it_does_not_prove(tmp_path: Path) -> None:
    any_of = f"SELECT any(session_id) FROM {SOURCE}.frames_stored WHERE k_partition = 1"
    session = str(source().client.query(any_of).first_row[0])

    exported(tmp_path / "one", Selection(session=session))
    report = check_bundle(tmp_path / "one", policy())

    assert report.verdict is Verdict.SOUND
    assert report.rows == 24
    assert report.notes == ["a selection: each row in it is proven; that none was left out is not"]


def test_a_range_of_time_leaves_out_what_lies_around_it(tmp_path: Path) -> None:
    times = ", ".join(f"toUnixTimestamp64Micro(minIf(recorded_at, k_offset = {at}))" for at in (30, 40))
    asked = f"SELECT {times} FROM {SOURCE}.frames_stored WHERE k_partition = 0"
    ((first, last),) = source().client.query(asked).result_rows

    (piece,) = exported(tmp_path / "some", Selection(since=first, until=last))
    report = check_bundle(tmp_path / "some", policy())

    assert (piece.first, piece.last, piece.rows) == (30, 39, 10)
    assert (report.verdict, report.rows) == (Verdict.SOUND, 10)


def test_a_row_that_lacked_when_the_bundle_was_made_lacks_in_it(tmp_path: Path) -> None:
    with copied() as trail:
        trail.run("ALTER TABLE {db}.frames_stored DELETE WHERE k_partition = 1 AND k_offset = 7")
        exported(tmp_path / "b", trail=trail)

    report = check_bundle(tmp_path / "b", policy())

    assert [(one.kind, one.first_offset, one.lane_seq) for one in report.findings[-1:]] == [
        (Kind.MISSING, 7, 8)
    ]


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        ("rows-1.avro", lambda rows: rows[:5] + rows[6:], [Kind.MISSING]),
        ("rows-1.avro", lambda rows: [{**row, "tool": b"x"} for row in rows[:1]] + rows[1:], [Kind.MODIFIED]),
        ("rows-1.avro", lambda rows: rows[:1] + rows, [Kind.DUPLICATE]),
        ("rows-1.avro", lambda rows: rows[:-1], [Kind.TRUNCATED]),
        (
            "tree-1.avro",
            lambda nodes: [{**nodes[0], "digest": bytes(32)}, *nodes[1:]],
            [Kind.MODIFIED, Kind.MODIFIED],
        ),
        ("tree-1.avro", lambda nodes: nodes[:-1], [Kind.MISSING, Kind.MODIFIED, Kind.UNCHECKPOINTED_TAIL]),
    ],
    ids=["a row less", "a row changed", "a row twice", "the last row less", "a leaf changed", "a leaf less"],
)
def test_what_is_done_to_the_files_is_found(
    tmp_path: Path, file: str, change: Callable[[Records], Records], expected: list[Kind]
) -> None:
    exported(tmp_path / "b")
    rewrite(tmp_path / "b" / file, change)

    report = check_bundle(tmp_path / "b", policy())

    assert sorted(kinds(report)) == expected
    assert report.verdict is Verdict.TAMPERED


def test_a_row_hidden_in_the_tree_of_a_range_is_missed(tmp_path: Path) -> None:
    exported(tmp_path / "b")
    rewrite(tmp_path / "b" / "rows-1.avro", lambda rows: rows[:5] + rows[6:])
    rewrite(
        tmp_path / "b" / "tree-1.avro",
        lambda nodes: [{**node, "shown": node["first"] != 5} for node in nodes],
    )

    report = check_bundle(tmp_path / "b", policy())

    assert Kind.MISSING in kinds(report)
    assert report.verdict is Verdict.TAMPERED


def test_a_bundle_under_other_keys_cannot_be_checked(tmp_path: Path) -> None:
    exported(tmp_path / "b")

    report = check_bundle(tmp_path / "b", policy(log_keys=(bytes(32),)))

    assert report.verdict is Verdict.CANNOT_CHECK
    assert Kind.UNKNOWN_KEY in kinds(report)


def test_a_kept_checkpoint_of_another_history_makes_it_a_fork(tmp_path: Path) -> None:
    exported(tmp_path / "b")
    other = signed(1, [value[:-1] + b"\0" for value in source().values[1]])[-1]["note"]

    report = check_bundle(tmp_path / "b", policy(), {1: [other]})

    assert kinds(report) == [Kind.FORKED]


@pytest.mark.parametrize(
    "file", ["manifest.json", "heads-0.json", "rows-0.avro", "tree-0.avro", "tombstones-0.json"]
)
def test_a_bundle_without_one_of_its_files_or_with_a_cut_one_cannot_be_checked(
    tmp_path: Path, file: str
) -> None:
    exported(tmp_path / "b")
    path = tmp_path / "b" / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(VerifyError, match=file.partition("-")[0]):
        check_bundle(tmp_path / "b", policy())

    path.unlink()
    with pytest.raises(VerifyError):
        check_bundle(tmp_path / "b", policy())


def test_a_bundle_goes_into_a_new_folder_alone_and_only_of_what_is_signed(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(VerifyError, match="not empty"):
        exported(tmp_path)

    with copied() as trail:
        trail.run("ALTER TABLE {db}.checkpoints_stored DELETE WHERE 1")
        with pytest.raises(VerifyError, match="no checkpoint covers"):
            exported(tmp_path / "b", trail=trail)


@pytest.mark.parametrize("wanted", [{"session": "' OR 1"}, {"connection": "a'b"}])
def test_a_selection_that_is_no_id_and_no_name_is_refused(wanted: dict[str, str]) -> None:
    with pytest.raises(SelectionError):
        Selection(**wanted)  # type: ignore[arg-type]


def test_the_manifest_tells_what_was_selected(tmp_path: Path) -> None:
    exported(tmp_path / "b", Selection(connection="demo"))

    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text("ascii"))

    assert (manifest["scope"], manifest["selection"]["connection"]) == ("selection", "demo")
