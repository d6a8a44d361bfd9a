"""Fields of a policy file, one kind of value after the other; what is wrong is noted at its place."""

from collections.abc import Collection
from typing import TypeAlias

from gateway.policy.problems import did_you_mean
from gateway.policy.source import Document, Loc, Value
from schemas.durations import seconds_in, written

Fields: TypeAlias = dict[str, Value]


def known_keys(document: Document, loc: Loc, fields: Fields, known: Collection[str]) -> None:
    """Notes every key of `fields` that is not among `known`."""
    for key in fields:
        if key not in known:
            document.fault((*loc, key), f"there is no `{key}` here{did_you_mean(key, known)}", key=True)


def text_at(document: Document, loc: Loc, fields: Fields, key: str) -> str:
    """The text under `key`, which `fields` at `loc` must have; '' where it is wrong."""
    value = fields.get(key)
    if isinstance(value, str) and value.strip():
        return value.strip()
    where = (*loc, key) if key in fields else loc
    document.fault(where, f"`{key}` must be text, and say something")
    return ""


def text_list(document: Document, loc: Loc, fields: Fields) -> tuple[str, ...]:
    """The texts at `loc`, which `fields` must have, at least one."""
    value = fields.get(str(loc[-1]))
    if isinstance(value, list) and value and all(isinstance(each, str) and each for each in value):
        return tuple(str(each) for each in value)
    document.fault(loc, f"`{loc[-1]}` must be a list of names, at least one")
    return ()


def number_at(document: Document, loc: Loc, fields: Fields, key: str, *, whole: bool) -> float | None:
    """The number over 0 under `key`; None where there is none, or it is wrong."""
    if key not in fields:
        return None
    value = fields[key]
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
        document.fault((*loc, key), f"must be a {'whole ' if whole else ''}number over 0")
        return None
    return float(value) if isinstance(value, float) else value


def seconds_at(document: Document, loc: Loc, fields: Fields, key: str, most: int) -> int | None:
    """The seconds of the duration under `key`, at most `most`; None where there is none, or it is wrong."""
    if key not in fields:
        return None
    value, at = fields[key], (*loc, key)
    try:
        seconds = seconds_in(value if isinstance(value, str) else "")
    except ValueError as error:
        document.fault(at, str(error))
        return None
    if seconds <= most:
        return seconds
    document.fault(at, f"is at most {written(most)}")
    return None
