"""A trail that the whole stack recorded: sound by its own commands, and tampered with once somebody was at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flow.stack import Running, echo, stack

KINDS = ("echo", "event", "error", "failure", "header")
ROUNDS = 3
SECRET = "AKIA" + "Q3EGRIDHPUU7MPLA"
pytestmark = pytest.mark.timeout(300)  # the stack has to come up, and other tests may have the machine


@dataclass(frozen=True)
class Recorded:
    """The folder of a stack that has stopped, and what its commands said while it ran."""

    folder: Path
    live: Any
    again: Any
    bundled: Any
    rows: int

    def aside(self, *statements: str) -> Any:
        """What a check says after somebody was at the store."""
        root = Path(__file__).parents[2]
        where = [str(self.folder / name) for name in ("var", "keys.yaml")]
        done = subprocess.run(
            [sys.executable, "-m", "tests.verify.aside", *where, *statements],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        return json.loads(done.stdout.splitlines()[-1])


def said(running: Running, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and JSON lines of a command."""
    done = running.run(*words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """One stack for all tests: calls of every kind, its keys, checks while it runs."""
    folder = tmp_path_factory.mktemp("proof")
    keys, state, bundle = (str(folder / name) for name in ("keys.yaml", "state.json", "bundle"))
    with echo() as upstream, stack(folder, upstream, "proof: {origin: trail.example.com}\n") as running:
        for number in range(ROUNDS):
            for tool in KINDS:
                running.call(tool, f"call {number} é {SECRET}")
        running.settled(ROUNDS * len(KINDS))  # a check looks at what is stored when it begins
        assert running.run("verify", "keys", "--output", keys).exit_code == 0
        wait = ("--wait", "60")
        live = said(running, "verify", "--keys", keys, "--state", state, "--json", *wait)
        again = said(running, "verify", "--keys", keys, "--state", state, "--json", *wait)
        made = running.run("bundle", bundle, *wait)
        assert made.exit_code == 0, made.output
        bundled = said(running, "verify", "--keys", keys, "--bundle", bundle, "--json")
        rows = running.rows("SELECT count() AS n FROM audit.frames_stored")[0]["n"]
    return Recorded(folder, live, again, bundled, int(str(rows)))


def test_what_the_stack_recorded_is_sound_live_and_as_a_bundle_down_to_the_last_row(
    recorded: Recorded,
) -> None:
    for code, lines in (recorded.live, recorded.again, recorded.bundled):
        assert code == 0, lines
        assert lines[-1]["verdict"] == "sound"
        assert lines[-1]["rows"] == recorded.rows
    assert recorded.rows >= 2 * ROUNDS * len(KINDS)


def test_a_row_deleted_on_the_disk_of_a_stopped_store_is_missing_with_its_lane(recorded: Recorded) -> None:
    one = "SELECT k_partition, k_offset FROM audit.frames_stored WHERE lane_seq = 4 LIMIT 1"

    verdict, findings = recorded.aside(
        f"ALTER TABLE audit.frames_stored DELETE WHERE (k_partition, k_offset) = ({one})"
    )

    assert verdict == "TAMPERED"
    (finding,) = findings
    assert (finding["kind"], finding["lane_seq"]) == ("MISSING", 4)
    assert finding["lane"].startswith("gateway/")
