"""The block `proof`: all that the file says reaches the checkpointer, and what cannot be meant is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.checkpoints.settings import (
    BucketAnchor,
    CheckpointSettings,
    FileAnchor,
    TimeStampAnchor,
    WitnessAnchor,
)
from processors.checkpoints.signing import public_of
from schemas.notes import NoteKey
from sluicegate.settings import Settings, SettingsError, load
from sluicegate.settings.keys import KeyFileError, read_public
from sluicegate.settings.proof import checkpoint_settings

KEY = NoteKey("log.example.com/audit/0", bytes(32))
WITNESS = NoteKey("witness.example.com/w1", bytes(32))
CONNECTIONS = 'connections:\n- {name: a, upstream: "https://up.example/mcp"}\n'


def loaded(folder: Path, text: str) -> Settings:
    """`text` begins on the second line."""
    (folder / "s.yaml").write_text("identity: {mode: none}\n" + text + "\n" + CONNECTIONS, "utf-8")
    return load(folder / "s.yaml", {})


def test_without_a_word_checkpoints_are_signed_every_second_with_a_key_of_their_own(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    found = checkpoint_settings(settings, 0)
    usual = CheckpointSettings(tmp_path / "var" / "proof", found.seed)
    for name in (
        "folder",
        "origin",
        "former_keys",
        "anchors",
        "seconds",
        "records_max",
        "host",
        "port",
        "topics",
    ):
        assert getattr(found, name) == getattr(usual, name)
    assert found.port_file == tmp_path / "var" / "run" / "checkpoints-0.port"
    assert checkpoint_settings(settings, 0) == found, "the key is made once"
    assert read_public(tmp_path / "var", "checkpoints") == public_of(found.seed)
    assert found.seed.hex() not in repr(found)


def test_every_anchor_reaches_the_checkpointer(tmp_path: Path) -> None:
    text = f"""proof:
  origin: log.example.com
  every_seconds: 0.5
  former_keys: ["{KEY.log}"]
  anchors:
  - {{kind: file, path: worm.jsonl}}
  - {{kind: s3, bucket: b, prefix: p/, endpoint: "https://s3.example", region: r, retain_days: 7, mode: GOVERNANCE}}
  - {{kind: rfc3161, url: "https://tsa.example/tsr", ca_file: tsa.pem, every_seconds: 60}}
  - {{kind: witness, url: "https://w.example/w1", vkey: "{WITNESS.witness}"}}
"""
    found = checkpoint_settings(loaded(tmp_path, text), 1)
    assert (found.origin, found.seconds, found.former_keys) == ("log.example.com", 0.5, (str(KEY.log),))
    assert found.anchors == (
        FileAnchor(tmp_path / "worm.jsonl", 10.0),
        BucketAnchor("b", "p/", "https://s3.example", "r", 7, "GOVERNANCE", 60.0),
        TimeStampAnchor("https://tsa.example/tsr", tmp_path / "tsa.pem", 60.0),
        WitnessAnchor("https://w.example/w1", str(WITNESS.witness), 10.0),
    )


def test_a_key_that_is_not_that_of_the_public_one_beside_it_signs_nothing(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    checkpoint_settings(settings, 0)
    (tmp_path / "var" / "keys" / "checkpoints.key").write_bytes(bytes([1]) * 32)
    with pytest.raises(KeyFileError, match=r"not the public key of checkpoints\.key"):
        checkpoint_settings(settings, 0)


BAD = {
    "a name with a space": (
        "proof: {origin: 'a b'}",
        "2:17: proof.origin: must be letters, digits and `._/-`",
    ),
    "an anchor of no kind": (
        "proof: {anchors: [{kind: paper}]}",
        "2:19: proof.anchors[0]: needs `kind`, one of file, s3, rfc3161, witness",
    ),
    "a bucket of a day less": (
        "proof: {anchors: [{kind: s3, bucket: b, retain_days: 0}]}",
        "2:54: proof.anchors[0].retain_days: ",
    ),
    "the key of a log as that of a witness": (
        f"proof: {{anchors: [{{kind: witness, url: 'https://w.example', vkey: '{KEY.log}'}}]}}",
        "2:67: proof.anchors[0].vkey: must be a vkey of a witness (its algorithm is 0x04)",
    ),
    "a vkey that was cut": (
        "proof: {former_keys: ['log.example.com+0badf00d']}",
        "2:23: proof.former_keys[0]: a vkey has the form NAME+KEYID+KEY",
    ),
}


@pytest.mark.parametrize(("text", "line"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_meant_is_told_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, text)
    (found,) = str(raised.value).replace(f"{tmp_path}/", "").splitlines()
    assert found.startswith(f"s.yaml:{line}"), found
