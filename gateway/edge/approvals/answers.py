"""What callers are told of their approvals over HTTP. Nothing of it may be stored on the way."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from gateway.held import Approval

RETRY_SECONDS = 5
_NO_STORE = {"Cache-Control": "no-store"}
_AS_ASKED = ("connection", "method", "tool", "verb", "object", "rule")


class ApprovalError(Exception):
    """A request that gets nothing. `code` is for programs and the record, `text` says what to do."""

    def __init__(self, status: int, code: str, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.status = status
        self.code = code
        self.text = text
        self.headers = dict(headers or {})


def refusal(error: ApprovalError) -> Response:
    """The error as JSON."""
    return JSONResponse({"error": error.code, "message": error.text}, error.status, _NO_STORE | error.headers)


def one(approval: Approval, status: int = 200) -> Response:
    """One approval; while it is pending with when to ask again, and where."""
    headers = dict(_NO_STORE)
    if approval.state == "pending":
        headers["Retry-After"] = str(RETRY_SECONDS)
    if status == 202:
        headers["Location"] = f"/approvals/{approval.approval_id}"
    return JSONResponse(shown(approval), status, headers)


def several(approvals: list[Approval]) -> Response:
    """Some approvals."""
    return JSONResponse({"approvals": [shown(each) for each in approvals]}, headers=_NO_STORE)


def shown(approval: Approval) -> dict[str, Any]:
    """An approval as its requester sees it."""
    return {
        "id": approval.approval_id,
        "state": approval.state,
        "kind": approval.kind,
        **{name: approval.attributes.get(name, "") for name in _AS_ASKED},
        "ends_at": datetime.fromtimestamp(approval.ends_at / 1_000_000, UTC).isoformat(),
        "uses_left": approval.uses_left if approval.uses_left >= 0 else None,
        "approvers": list(approval.approvers),
        "comment": approval.comment,
        "refusal": approval.refusal,
        "next": _next(approval),
    }


def _next(approval: Approval) -> str:
    if approval.state == "pending":
        return f"people are asked; look again in {RETRY_SECONDS} seconds"
    if approval.state != "approved":
        return "nothing can come of it any more"
    if approval.kind == "access":
        return "the connection can be used until it ends"
    return "make the same call again: it runs, once" if approval.kind != "standing" else "make the call again"
