"""Waiting for facts about other processes, and small programs to be those processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from sluicegate.embedded.part import Part
from sluicegate.embedded.probes import file_ready

POLL_S = 0.02


def eventually(fact: Callable[[], object], timeout_s: float = 45.0) -> None:
    """Return as soon as `fact()` is true; fail when it has not become so in time."""
    until = time.monotonic() + timeout_s
    while not fact():
        assert time.monotonic() < until, f"{fact} did not become true within {timeout_s} s"
        time.sleep(POLL_S)


def is_gone(pid: int) -> bool:
    """Whether the process has ended; a zombie that nobody has reaped has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def lines(path: Path) -> list[str]:
    """The file's lines; none if it is not there yet."""
    return path.read_text().splitlines() if path.exists() else []


PREAMBLE = """
import os, signal, sys, time
from pathlib import Path
here = Path({here!r}); name = {name!r}
def note(what):
    with open(here / "notes", "a") as notes:
        notes.write(name + " " + what + chr(10))
def leave(*_):
    note("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
def be_ready():
    (here / (name + ".pid")).write_text(str(os.getpid()))
    (here / (name + ".ready")).touch()
"""

STEADY = "note('started'); be_ready(); signal.pause()"


def program(here: Path, name: str, body: str = STEADY) -> tuple[str, ...]:
    """The command of a Python child that may `note(what)`, `be_ready()` and stops politely on SIGTERM."""
    return (sys.executable, "-S", "-c", PREAMBLE.format(here=str(here), name=name) + body)


def part(here: Path, name: str, body: str = STEADY, **settings: object) -> Part:
    """A part that runs such a program and is ready when it says so."""
    given = {"ready_seconds": 10.0, "stop_seconds": 5.0, **settings}
    return Part(
        name=name,
        argv=program(here, name, body),
        ready=file_ready(here / f"{name}.ready"),
        env=dict(os.environ),
        **given,  # type: ignore[arg-type]
    )
