"""`mask`: the masking engine as a filter."""

import sys
from typing import Annotated

import typer


def mask(
    profile: Annotated[str, typer.Option(help="Masking profile.")] = "secrets",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each was taken for a secret.")] = False,
) -> None:
    """Mask texts from standard input.

    JSON lines: {"id","text"} in, {"id","masked","redactions"} out.
    """
    from masking.cli import run  # noqa: PLC0415
    from masking.profiles import PROFILES  # noqa: PLC0415

    if profile not in PROFILES:
        raise typer.BadParameter(f"choose one of: {', '.join(PROFILES)}", param_hint="--profile")
    raise typer.Exit(run(sys.stdin, sys.stdout, profile, explain))
