"""Selectors, as far as they say which one object is meant.

Source: k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields/selector.go. Of fields: terms parted by `,`, with
the operators `!=`, `==` and `=`; in a value a backslash stands before a backslash, `,` and `=`. Of several terms on
one field the first in alphabetical order counts.
"""

import re
from typing import Final

_TERM: Final = re.compile(r"(?:[^\\,]|\\.?)*+", re.DOTALL)
_OPERATOR: Final = re.compile(r"!=|==|=")
_ESCAPED: Final = re.compile(r"\\([\\,=])")
_VALUE: Final = re.compile(r"(?:[^\\,=]|\\[\\,=])*+", re.DOTALL)


class SelectorError(ValueError):
    """The API server cannot read the selector either."""


def exact_name(selector: str) -> str:
    """The name that `metadata.name` must be equal to, '' where none is asked for. Raises SelectorError."""
    found = ""
    for field, operator, value in sorted_terms(selector):
        if field == "metadata.name" and operator != "!=":
            found = value
            break
    return found if is_path_segment(found) else ""


def sorted_terms(selector: str) -> list[tuple[str, str, str]]:
    """(field, operator, value) of each term, as the API server sorts them. Raises SelectorError."""
    return [_term(each) for each in sorted(_split(selector), key=_bytes) if each]


def is_path_segment(name: str) -> bool:
    """Whether a name can stand in a path."""
    return name not in (".", "..") and "/" not in name and "%" not in name


def _split(selector: str) -> list[str]:
    terms, at = [], 0
    while at <= len(selector):
        found = _TERM.match(selector, at)
        end = found.end() if found else at
        terms.append(selector[at:end])
        at = end + 1
    return terms


def _term(text: str) -> tuple[str, str, str]:
    operator = _OPERATOR.search(text)
    if operator is None or not _VALUE.fullmatch(text, operator.end()):
        raise SelectorError(f"cannot read {text!r} in a field selector")
    return text[: operator.start()], operator[0], _ESCAPED.sub(r"\1", text[operator.end() :])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# ---- labels: only whether the API server can read them, for a list that it cannot read has no name either

_NAME: Final = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
_DOMAIN: Final = r"(?:(?=[^/]{1,253}/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/)"
_KEY: Final = rf"{_DOMAIN}?{_NAME}"
_SPACE: Final = r"[ \t\r\n]*+"
_REQUIREMENT: Final = re.compile(
    rf"{_SPACE}(?:!{_SPACE}{_KEY}|{_KEY}(?:{_SPACE}(?:==|=|!=){_SPACE}{_NAME}?"
    rf"|{_SPACE}[<>]{_SPACE}[-+]?[0-9]{{1,18}}"
    rf"|[ \t\r\n]+(?:in|notin){_SPACE}\({_SPACE}{_NAME}?{_SPACE}(?:,{_SPACE}{_NAME}?{_SPACE})*\))?){_SPACE}"
)


def is_label_selector(selector: str) -> bool:
    """Whether the API server can read it."""
    at, end = 0, len(selector)
    while at < end:
        found = _REQUIREMENT.match(selector, at)
        if found is None or (found.end() < end and selector[found.end()] != ","):
            return not selector.strip(" \t\r\n")
        at = found.end() + 1
        if at == end:
            return False  # a comma ends it
    return True
