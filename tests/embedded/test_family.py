"""Several processes as one: each comes back when it ends, all stop together, and none outlives who started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.embedded.waiting import eventually, is_gone

MEMBER = """
import os, pathlib, signal, sys, time
here, name = pathlib.Path(sys.argv[1]), sys.argv[2]
with (here / name).open("a") as notes:
    notes.write(f"{os.getpid()}\\n")
if sys.argv[3] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[3] == "ends":
    sys.exit(int(sys.argv[4]))
while True:
    time.sleep(60)
"""
FAMILY = """
import asyncio, sys
from sluicegate.embedded.family import run_family
from sluicegate.embedded.part import Backoff
here, *kinds = sys.argv[1:]
members = {kind: (sys.executable, f"{here}/member.py", here, kind, *kind.split("-")) for kind in kinds}
quick = Backoff(first_s=0.01, asked_s=0.01, cap_s=0.05)
sys.exit(asyncio.run(run_family(members, backoff=quick, stop_seconds=1.0)))
"""


@contextmanager
def family(here: Path, *kinds: str) -> Iterator[subprocess.Popen[str]]:
    (here / "member.py").write_text(textwrap.dedent(MEMBER))
    command = [sys.executable, "-c", FAMILY, str(here), *kinds]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def pids(here: Path, name: str) -> list[int]:
    file = here / name
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_who_ends_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    with family(tmp_path, "ends-75", "ends-3", "stays") as process:
        eventually(lambda: len(pids(tmp_path, "ends-75")) > 2 and len(pids(tmp_path, "ends-3")) > 2)
        eventually(lambda: pids(tmp_path, "stays"))
        process.terminate()
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert len(pids(tmp_path, "stays")) == 1
    assert "ends-75: asked to be restarted; started again in" in said
    assert "ends-3: ended with exit code 3; started again in" in said


def test_all_stop_together_and_who_does_not_is_killed(tmp_path: Path) -> None:
    with family(tmp_path, "stays", "deaf") as process:
        eventually(lambda: pids(tmp_path, "stays") and pids(tmp_path, "deaf"))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert (process.returncode, "deaf: did not stop by itself and was killed" in said) == (1, True)
    assert all(is_gone(pid) for name in ("stays", "deaf") for pid in pids(tmp_path, name))


def test_nobody_outlives_who_started_them(tmp_path: Path) -> None:
    with family(tmp_path, "stays") as process:
        eventually(lambda: pids(tmp_path, "stays"))
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: is_gone(pids(tmp_path, "stays")[0]))
