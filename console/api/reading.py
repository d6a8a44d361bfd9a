"""What a request says: query parameters and JSON bodies, nothing of which is guessed."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request

from console.api.problems import Problem, invalid, not_found
from console.api.shapes import time_of

Body = TypeVar("Body")


async def body_of(request: Request, shape: type[Body]) -> Body:
    """The JSON body as `shape`, a msgspec.Struct. Raises Problem."""
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.ValidationError as error:
        raise Problem(422, "invalid", str(error)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid(f"the body is no JSON: {error}") from None


def check_names(request: Request, known: Collection[str]) -> None:
    """Raises Problem for a parameter that is misspelt: a filter that is not heard of shows too much."""
    if unknown := sorted(set(request.query_params) - set(known)):
        raise invalid(f"there is no parameter {unknown[0]}; there are {', '.join(sorted(known))}")


def chosen(request: Request, name: str, allowed: Collection[str]) -> frozenset[str] | None:
    """All values of a parameter that may be repeated; None when it is not there. Raises Problem."""
    values = frozenset(request.query_params.getlist(name))
    if unknown := sorted(values - set(allowed)):
        raise invalid(f"{name} is none of {', '.join(allowed)}: {unknown[0]}")
    return values or None


def flag(request: Request, name: str) -> bool:
    """`true` or `false`, by default false. Raises Problem."""
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise invalid(f"{name} is true or false")
    return value == "true"


def number(request: Request, name: str, default: int, most: int) -> int:
    """1 to `most`. Raises Problem."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise invalid(f"{name} is a number from 1 to {most}")
    return int(text)


def moment_of(request: Request, name: str) -> int | None:
    """UTC in microseconds. Raises Problem."""
    text = request.query_params.get(name)
    try:
        return None if text is None else time_of(text)
    except (ValueError, OverflowError):
        raise invalid(f"{name} is a time such as 2026-07-28T12:00:00Z") from None


def id_of(request: Request, what: str) -> str:
    """The id in the path. Raises Problem for what cannot be one."""
    try:
        return str(UUID(request.path_params["id"]))
    except ValueError:
        raise not_found(what) from None
