"""`mask`: the masking engine as a filter."""

import sys
from secrets import token_bytes
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masking.deep import DeepMasker


def mask(
    profile: Annotated[str, typer.Option(help="Masking profile.")] = "secrets",
    deep: Annotated[
        bool, typer.Option("--deep", help="As the deep pass masks: with pii, names and addresses too.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each was taken for a secret.")] = False,
) -> None:
    """Mask texts from standard input.

    JSON lines: {"id","text"} in, {"id","masked","redactions"} out.
    """
    from masking.cli import run  # noqa: PLC0415
    from masking.profiles import PROFILES  # noqa: PLC0415

    if profile not in PROFILES:
        raise typer.BadParameter(f"choose one of: {', '.join(PROFILES)}", param_hint="--profile")
    if deep and explain:
        raise typer.BadParameter("--explain tells of the inline pass only", param_hint="--deep")
    raise typer.Exit(run(sys.stdin, sys.stdout, profile, explain, _deep(profile) if deep else None))


def _deep(profile: str) -> "DeepMasker":
    """The deep pass under a key of this process; says on stderr when names cannot be found."""
    from masking.deep import DeepMasker  # noqa: PLC0415
    from masking.names_deep import available  # noqa: PLC0415

    if "pii" not in profile:
        return DeepMasker(token_bytes(32), profile)
    names, reason = available()
    if reason:
        typer.echo(reason, err=True)
    return DeepMasker(token_bytes(32), profile, [names])
