"""What conditions may call beside CEL's own: pure, in time proportional to their text, which has a limit.

Where databases read SQL in different ways, a statement is reported that any of them would run. Raised errors make the
condition fail, and the call is denied.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from gateway.policy.shell import shell_commands

CHARACTERS_MAX: Final = 50_000
PATH_CHARACTERS_MAX: Final = 4_096

_COMMON = r"""
  | --(?=\s|$)[^\n]*+                    # MySQL takes `--` for a comment only before a space
  | /\*(?![!M])(?:[^*]|\*(?!/))*+(?:\*/)?  # not /*! … */, which MySQL runs
  | (?P<word>[A-Za-z_][A-Za-z0-9_$]*+)
  | (?P<sign>[;()])
"""
# A backslash before a quote ends nothing in MySQL, and nothing special in standard SQL: both readings are taken.
_READINGS: Final = tuple(
    re.compile(quoted + _COMMON, re.VERBOSE | re.DOTALL)
    for quoted in (
        r"""'(?:[^']|'')*+'?|"(?:[^"]|"")*+"?|`[^`]*+`?""",
        r"""'(?:[^'\\]|''|\\.)*+'?|"(?:[^"\\]|""|\\.)*+"?|`[^`]*+`?""",
    )
)
_INNER: Final = frozenset(
    {
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "DROP",
        "TRUNCATE",
        "ALTER",
        "CREATE",
        "GRANT",
        "REVOKE",
        "EXECUTE",
    }
)
_BEFORE_INNER: Final = frozenset(
    {"(", ")", "AS", "THEN", "ELSE", "BEGIN", "LOOP", "ANALYZE", "VERBOSE", "EXPLAIN"}
)
_ALSO_FUNCTIONS: Final = frozenset({"INSERT", "TRUNCATE"})
_NARROWED: Final = frozenset({"DELETE", "UPDATE"})


def sql_verbs(text: str) -> list[str]:
    """The first word of every statement in `text`, and of those within (CTEs, blocks), in capitals, each once.

    A DELETE or UPDATE without a WHERE of its own adds `DELETE_ALL` or `UPDATE_ALL`. Comments and quoted texts are
    skipped; what MySQL runs within /*! … */ and what stands between dollar quotes is not.
    """
    return list(_sql_verbs(bounded(text)))


@lru_cache(maxsize=16)  # several rules ask about the same text, one after the other
def _sql_verbs(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for reading in _READINGS if "\\" in text else _READINGS[:1]:
        for statement in _statements(reading, text):
            found.update(dict.fromkeys(_verbs(statement)))
    return tuple(found)


def _statements(reading: re.Pattern[str], text: str) -> Iterator[list[str]]:
    """The words and parentheses of each statement, in capitals."""
    statement: list[str] = []
    for match in reading.finditer(text):
        word = match["word"] or match["sign"]
        if word == ";":
            yield statement
            statement = []
        elif word:
            statement.append(word.upper())
    yield statement


def _verbs(words: list[str]) -> Iterator[str]:
    narrowed = _narrowed(words)
    before = ""
    for at, word in enumerate(words):
        if word != "(" and (not before or (word in _INNER and before in _BEFORE_INNER)):
            called = before and word in _ALSO_FUNCTIONS and words[at + 1 : at + 2] == ["("]
            if word != ")" and not called:
                yield word
                if word in _NARROWED and not narrowed[at]:
                    yield f"{word}_ALL"
        if word != "(" or before:
            before = word


def _narrowed(words: list[str]) -> list[bool]:
    """For each word, whether a WHERE follows it within the same parentheses."""
    answers = [False] * len(words)
    seen = [False]  # one flag for each open parenthesis, read from the end
    for at in range(len(words) - 1, -1, -1):
        if words[at] == ")":
            seen.append(False)
        elif words[at] == "(":
            if len(seen) > 1:
                seen.pop()
            else:
                seen[0] = False
        elif words[at] == "WHERE":
            seen[-1] = True
        answers[at] = seen[-1]
    return answers


def path_within(path: str, root: str) -> bool:
    """Whether `path` is `root` or below it, by its text alone: no link is followed, no file looked at.

    Only absolute paths can be; `file://` is taken off, `.`, `..` and backslashes are resolved; a path with a percent
    sign or a control character is never within.
    """
    plain = _absolute(bounded(path, PATH_CHARACTERS_MAX))
    base = _absolute(root)
    return bool(plain and base) and (plain == base or plain.startswith(base.rstrip("/") + "/"))


def _absolute(path: str) -> str:
    plain = path.removeprefix("file://").replace("\\", "/")
    if not plain.startswith("/") or "%" in plain or not plain.isprintable():
        return ""
    return "/" + posixpath.normpath(plain).lstrip("/")


def path_parts(path: str) -> list[str]:
    r"""The names in a path, in lower case, cut at `/` and `\`; those of a %-decoded path too."""
    plain = bounded(path, PATH_CHARACTERS_MAX).removeprefix("file://")
    readings = (plain, unquote(plain)) if "%" in plain else (plain,)
    return [part for each in readings for part in re.split(r"[/\\]", each.lower()) if part]


def name_parts(text: str) -> list[str]:
    """The words of a name such as `pods,secrets` or `core/v1/Secret`: letters, digits, `_`, `-`; in lower case."""
    return re.findall(r"[a-z0-9_-]+", bounded(text).lower())


def bounded(text: str, characters_max: int = CHARACTERS_MAX) -> str:
    """`text` itself. Raises ValueError for what is no text, or longer."""
    if not isinstance(text, str) or len(text) > characters_max:
        raise ValueError(f"takes text of at most {characters_max} characters")
    return text


BY_NAME: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "sql_verbs": sql_verbs,
        "path_within": path_within,
        "path_parts": path_parts,
        "name_parts": name_parts,
        "shell_commands": lambda text: shell_commands(bounded(text)),
    }
)
