"""All commands of `sluicegate`, in the order in which the help lists them."""

from typing import Annotated

import typer

from sluicegate.cli import (
    admin,
    approvals,
    bundle,
    completeness,
    config,
    dead_letters,
    erase,
    evidence,
    exec_credential,
    export,
    findings,
    findings_silence,
    frames,
    kubeconfig,
    login,
    mask,
    policy,
    principals,
    queries,
    query,
    replay,
    responses,
    retention,
    run,
    sessions,
    sessions_cast,
    sessions_kill,
    sessions_report,
    token,
    tools,
    tree,
    unseal,
    verify,
    witness,
    workers,
)
from sluicegate.cli.failures import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"sluicegate {version('sluicegate')}")
        raise typer.Exit


@app.callback()
def sluicegate(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Audit gateway between AI agents and the systems they act on.

    Exit codes: 0 done, 1 it failed, 2 the command line or the configuration is wrong.
    """


app.command()(run.up)
app.command()(run.demo)
app.command()(config.check)
sessions.commands.command()(sessions_cast.cast)
sessions.commands.command()(sessions_kill.kill)
sessions.commands.command()(sessions_report.report)
app.add_typer(sessions.commands, name="sessions")
app.add_typer(principals.commands, name="principals")
app.add_typer(responses.commands, name="responses")
findings.commands.command()(findings_silence.silence)
findings.commands.command()(findings_silence.unsilence)
findings.commands.command()(findings_silence.silences)
app.add_typer(findings.commands, name="findings")
app.command()(login.login)
app.command()(token.token)
app.command()(kubeconfig.kubeconfig)
app.command()(exec_credential.exec_credential)
app.add_typer(token.commands, name="tokens")
app.add_typer(admin.commands, name="admin")
app.command()(frames.frames)
app.command()(tree.tree)
app.command()(query.query)
app.add_typer(queries.commands, name="queries")
app.command()(export.export)
app.command()(replay.replay)
app.command()(evidence.evidence)
app.command()(completeness.completeness)
app.add_typer(verify.commands, name="verify")
app.command()(bundle.bundle)
app.add_typer(dead_letters.commands, name="dead-letters")
app.add_typer(tools.commands, name="tools")
app.add_typer(approvals.commands, name="approvals")
app.add_typer(policy.commands, name="policy")
app.command()(mask.mask)
app.command()(unseal.unseal)
app.add_typer(retention.commands, name="retention")
app.add_typer(erase.commands, name="erase")
app.add_typer(config.commands, name="config")
app.command()(run.gateway)
app.command()(workers.processors)
app.command()(workers.console)
app.command()(run.sink)
app.command()(witness.witness)
