"""What a person sees of an approval, the same with every vendor: texts only, bounded, and inert.

Everything was masked before it was asked. What a caller may have written (a tool's name, arguments, a reason) can
neither command a terminal nor turn the direction of text; each vendor's package puts it where nothing is marked up.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from console.standing import Standing, called
from schemas.approvals import ApprovalRequest

FACT_CHARACTERS_MAX = 500
ARGUMENTS_CHARACTERS_MAX = 2_500
_ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

KINDS = {
    "call": "one call",
    "standing": "a standing grant",
    "access": "access",
    "break_glass": "a call at once",
}
TITLES = {
    "call": "{who} asks for a call on {where}",
    "standing": "{who} asks for a standing grant on {where}",
    "access": "{who} asks for access to {where}",
    "break_glass": "{who} broke the glass on {where}",
}
STATES = {
    "unread": "has not been taken up yet",
    "pending": "waits for a decision",
    "approved": "is approved",
    "denied": "is denied",
    "expired": "has expired",
    "revoked": "is revoked",
    "used": "was approved, and has run",
}


@dataclass(frozen=True, slots=True)
class View:
    """`arguments` are cut where `whole` is not; `open`: a decision can still be made; `url`: '' without a console."""

    approval_id: str
    title: str
    facts: tuple[tuple[str, str], ...]
    arguments: str
    whole: bool
    status: str
    open: bool
    comment_required: bool
    review_due: bool
    url: str


def view_of(standing: Standing, public_url: str, arguments_max: int = ARGUMENTS_CHARACTERS_MAX) -> View:
    """The view of an approval."""
    request = standing.request
    shown = inert(request["arguments"].decode("utf-8", "replace"), keep="\n\t")
    return View(
        approval_id=request["approval_id"],
        title=title(request),
        facts=tuple((name, line) for name, text in _facts(request) if (line := bounded(text).strip())),
        arguments=shown[:arguments_max],
        whole=len(shown) <= arguments_max,
        status=status(standing),
        open=standing.state == "pending",
        comment_required=request["comment_required"] or standing.review_due,
        review_due=standing.review_due,
        url=url_of(public_url, request["approval_id"]),
    )


def values_of(standing: Standing, public_url: str) -> dict[str, str]:
    """What a template may name: see `templates.NAMES`."""
    request = standing.request
    values = {
        "approval": request["approval_id"],
        "what": called(request) or KINDS[request["kind"]],
        "tool": request["tool"],
        "object": request["object"],
        "connection": request["connection"],
        "requester": requester(request),
        "rule": request["rule"],
        "reason": request["reason"],
        "kind": KINDS[request["kind"]],
        "needs": needs(request),
        "until": moment(request["expires_at"]),
        "url": url_of(public_url, request["approval_id"]),
    }
    return {name: bounded(text) for name, text in values.items()}


def said(standing: Standing) -> str:
    """What changes when those that were told should be told again."""
    settled = standing.settled
    agreed = len(settled["approvers"]) if settled else 0
    return f"{standing.state}:{agreed}" + (":review" if standing.review_due else "")


def title(request: ApprovalRequest) -> str:
    """One line."""
    names = {"who": requester(request), "where": request["connection"]}
    return bounded(TITLES[request["kind"]].format(**names), 140)


def status(standing: Standing) -> str:
    """One sentence: what holds, by whom, and why."""
    settled = standing.settled
    text = f"It {STATES[standing.state]}"
    if settled and settled["approvers"]:
        names = ", ".join(settled["approvers"])
        text += f" (agreed: {names})" if standing.state == "pending" else f" by {names}"
    if settled and settled["comment"] and standing.state != "pending":
        text += f": {settled['comment']}"
    if standing.review_due:
        text += ". Somebody has to review it"
    return bounded(text, 1_000)


def requester(request: ApprovalRequest) -> str:
    """Who asked."""
    return request["principal_subject"] or "somebody without a name"


def needs(request: ApprovalRequest) -> str:
    """Who has to agree."""
    return " and ".join(f"{part['people']} of {', '.join(part['reviewers'])}" for part in request["quorum"])


def moment(microseconds: int) -> str:
    """UTC, to the minute."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def url_of(public_url: str, approval_id: str) -> str:
    """Where the console shows it; '' without a console that people reach."""
    return f"{public_url.rstrip('/')}/approvals/{approval_id}" if public_url else ""


def bounded(text: str, characters_max: int = FACT_CHARACTERS_MAX) -> str:
    """One line, cut with a sign that it is."""
    line = inert(" ".join(text.splitlines()))
    return line if len(line) <= characters_max else line[: characters_max - 1] + "…"


def inert(text: str, keep: str = "") -> str:
    r"""Control, format and unassigned characters as `\u202e`, but those of `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{ord(each):04x}" if unicodedata.category(each) in _ESCAPED and each not in keep else each
        for each in text
    )


def _facts(request: ApprovalRequest) -> list[tuple[str, str]]:
    who = requester(request) + (f" ({request['principal_issuer']})" if request["principal_issuer"] else "")
    return [
        ("Who", who + (f", by {request['client_id']}" if request["client_id"] else "")),
        ("Connection", request["connection"]),
        ("What", called(request)),
        ("Rule", request["rule"]),
        ("Reason", request["reason"]),
        ("Grant", _grant(request)),
        ("Needs", needs(request)),
        ("Hours", request["hours"]),
        ("Until", moment(request["expires_at"])),
    ]


def _grant(request: ApprovalRequest) -> str:
    """What beyond one call is asked for."""
    parts = []
    if request["uses_max"] and request["kind"] == "standing":
        parts.append(f"{request['uses_max']} calls")
    if request["grant_seconds"]:
        parts.append(f"for {request['grant_seconds'] // 60} minutes")
    if request["bound"]:
        parts.append(f"where {request['bound']}")
    return " ".join(parts) if request["kind"] in ("standing", "access") else ""
