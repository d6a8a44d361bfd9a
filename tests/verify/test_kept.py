"""Checkpoints kept elsewhere, the state of a check, and the policy file."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from sinks.verify.findings import Coverage, Report, VerifyError
from sinks.verify.kept import joined, notes_in, read_state, write_state
from sinks.verify.policy import load_policy, policy_of
from tests.verify.recorded import NAME, WITNESS, log_key, signed, source

PUBLIC = b64encode(log_key(0).log.public).decode()
LOG = {"name": NAME, "public_keys": [PUBLIC]}


def note(partition: int, which: int = -1) -> str:
    """One of the notes of the honest trail."""
    return signed(partition, source().values[partition])[which]["note"]


def test_notes_are_found_in_files_of_the_anchor_in_notes_and_among_other_words(tmp_path: Path) -> None:
    lines = [json.dumps({"at": "2026-11-21T17:00:00Z", "note": note(0, which)}) for which in (0, 1)]
    (tmp_path / "anchor.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "sent by mail.txt").write_text(f"{note(1, 0)}\n{note(1)}")

    found = notes_in([tmp_path])

    assert found == {0: [note(0, 0), note(0, 1)], 1: [note(1, 0), note(1)]}


def test_a_file_without_a_note_is_an_error_and_not_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("nothing here\n")

    with pytest.raises(VerifyError, match="holds no signed checkpoint"):
        notes_in([tmp_path / "empty.txt"])
    with pytest.raises(VerifyError, match="cannot be read"):
        notes_in([tmp_path / "absent.txt"])


def test_a_state_is_read_back_and_a_broken_one_is_an_error(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert read_state(state) == {}

    write_state(state, Report(coverage=[Coverage(0, note=note(0)), Coverage(1)]))
    assert read_state(state) == {0: [note(0)]}

    state.write_text("[]")
    with pytest.raises(VerifyError, match="holds no state"):
        read_state(state)


def test_what_is_kept_in_several_places_counts_together() -> None:
    assert joined({0: ["a"]}, {0: ["b"], 2: ["c"]}) == {0: ["a", "b"], 2: ["c"]}


def test_a_policy_names_logs_witnesses_and_the_retention() -> None:
    found = policy_of(
        {
            "log": LOG,
            "witnesses": {"quorum": 1, "keys": [str(WITNESS.witness)]},
            "retention": {"public_keys": [PUBLIC]},
        }
    )

    assert found.keys_of(3)[0].name == f"{NAME}/audit/3"
    assert (found.quorum, found.witnesses, len(found.retention_keys)) == (1, (WITNESS.witness,), 1)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "block `log`"),
        ({"log": {"name": NAME, "public_keys": []}}, "public_keys is empty"),
        ({"log": {"name": NAME, "public_keys": ["c2hvcnQ="]}}, "32 bytes"),
        ({"log": LOG, "witness": {}}, "unknown entry witness"),
        ({"log": LOG, "witnesses": {"quorum": 1}}, "0 are listed"),
        ({"log": LOG, "witnesses": {"keys": [str(log_key(0).log)]}}, "not that of a witness"),
        ({"log": {**LOG, "keys": []}}, "unknown entry keys"),
    ],
)
def test_a_policy_that_could_not_be_meant_is_refused(given: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        policy_of(given)


def test_a_policy_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("log: [")
    for file in ("keys.yaml", "absent.yaml"):
        with pytest.raises(VerifyError, match=file):
            load_policy(tmp_path / file)
