"""Expected failures: one message on standard error, an exit code, and no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from sluicegate.cli.output import inert

FAILED = 1
USAGE = 2


class Failure(Exception):  # noqa: N818 (it reads as what it is where it is raised)
    """A command cannot do what it was asked. The message says what, where and what to do."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


@contextmanager
def told(*expected: type[Exception], code: int = FAILED) -> Iterator[None]:
    """Turns `expected` errors into a Failure with their own message."""
    try:
        yield
    except expected as error:
        unnamed = "no answer in time; try again" if isinstance(error, TimeoutError) else type(error).__name__
        raise Failure(str(error) or unnamed, code) from error


class Commands(TyperGroup):
    """The root of all commands: the one place where a Failure becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            text = inert(str(failure), keep="\n")
            typer.echo(f"sluicegate: {text}", err=True)
            raise typer.Exit(failure.code) from failure
