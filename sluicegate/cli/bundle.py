"""`bundle`: a part of the trail to hand over, which anybody can check offline."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, settings_of, time_option
from sluicegate.cli.output import print_line, print_table

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the bundle.")]


def bundle(
    folder: Folder,
    *,
    session: Annotated[UUID | None, typer.Option(metavar="ID", help="The frames of this session.")] = None,
    connection: Annotated[str, typer.Option(help="The frames of this connection.")] = "",
    since: Annotated[str, time_option("Recorded from this ISO time on (UTC).")] = "",
    until: Annotated[str, time_option("Recorded before this ISO time (UTC).")] = "",
    wait: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="Wait so long for the signature of the newest frames."),
    ] = 10.0,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Export frames with what proves them: `sluicegate verify --bundle DIR --keys FILE` needs no more.

    Of a range of time, also proves that no frame is left out; of a session or a connection, each frame in it.
    """
    import time  # noqa: PLC0415

    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.verify.exporting import export  # noqa: PLC0415
    from sinks.verify.findings import VerifyError  # noqa: PLC0415
    from sinks.verify.live import LiveTrail, horizons, open_store  # noqa: PLC0415
    from sinks.verify.selection import Selection, SelectionError  # noqa: PLC0415

    settings = settings_of(config).sink_settings()
    with told(VerifyError, StoreError, SelectionError, OSError):
        wanted = Selection(str(session or ""), connection, _micros(since), _micros(until))
        store = open_store(settings)
        try:
            seen = horizons(store, wait, time.monotonic, lambda: time.sleep(0.2))
            pieces = export(LiveTrail(store, seen), wanted, folder)
        finally:
            store.close()
    rows = ([piece.partition, piece.rows, f"{piece.first}-{piece.last}", piece.size] for piece in pieces)
    print_table(("partition", "frames", "offsets", "tree"), rows, empty="nothing was selected")
    print_line(f"wrote {folder}; check it with: sluicegate verify --bundle {folder} --keys keys.yaml")


def _micros(text: str) -> int:
    """An ISO time in microseconds since 1970; -1 for ''."""
    from sinks.spans import moment  # noqa: PLC0415

    return int(moment(text).timestamp() * 1_000_000) if text else -1
