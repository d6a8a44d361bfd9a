"""`witness`: cosigns the checkpoints of others."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import told
from sluicegate.cli.output import print_line

if TYPE_CHECKING:
    from processors.checkpoints.witness.server import Witness

Name = Annotated[str, typer.Option("--name", help="Name of this witness: a host name of yours, and a path.")]
Folder = Annotated[Path, typer.Option("--data-dir", help="Where its key and what it has seen are kept.")]
Logs = Annotated[
    list[Path],
    typer.Option(
        "--logs", metavar="FILE", help="vkeys of the logs that it knows, one a line; may be repeated."
    ),
]
Listen = Annotated[str, typer.Option("--listen", help="Address, `host:port`; port 0 takes a free one.")]


def witness(name: Name, data_dir: Folder, logs: Logs, listen: Listen = "127.0.0.1:8099") -> None:
    """Cosign checkpoints of logs, each only as far as it extends what was seen before (C2SP tlog-witness).

    Run it where those who run the log have no say. It prints its vkey, which goes into `proof.anchors` of the log and
    into the policy of those who verify.
    """
    from processors.checkpoints.signing import read_vkeys  # noqa: PLC0415
    from processors.checkpoints.witness.server import WitnessSettings, serve  # noqa: PLC0415
    from processors.logs import configure_logs  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError, key  # noqa: PLC0415

    with told(KeyFileError, ValueError, OSError):
        host, port = _address(listen)
        known = tuple(vkey for file in logs for vkey in read_vkeys(file))
        seed = key(data_dir, "witness", "whoever knows this witness has to be told its new vkey")
        configure_logs()
        settings = WitnessSettings(data_dir / "seen", name, seed, known, host, port)
        asyncio.run(serve(settings, _started))


def _address(listen: str) -> tuple[str, int]:
    """(host, port); port 0 takes a free one. Raises ValueError."""
    from sluicegate.settings.addresses import split_address  # noqa: PLC0415

    host, _, port = listen.rpartition(":")
    return (split_address(f"{host}:1")[0], 0) if port == "0" else split_address(listen)


def _started(running: "Witness", port: int) -> None:
    print_line(f"witness on port {port}, vkey {running.key.witness}")
