"""The reference cannot rot: every setting, command and option is in it as the code has it, and nothing else is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sluicegate.cli.app import app
from sluicegate.settings import Settings, load
from sluicegate.settings.load import STARTER
from sluicegate.settings.shape import settings_in

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "reference" / "configuration.md").read_text("utf-8")
CLI = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SECRETS = {"KAFKA_PASSWORD": "k", "CLICKHOUSE_PASSWORD": "c", "TICKETS_TOKEN": "t", "HOSTNAME": "gw-1"}


def row(path: str, field: FieldInfo) -> str:
    """The line that the reference must have for a setting."""
    description = (field.description or "").replace("|", "\\|")  # a bare one would end the cell
    return f"| `{path}` | {shown_default(field.default)} | {description} |"


def shown_default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ((), {}, ""):
        return "–"
    if isinstance(value, tuple):
        return ", ".join(f"`{entry}`" if entry else "empty" for entry in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize(("path", "field"), list(settings_in(Settings)), ids=lambda value: str(value)[:60])
def test_a_setting_is_in_the_reference_with_its_default_and_meaning(path: str, field: FieldInfo) -> None:
    assert row(path, field) in CONFIGURATION.splitlines()


def test_the_reference_has_no_setting_that_is_gone() -> None:
    documented = re.findall(r"^\| `([a-z_.\[\]]+)` \|", CONFIGURATION, re.MULTILINE)
    assert sorted(documented) == sorted({path for path, _ in settings_in(Settings)})


def commands_in(group: Any, prefix: str = "sluicegate") -> Iterator[tuple[str, Any]]:
    """(words, command) of every command that does something."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:  # it does something itself
                yield f"{prefix} {name}", command
            yield from commands_in(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


COMMANDS = dict(commands_in(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_is_in_the_reference_with_all_its_options(words: str) -> None:
    _heading, _, rest = CLI.partition(f"\n## `{words}`\n")
    assert rest, f"docs/reference/cli.md has no heading ## `{words}`"
    section = rest.partition("\n## ")[0]
    for parameter in COMMANDS[words].params:
        for name in parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]:
            assert re.search(rf"`[^`\n]*(?<![\w-]){re.escape(name)}(?![\w-])[^`\n]*`", section), (
                f"{words}: {name} is not described"
            )


def test_the_reference_has_no_command_that_is_gone() -> None:
    assert re.findall(r"^## `(sluicegate [^`]+)`$", CLI, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_loads(file: Path) -> None:
    assert load(file, SECRETS).connections


def test_the_file_shown_in_the_reference_is_the_one_shown_to_a_new_user() -> None:
    assert re.findall(r"```yaml\n(.*?)```", CONFIGURATION, re.DOTALL) == [STARTER]
