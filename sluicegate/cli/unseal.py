"""`unseal`: opens sealed originals with an identity that is nowhere else. First it stands on topic `admin`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile

if TYPE_CHECKING:
    from pyrage.x25519 import Identity  # type: ignore[import-untyped]


def unseal(
    *,
    frame_or_exchange: Annotated[
        str, typer.Argument(metavar="ID", help="A frame's id, or an exchange's; not with --file.")
    ] = "",
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The age identity (key file) that opens them.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is recorded first.")] = "",
    save: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Do not open: save DIR/FRAME_ID.age to be opened elsewhere."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Open a saved file; needs no Sluicegate around.")
    ] = None,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Open sealed originals; the body goes to standard output as it was.

    Of an exchange each frame's is a JSON line. Taking them from the store is recorded on topic admin, with your
    reason.
    """
    from sluicegate.cli import unsealing  # noqa: PLC0415

    keys = _keys(identity) if identity else []
    if file:
        if not keys or frame_or_exchange or save:
            raise typer.BadParameter("give --identity, and neither an id nor --save", param_hint="--file")
        unsealing.write(_opened(file, keys))
        return
    target = _id(frame_or_exchange)
    if not reason.strip():
        raise typer.BadParameter("say why; it is recorded", param_hint="--reason")
    if not keys and not save:
        raise typer.BadParameter("give the key file that opens them, or --save", param_hint="--identity")
    unsealing.take(config, target, reason, keys, save)


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter("give the id of a frame or an exchange", param_hint="ID") from None


def _keys(path: Path) -> "list[Identity]":
    from masking.sealed import SealError, identities  # noqa: PLC0415

    with told(SealError, OSError, UnicodeDecodeError, code=USAGE):
        return identities(path.read_text(encoding="ascii"))


def _opened(path: Path, keys: "list[Identity]") -> bytes:
    from masking.sealed import SealError, unseal  # noqa: PLC0415

    try:
        return unseal(path.read_bytes(), keys)
    except (SealError, OSError) as error:
        raise Failure(f"{path}: {error}") from error
