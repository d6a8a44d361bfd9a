"""Whatever goes wrong, as RFC 9457 has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.errors import DeskError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_STATUS = {"not_found": 404, "refused": 409, "unavailable": 503}


@dataclass
class Problem(Exception):  # noqa: N818 (the RFC's word)
    """An answer that is no success. `code` names the kind; `detail` is for people."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer."""
        content = {
            "type": f"urn:sluicegate:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        return Response(json.dumps(content), self.status, dict(self.headers), MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """There is none, or the caller may not know of it: the answer is the same."""
    return Problem(404, "not_found", f"there is no such {what}")


def invalid(detail: str) -> Problem:
    """The request says something that cannot be meant."""
    return Problem(400, "invalid", detail)


def of_desk(error: DeskError) -> Problem:
    """What the desk said."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if error.reason == "unavailable" else {}
    return Problem(_STATUS[error.reason], error.reason, str(error), headers)


async def on_problem(_: Request, error: Exception) -> Response:
    """For Starlette: a Problem as it is."""
    assert isinstance(error, Problem)
    return error.response()


async def on_desk_error(_: Request, error: Exception) -> Response:
    """For Starlette: what the desk said."""
    assert isinstance(error, DeskError)
    return of_desk(error).response()


async def on_http_error(_: Request, error: Exception) -> Response:
    """For Starlette: no such path, or no such method there."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid")
    return Problem(error.status_code, code, error.detail, error.headers or {}).response()
