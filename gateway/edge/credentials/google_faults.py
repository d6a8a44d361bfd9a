"""What went wrong with Google, in words for the client and the record; and for the log, what Google said."""

import json
import re
from collections.abc import Iterator
from typing import Any

from google.auth.exceptions import TransportError
from urllib3.exceptions import TimeoutError as OutOfTimeError

from gateway.edge.credentials.injector import CredentialError

SKEW_TOLD_SECONDS = 120.0  # Google takes assertions that are some minutes off
_CODE = re.compile(r"[A-Za-z_]{1,60}")
_DETAIL_CHARACTERS_MAX = 500


def fault_of(error: BaseException, status: int, skew_seconds: float) -> CredentialError:
    """`status`: of Google's last answer; `skew_seconds`: by how much its clock was ahead then."""
    causes = list(_causes(error))
    if any(isinstance(cause, OutOfTimeError) for cause in causes):
        return CredentialError("Google did not answer in time")
    answer = next((found for cause in causes for found in _answers(cause)), None)
    if answer is not None:
        code, description = _said(answer)
        return CredentialError(f"Google refused a token ({code}){_clock(skew_seconds)}", description)
    if any(isinstance(cause, TransportError) for cause in causes):
        last = type(causes[-1]).__name__
        if last != "TransportError":
            return CredentialError(f"Google cannot be reached ({last})")
    return CredentialError(f"Google gave no token (status {status}){_clock(skew_seconds)}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _answers(error: BaseException) -> Iterator[dict[str, Any]]:
    """What Google answered, as google-auth keeps it in its exceptions: read, or as text."""
    for part in error.args:
        found = part
        if isinstance(part, str) and part.lstrip().startswith("{"):
            try:
                found = json.loads(part)
            except ValueError:
                continue
        if isinstance(found, dict) and "error" in found:
            yield found


def _said(answer: dict[str, Any]) -> tuple[str, str]:
    """(code, description) of an error of OAuth, or of an API of Google."""
    error = answer["error"]
    if isinstance(error, dict):
        code, description = error.get("status"), error.get("message")
    else:
        code, description = error, answer.get("error_description")
    known = isinstance(code, str) and _CODE.fullmatch(code)
    return str(code) if known else "it did not say why", str(description or "")[:_DETAIL_CHARACTERS_MAX]


def _clock(skew_seconds: float) -> str:
    """In whole minutes, so that a fault that lasts is told once."""
    if abs(skew_seconds) < SKEW_TOLD_SECONDS:
        return ""
    way = "behind" if skew_seconds > 0 else "ahead of"
    return f"; the gateway's clock is {abs(skew_seconds) / 60:.0f} minutes {way} Google's"
