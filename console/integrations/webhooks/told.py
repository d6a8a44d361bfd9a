"""The JSON that a webhook carries: `type`, `timestamp`, and the approval as `data`."""

import json
from datetime import UTC, datetime
from typing import Any

from console.integrations.showing import url_of
from console.standing import Standing, moment

ARGUMENTS_MAX = 64 * 1024


def told(standing: Standing, public_url: str, now: float) -> bytes:
    """`type`: approval.asked, approval.changed (still open) or approval.settled. Times are RFC 3339 in UTC."""
    document = {
        "type": _type(standing),
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
        "data": _data(standing, public_url),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _type(standing: Standing) -> str:
    if standing.state != "pending":
        return "approval.settled"
    return "approval.changed" if standing.settled and standing.settled["approvers"] else "approval.asked"


def _data(standing: Standing, public_url: str) -> dict[str, Any]:
    request, settled = standing.request, standing.settled
    names = ("approval_id", "kind", "connection", "method", "tool", "verb", "object", "rule", "reason")
    more = ("quorum", "comment_required", "hours", "grant_seconds", "uses_max", "bound", "policy_version")
    arguments = request["arguments"].decode("utf-8", "replace")
    return {
        **{name: request[name] for name in (*names, *more)},  # type: ignore[literal-required]
        "state": standing.state,
        "requester": {
            "issuer": request["principal_issuer"],
            "subject": request["principal_subject"],
            "groups": request["principal_groups"],
            "client_id": request["client_id"],
        },
        "arguments": arguments[:ARGUMENTS_MAX],
        "arguments_whole": len(arguments) <= ARGUMENTS_MAX,
        "argument_digest": request["argument_digest"],
        "requested_at": moment(request["requested_at"]).isoformat(),
        "expires_at": moment(request["expires_at"]).isoformat(),
        "approvers": settled["approvers"] if settled else [],
        "comment": settled["comment"] if settled else "",
        "review_due": standing.review_due,
        "url": url_of(public_url, request["approval_id"]),
    }
