"""Durations in options: `90s`, `30m`, `2h`, `7d`."""

import typer

from schemas.durations import seconds_in


def seconds(text: str) -> int | None:
    """`2h` → 7200; None for ''. Raises typer.BadParameter for anything else."""
    if not text:
        return None
    try:
        return seconds_in(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
