"""`verify`: whether the trail is what was recorded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from sluicegate.cli import verify_keys
from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile

if TYPE_CHECKING:
    from sinks.verify.findings import Report
    from sinks.verify.trail import Trail

CANNOT_CHECK = 3


class VerifyCommands(TyperGroup):
    """A wrong command line means that nothing was checked: 2 would say that the trail is incomplete."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        """As usual, but for the exit code."""
        try:
            return super().make_context(*args, **more)
        except TyperException as error:
            if error.exit_code == USAGE:
                error.exit_code = CANNOT_CHECK
            raise


commands = typer.Typer(cls=VerifyCommands)

Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="Whom to believe: the policy file of public keys."),
]
Bundle = Annotated[
    Path | None,
    typer.Option("--bundle", metavar="DIR", help="Check an exported bundle instead: no network, no config."),
]
Anchored = Annotated[
    list[Path] | None,
    typer.Option(
        "--anchored", metavar="PATH", help="Checkpoints kept elsewhere: a file or a folder; repeatable."
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="FILE", help="Remembers the last checkpoints seen; they must come again."
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait", min=0, metavar="SECONDS", help="Wait so long for what is not signed or stored yet."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line: findings, coverage, verdict.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]


commands.command()(verify_keys.keys)


@commands.callback(invoke_without_command=True)
def verify(
    context: typer.Context,
    *,
    keys: Keys = None,
    bundle: Bundle = None,
    anchored: Anchored = None,
    state: State = None,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Check the trail for what was changed, taken away or put in, with keys from a policy file.

    Exit codes: 0 sound, 1 tampered with, 2 incomplete (not all is signed, or frames lack that were never signed),
    3 it could not be checked. `verify keys` writes the policy file.
    """
    if context.invoked_subcommand is not None:
        return
    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.verify.findings import VerifyError  # noqa: PLC0415
    from sinks.verify.kept import joined, notes_in, read_state, write_state  # noqa: PLC0415
    from sinks.verify.policy import load_policy  # noqa: PLC0415
    from sluicegate.cli.verify_shown import show  # noqa: PLC0415

    if keys is None:
        raise Failure(
            "name the policy file of public keys with --keys; `sluicegate verify keys` writes one",
            CANNOT_CHECK,
        )
    with told(VerifyError, StoreError, OSError, code=CANNOT_CHECK):
        believed = load_policy(keys)
        outside = joined(notes_in(anchored or ()), read_state(state) if state else {})
        if bundle is not None:
            from sinks.verify.bundle import check_bundle  # noqa: PLC0415

            report = check_bundle(bundle, believed, outside)
        else:
            report = checked_live(config, believed, outside, wait=wait, quiet=quiet)
        if state is not None and not report.verdict:
            write_state(state, report)
    show(report, as_json=as_json)
    raise typer.Exit(int(report.verdict))


def checked_live(config: Path, believed: Any, outside: Any, *, wait: float, quiet: bool) -> "Report":
    """What a check of the running trail finds. Raises VerifyError and StoreError."""
    import time  # noqa: PLC0415

    from sinks.verify.check import check  # noqa: PLC0415
    from sinks.verify.live import LiveTrail, horizons, open_store  # noqa: PLC0415
    from sluicegate.cli.verify_progress import counted  # noqa: PLC0415
    from sluicegate.settings import SettingsError, load  # noqa: PLC0415

    with told(SettingsError, code=CANNOT_CHECK):
        settings = load(config)
    store = open_store(settings.sink_settings())
    try:
        seen = horizons(store, wait, time.monotonic, lambda: time.sleep(0.2))
        trail: Trail = LiveTrail(store, seen)
        return check(counted(trail, quiet=quiet), believed, outside)
    finally:
        store.close()
