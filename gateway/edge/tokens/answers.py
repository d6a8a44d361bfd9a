"""Answers of the OAuth endpoints. Nothing of them may be stored on the way. Source: RFC 6749, 5.1 and 5.2."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
UNAVAILABLE = "temporarily_unavailable"


class OAuthError(Exception):
    """A request gets no token. `code` is the protocol's error, `text` says what to do; neither holds a token.

    `reason_code` is the gateway's own word for the record.
    """

    def __init__(self, code: str, text: str, status: int = 400, *, reason_code: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status
        self.reason_code = reason_code or code


def answer(content: Mapping[str, Any] | None) -> Response:
    """200, with `content` as JSON or nothing."""
    if content is None:
        return Response(status_code=200, headers=_NO_STORE)
    return JSONResponse(dict(content), headers=_NO_STORE)


def refusal(error: OAuthError) -> Response:
    """The error as RFC 6749, 5.2 has it; 503 says when to come again."""
    headers = dict(_NO_STORE)
    if error.status == 503:
        headers["Retry-After"] = "1"
    body = {"error": error.code, "error_description": _plain(error.text)}
    return JSONResponse(body, error.status, headers)


def audit_unavailable() -> OAuthError:
    """Nothing happens that cannot be recorded (G3)."""
    text = "the request could not be recorded, so nothing was done; try again"
    return OAuthError(UNAVAILABLE, text, 503, reason_code="audit_unavailable")


def _plain(text: str) -> str:
    r"""Only what RFC 6749 allows in a description: printable ASCII without `"` and `\`."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" if c == '"' else "?" for c in text)
