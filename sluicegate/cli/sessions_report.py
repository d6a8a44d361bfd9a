"""`sessions report`: a session as a PDF."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, settings_of
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.readers import Reader


def report(
    session_id: Annotated[UUID, typer.Argument(metavar="SESSION", help="The id of the session.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The PDF to write.")],
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Write a session as a report: what it was, its calls, what was masked, denied and found."""
    from sluicegate.settings.approvals_block import public_url  # noqa: PLC0415

    link = f"{public_url(settings_of(config).approvals).rstrip('/')}/sessions/{session_id}"

    async def make(reader: "Reader") -> bytes | None:
        from sinks.exports.pdf import CALLS_MAX  # noqa: PLC0415
        from sinks.exports.pdf import report as made  # noqa: PLC0415
        from sinks.readers import FindingFilter  # noqa: PLC0415

        session = await reader.session(str(session_id))
        if session is None:
            return None
        exchanges = await reader.session_exchanges(str(session_id), CALLS_MAX + 1)
        findings = await reader.findings(FindingFilter(session=str(session_id)), 100)
        return made(session, exchanges, findings, link)

    content = answer(config, make)
    if content is None:
        raise Failure(f"there is no session {session_id} in the trail")
    with told(OSError):
        output.write_bytes(content)
    typer.echo(f"{output}: {len(content):,} bytes")
