"""Asking a console or a gateway from a command that is not async; with failures told like everywhere."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from sluicegate.cli.failures import told
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from sluicegate.cli.approvals_rest import Rest

Result = TypeVar("Result")

ConsoleUrl = Annotated[
    str,
    typer.Option(
        "--console",
        metavar="URL",
        help="Ask this console, as the person who logged in for it; without: as the user at this terminal.",
    ),
]


def asked(url: str, config: Path, work: "Callable[[Rest], Coroutine[Any, Any, Result]]") -> Result:
    """What `work` gives of the console at `url`; '' is the one that the configuration names."""
    from sluicegate.cli.approvals_rest import ConsoleError, Rest, config_settings  # noqa: PLC0415
    from sluicegate.cli.approvals_rest import console_place as place_of  # noqa: PLC0415
    from sluicegate.login.http import LoginError  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    async def ask() -> Result:
        settings = config_settings(config)
        place = await place_of(url or console_of(config), settings)
        async with Rest(place) as rest:
            return await work(rest)

    with told(ConsoleError, LoginError, KeyFileError, OSError):
        return run_quietly(ask())


def console_of(config: Path) -> str:
    """The URL of the console that the configuration names."""
    from sluicegate.cli.options import settings_of  # noqa: PLC0415
    from sluicegate.settings.approvals_block import public_url  # noqa: PLC0415

    return public_url(settings_of(config).approvals)
