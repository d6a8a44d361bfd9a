"""What is wrong with a policy file: every fault with its place, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault. `line` and `column` count from 1; (0, 0) is the file as a whole."""

    line: int
    column: int
    text: str

    def told(self, file: Path) -> str:
        """`file:line:column: text`, as editors and compilers write it."""
        return f"{file}:{self.line}:{self.column}: {self.text}" if self.line else f"{file}: {self.text}"


class PolicyError(Exception):
    """A policy file that is not put in force. Its text has one line for each problem, in the file's order."""

    def __init__(self, file: Path, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.told(file) for problem in self.problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean `x`?`, or the words there are when none is close."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; there are {', '.join(names)}" if names else ""
