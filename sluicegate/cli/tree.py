"""`tree`: what caused an exchange, and what it caused."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from sluicegate.cli.failures import Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile
from sluicegate.cli.output import print_json, print_table
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.readers import Branch

COLUMNS = ("began", "ms", "what", "who", "connection", "status", "outcome", "masked", "exchange")


def tree(
    exchange_id: Annotated[UUID, typer.Argument(metavar="ID", help="The exchange's id.")],
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Show what caused an exchange, and what it caused: a tool call and the requests behind it."""
    found = answer(config, lambda reader: reader.tree(str(exchange_id)))
    if not found:
        raise Failure(
            f"the trail has no exchange {exchange_id} (it is there about a second after it was recorded)"
        )
    if as_json:
        print_json(found)
    else:
        print_table(COLUMNS, cells(found, str(exchange_id)), empty="")


def cells(branches: "Sequence[Branch]", asked: str) -> list[tuple[Any, ...]]:
    """One row an exchange, indented below what caused it; the one that was asked for is marked."""
    from sinks.words import act  # noqa: PLC0415
    from sluicegate.cli.show import moment  # noqa: PLC0415

    rows = []
    for branch in branches:
        mark = "*" if branch["exchange_id"] == asked and len(branches) > 1 else ""
        rows.append(
            (
                moment(branch["started_at"]),
                round(branch["latency_ms"], 1),
                _below(branch["depth"]) + " ".join(filter(None, act(branch))),
                _who(branch),
                branch["connection"],
                branch["http_status"] or "",
                _ended(branch),
                branch["redactions"] or "",
                f"{branch['exchange_id']}{mark}",
            )
        )
    return rows


def _below(depth: int) -> str:
    """What shows that a row belongs to the one above it."""
    return "  " * (depth - 1) + "└ " if depth else ""


def _who(branch: "Branch") -> str:
    """The caller, with what is doubtful: another one than of the exchange above, which anybody can name."""
    return (
        f"{branch['principal']} (not the same caller)"
        if branch["same_principal"] is False
        else branch["principal"]
    )


def _ended(branch: "Branch") -> str:
    """How it ended, with what a rule said."""
    words = [branch["outcome"]]
    if branch["verdict"] in ("deny", "hold"):
        words.append(f"{branch['verdict']} by {branch['rule']}" if branch["rule"] else branch["verdict"])
    if branch["reason_code"]:
        words.append(branch["reason_code"])
    if branch["jsonrpc_error"] is not None:
        words.append(f"error {branch['jsonrpc_error']}")
    if branch["tool_is_error"]:
        words.append("tool error")
    return ", ".join(words)
