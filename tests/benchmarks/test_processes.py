"""A measurement's child processes are waited for by what they say and do not outlive their block."""

import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.processes import Child, ChildError

LEAVES_A_CHILD = """
import signal, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
print("inner", inner.pid, flush=True)
signal.pause()
"""


def test_what_a_stopped_process_leaves_behind_is_killed_and_named(tmp_path: Path) -> None:
    with Child("parent", [sys.executable, "-c", LEAVES_A_CHILD], tmp_path / "log") as child:
        inner = int(child.wait_for(r"^inner (\d+)$", 20)[1])
    assert child.left_behind == [f"pid {inner}"]
    assert not psutil.pid_exists(inner) or psutil.Process(inner).status() == psutil.STATUS_ZOMBIE


def test_a_process_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the port is taken')"]
    with (
        Child("server", command, tmp_path / "log") as child,
        pytest.raises(ChildError, match="the port is taken"),
    ):
        child.wait_for("ready", 20)


def test_a_process_that_never_says_the_words_is_given_up_after_its_time(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    with (
        Child("server", command, tmp_path / "log") as child,
        pytest.raises(ChildError, match="said nothing like"),
    ):
        child.wait_for("ready", 0.2)
