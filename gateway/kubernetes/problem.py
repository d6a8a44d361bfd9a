"""Why a request is not read."""

from typing import Literal

ReasonCode = Literal["bad_target", "unreadable_request"]


class NotReadError(ValueError):
    """The request has two readings, or its body cannot be decoded; the text is for the client.

    `reason_code`: `bad_target` for the path or the query, `unreadable_request` for headers and the body.
    """

    def __init__(self, reason: str, reason_code: ReasonCode = "unreadable_request") -> None:
        super().__init__(reason)
        self.reason_code: ReasonCode = reason_code


def bad_target(reason: str) -> NotReadError:
    """The path or the query cannot be read."""
    return NotReadError(reason, "bad_target")
