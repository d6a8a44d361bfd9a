"""`sluicegate verify`: exit codes, what it prints, what it remembers; and the policy file of an installation."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from sinks.verify.policy import load_policy
from sluicegate.cli.app import app
from sluicegate.settings.keys import write_public
from tests.verify.recorded import NAME, RETENTION, WITNESS, log_key, signed, source
from tests.verify.test_bundle import exported

PUBLIC = log_key(0).log.public


def run(*words: str) -> Result:
    """One command."""
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def keys(tmp_path: Path) -> str:
    """A policy file for the honest trail."""
    path = tmp_path / "keys.yaml"
    public = {"log": PUBLIC, "retention": RETENTION.public}
    given = {name: {"public_keys": [b64encode(key).decode()]} for name, key in public.items()}
    given["log"] |= {"name": NAME}
    path.write_text(yaml.safe_dump(given))
    return str(path)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """A bundle of the honest trail."""
    exported(tmp_path / "bundle")
    return str(tmp_path / "bundle")


def test_a_sound_bundle_is_exit_code_0_and_shows_how_far_the_signatures_reach(keys: str, bundle: str) -> None:
    done = run("verify", "--keys", keys, "--bundle", bundle)

    assert done.exit_code == 0, done.output
    assert "0-67" in done.stdout
    assert "sound: every row is the one that was recorded and signed" in done.stdout
    assert "2 EXPIRED_BY_POLICY" in done.stdout


def test_a_bundle_that_lacks_a_row_is_exit_code_1_and_names_it(keys: str, bundle: str) -> None:
    path = Path(bundle, "tombstones-0.json")
    path.write_text("[]")

    done = run("verify", "--keys", keys, "--bundle", bundle, "--json")

    assert done.exit_code == 1
    *lines, verdict = map(json.loads, done.stdout.splitlines())
    found = [
        (one["kind"], one["first_offset"], one["last_offset"]) for one in lines if one["type"] == "finding"
    ]
    assert sorted(found) == [("MISSING", 20, 21), ("MODIFIED", 25, 25)]
    assert verdict["verdict"] == "tampered"


def test_the_same_bundle_gives_the_same_answer(keys: str, bundle: str) -> None:
    answers = {run("verify", "--keys", keys, "--bundle", bundle, "--json").stdout for _ in range(2)}

    assert len(answers) == 1


def test_a_checkpoint_kept_elsewhere_is_compared_with_that_of_a_bundle(
    keys: str, bundle: str, tmp_path: Path
) -> None:
    other = signed(0, [value[:-1] + b"\0" for value in source().values[0]])[-1]["note"]
    (tmp_path / "anchor.jsonl").write_text(json.dumps({"note": other}) + "\n")

    done = run("verify", "--keys", keys, "--bundle", bundle, "--anchored", str(tmp_path / "anchor.jsonl"))

    assert done.exit_code == 1
    assert "FORKED" in done.stdout


def test_only_a_sound_trail_is_remembered(keys: str, bundle: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    Path(bundle, "tombstones-0.json").rename(tmp_path / "aside.json")
    Path(bundle, "tombstones-0.json").write_text("[]")
    run("verify", "--keys", keys, "--bundle", bundle, "--state", str(state))
    assert not state.exists()

    (tmp_path / "aside.json").rename(Path(bundle, "tombstones-0.json"))
    run("verify", "--keys", keys, "--bundle", bundle, "--state", str(state))
    assert json.loads(state.read_text())["checkpoints"].keys() == {"0", "1"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nonsense"], "No such option"),
        ([], "--keys"),
        (["--keys", "absent.yaml"], "absent.yaml cannot be read"),
        (["--keys", "KEYS", "--bundle", "absent"], "manifest.json cannot be read"),
        (["--keys", "KEYS", "--config", "absent.yaml"], "absent.yaml"),
        (["--keys", "KEYS", "--anchored", "absent.txt"], "absent.txt cannot be read"),
    ],
)
def test_whatever_keeps_it_from_checking_is_exit_code_3(keys: str, words: list[str], said: str) -> None:
    done = run("verify", *(keys if word == "KEYS" else word for word in words))

    assert done.exit_code == 3, done.output
    assert said in done.output


def test_the_policy_file_of_an_installation_has_its_keys_and_those_of_its_witnesses(tmp_path: Path) -> None:
    config, data = tmp_path / "sluicegate.yaml", tmp_path / "var"
    config.write_text(
        f"connections: [{{name: demo, upstream: 'http://127.0.0.1:1/mcp'}}]\ndata_dir: {data}\n"
        "identity: {mode: none}\n"
        f"proof: {{anchors: [{{kind: witness, url: 'https://w.example.org', vkey: '{WITNESS.witness}'}}],"
        f" former_keys: ['{log_key(0, bytes(32)).log}']}}\n"
    )
    (data / "keys").mkdir(parents=True)
    (data / "proof").mkdir()
    write_public(data, "checkpoints", PUBLIC)
    write_public(data, "retention", RETENTION.public)
    (data / "proof" / "log.vkeys").write_text(f"{log_key(0).log}\n{log_key(1).log}\n")
    output = tmp_path / "keys.yaml"

    done = run("verify", "keys", "--output", str(output), "--quorum", "1", "--config", str(config))

    assert done.exit_code == 0, done.output
    found = load_policy(output)
    assert (found.name, found.quorum, found.witnesses) == (NAME, 1, (WITNESS.witness,))
    assert found.log_keys == (PUBLIC, log_key(0, bytes(32)).log.public)
    assert found.retention_keys == (RETENTION.public,)


def test_an_installation_that_never_ran_has_no_keys_to_write(tmp_path: Path) -> None:
    config = tmp_path / "sluicegate.yaml"
    config.write_text(
        f"connections: [{{name: demo, upstream: 'http://127.0.0.1:1/mcp'}}]\ndata_dir: {tmp_path / 'var'}\n"
        "identity: {mode: none}\n"
    )

    done = run("verify", "keys", "--config", str(config))

    assert done.exit_code == 1
    assert "start the installation once" in done.output
