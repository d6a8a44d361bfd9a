"""Durations as people write them: `90s`, `30m`, `2h`, `7d`."""

import re

import typer

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DAYS_MAX = 3_650


def seconds(text: str) -> int | None:
    """`2h` → 7200; None for ''. Raises typer.BadParameter for anything else."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,9})([smhd])", text)
    span = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < span <= _DAYS_MAX * 86_400:
        raise typer.BadParameter("write a time such as 90s, 30m, 2h or 7d")
    return span
