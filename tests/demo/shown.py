"""What README.md and the tutorial show: blocks of configuration, output and commands."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
_COMMAND = re.compile(r"\.venv/bin/sluicegate ((?:\"[^\"]*\"|[^\n`#|)])+)")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language; '' for those of none."""
    fenced = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [content for found, content in fenced if found == language]


def lines_in(output: str) -> set[str]:
    """Lines of the demo's output, without the pseudonyms, which differ from one data directory to the next."""
    return {re.sub(r"\[masked:([\w-]+):\w+\]", r"[masked:\1]", line).rstrip() for line in output.splitlines()}


def lines_shown_in_readme() -> set[str]:
    """Lines that README.md says the demo prints."""
    _, told, table = blocks(README, "")
    return lines_in(told + table)


def commands(text: str) -> list[list[str]]:
    """The words after `sluicegate` of every command shown."""
    return [shlex.split(found) for found in _COMMAND.findall(text)]
