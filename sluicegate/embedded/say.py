"""Progress lines for a person: one short line for each thing that begins or is done."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]


def plain_say(line: str) -> None:
    """Print one progress line at once, also where standard output is a file or a pipe."""
    print(f"» {line}", flush=True)


def say_nothing(_line: str) -> None:
    """Print nothing; for tests and for callers that report by themselves."""
