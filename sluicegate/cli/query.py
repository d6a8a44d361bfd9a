"""Free SQL over the trail."""

from typing import Annotated

import typer

from sluicegate.cli.answers import AsForm, Form, Output, Params, answered, given
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile


def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="One reading statement; the views are named v_….")
    ],
    *,
    param: Params = [],  # noqa: B006  # typer takes the default from here and keeps it
    form: AsForm = Form.TABLE,
    output: Output = None,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Ask the store in SQL.

    The embedded store is asked in a sandboxed process, over what it held a few seconds ago at most.
    """
    values = given(param)
    chosen = Form.JSON if as_json else form
    answered(config, lambda analyst: analyst.free(sql, values, chosen), chosen, output)
