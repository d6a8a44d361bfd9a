"""Shell lines as commands, for rules on tools that run them."""

import re
from typing import Final

_DEPTH_MAX: Final = 3
_RUNS: Final = frozenset({"-c", "-lc", "-ec", "eval"})
_TOKEN = re.compile(
    r"""
    '(?P<single>[^']*+)'?
  | "(?P<double>(?:[^"\\]|\\.)*+)"?
  | \\(?P<escaped>.)
  | (?P<end>[;|&\n()`])
  | (?P<space>\s+)
  | (?P<plain>[^\s'"\\;|&()`]++)
    """,
    re.VERBOSE | re.DOTALL,
)


def shell_commands(text: str) -> list[list[str]]:
    """The commands of a shell line, each as its words without quotes, in time proportional to the line.

    Those within quotes that a shell would run are among them: after `-c` and `eval`, in `$(…)` and backticks, three
    deep. Variables, here-documents and files are not followed.
    """
    commands: list[list[str]] = []
    lines = [text]
    for _ in range(_DEPTH_MAX):
        within: list[str] = []
        for line in lines:
            commands += _commands(line, within)
        lines = within
    return commands


def _commands(line: str, within: list[str]) -> list[list[str]]:
    """The commands of one line; quoted texts that a shell would run go to `within`."""
    commands: list[list[str]] = [[]]
    word: str | None = None
    for match in _TOKEN.finditer(line + "\n"):
        kind = str(match.lastgroup)
        if kind not in ("end", "space"):
            word = (word or "") + match[kind]
            if kind == "double" and ("$(" in match[kind] or "`" in match[kind]):
                within.append(match[kind])
            continue
        if word is not None:
            if " " in word and commands[-1] and commands[-1][-1] in _RUNS:
                within.append(word)
            commands[-1].append(word)
            word = None
        if kind == "end":
            commands.append([])
    return [command for command in commands if command]
