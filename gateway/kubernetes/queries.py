"""A query as the API server reads it.

Source: net/url's ParseQuery, which leaves out what it cannot read, and the conversion of query values to options in
k8s.io/apimachinery/pkg/runtime/conversion.go: of a name that stands twice the first value counts, and every value
of a flag but `0` and `false` turns it on, the empty one too.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias
from urllib.parse import unquote_to_bytes

from gateway.kubernetes.problem import bad_target

Query: TypeAlias = Mapping[str, tuple[str, ...]]

_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Of which one value counts; `command`, `dryRun` and `ports` take several
_OPTIONS: Final = frozenset(
    {
        "allowWatchBookmarks",
        "container",
        "continue",
        "fieldManager",
        "fieldSelector",
        "fieldValidation",
        "follow",
        "force",
        "gracePeriodSeconds",
        "labelSelector",
        "limit",
        "orphanDependents",
        "pretty",
        "previous",
        "propagationPolicy",
        "resourceVersion",
        "resourceVersionMatch",
        "sendInitialEvents",
        "stderr",
        "stdin",
        "stdout",
        "timeoutSeconds",
        "tty",
        "watch",
    }
)


def read_query(query: str) -> Query:
    """The values of each name, in order. What the API server leaves out is left out; bytes that are no UTF-8 stand
    as lone surrogates."""
    found: dict[str, list[str]] = {}
    for part in query.split("&") if query else ():
        if not part or ";" in part or _BAD_PERCENT.search(part):
            continue
        name, _, value = part.partition("=")
        found.setdefault(_plain(name), []).append(_plain(value))
    return {name: tuple(values) for name, values in found.items()}


def check_query(query: str, values: Query, *, of_backend: bool = False) -> None:
    """Raises NotReadError for a query that another reader could take for another one. `of_backend`: it is for what
    stands behind the API server, whose options are its own."""
    if ";" in query or _BAD_PERCENT.search(query):
        raise bad_target(
            "the query holds a `;` or a `%` that some servers read and some leave out: write %3B, %25"
        )
    for name, given in values.items():
        if name in _OPTIONS and len(set(given)) > 1 and not of_backend:
            raise bad_target(f"the query says `{name}` twice, and not the same: keep one")
        if not all(_is_text(each) for each in (name, *given)):
            raise bad_target("the query holds bytes that are no UTF-8")


def first(values: Query, name: str) -> str:
    """The value that counts, '' when there is none."""
    given = values.get(name)
    return given[0] if given else ""


def flag(values: Query, name: str) -> bool:
    """Whether an option that is on or off is on."""
    given = values.get(name)
    return bool(given) and given[0] != "0" and given[0].casefold() != "false"  # type: ignore[index]


def _plain(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "surrogateescape")


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)
