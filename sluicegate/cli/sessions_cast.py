"""`sessions cast`: a terminal session of `kubectl exec` or `attach` as a film."""

import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import Failure
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.readers import Reader


def cast(
    exchange_id: Annotated[UUID, typer.Argument(metavar="EXCHANGE", help="The id of the exec or attach.")],
    typed: Annotated[bool, typer.Option("--input", help="With what the client typed.")] = False,
    idle: Annotated[
        float | None, typer.Option(min=0.01, metavar="SECONDS", help="Pauses last at most so long.")
    ] = None,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Print a terminal session as an asciicast (version 2).

    As it was recorded, secrets masked, with its timing. A terminal player obeys what is in it.
    """
    from sinks.exports.asciicast import Wanted  # noqa: PLC0415
    from sinks.exports.asciicast import cast as film  # noqa: PLC0415

    async def play(reader: "Reader") -> int:
        from sinks.paging import every_frame  # noqa: PLC0415
        from sinks.readers import FrameFilter  # noqa: PLC0415

        lines = 0
        async for line in film(
            every_frame(reader, FrameFilter(exchange=str(exchange_id))), Wanted(typed, idle)
        ):
            sys.stdout.write(line + "\n")
            lines += 1
        return lines

    if not answer(config, play):
        raise Failure(
            f"exchange {exchange_id} has no terminal in the trail; `sluicegate frames --exchange {exchange_id}` "
            "shows what it has"
        )
