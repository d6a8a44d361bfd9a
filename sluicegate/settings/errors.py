"""What is wrong with a configuration: problems that say where, what, and what to do. Never a value."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of the file. `line` and `column` count from 1; 0 when the fault is the file as a whole."""

    line: int
    column: int
    text: str


class SettingsError(Exception):
    """The configuration cannot be used. `str()` gives one line a problem, `file:line:column: what to do`."""

    def __init__(self, file: Path, problems: list[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(self._line(problem) for problem in self.problems))

    def _line(self, problem: Problem) -> str:
        if problem.line == 0:
            return f"{self.file}: {problem.text}"
        return f"{self.file}:{problem.line}:{problem.column}: {problem.text}"
