"""What a client sees of our records: JSON members as the OpenAPI document has them. Times are RFC 3339 in UTC."""

from datetime import UTC, datetime
from typing import Any

from console.delegations import Given
from console.directory import Person
from console.sight import Sight
from console.standing import MICROSECONDS, Standing, Turn, called
from schemas.approvals import ANY_NUMBER

Json = dict[str, Any]


def summary(standing: Standing, sight: Sight) -> Json:
    """An approval in a list. `you` is what the one who asks has to do with it."""
    request, settled = standing.request, standing.settled
    uses_left = settled["uses_left"] if settled else 0
    return {
        "id": standing.approval_id,
        "state": standing.state,
        "kind": request["kind"],
        "requested_at": time_text(request["requested_at"]),
        "ends_at": time_text(standing.ends_at),
        "requester": {
            "issuer": request["principal_issuer"],
            "subject": request["principal_subject"],
            "groups": request["principal_groups"],
            "client_id": request["client_id"],
        },
        "connection": request["connection"],
        "call": called(request),
        "rule": request["rule"],
        "reason": request["reason"],
        "comment_required": request["comment_required"],
        "hours": request["hours"],
        "quorum": [dict(part) for part in request["quorum"]],
        "approvers": settled["approvers"] if settled else [],
        "uses_left": None if uses_left == ANY_NUMBER else uses_left,
        "review_due_at": _maybe(settled["review_due_at"] if settled else None),
        "reviewed_by": settled["reviewed_by"] if settled else "",
        "you": _you(standing, sight),
    }


def whole(standing: Standing, sight: Sight) -> Json:
    """An approval with the exact call and all that was said."""
    request = standing.request
    names = ("method", "tool", "verb", "object", "exchange_id", "session_id", "policy_version", "bound")
    return {
        **summary(standing, sight),
        **{name: request[name] for name in names},  # type: ignore[literal-required]
        "arguments": request["arguments"].decode("utf-8", "replace"),
        "digest": request["argument_digest"],
        "expires_at": time_text(request["expires_at"]),
        "grant_seconds": request["grant_seconds"],
        "uses_max": request["uses_max"],
        "break_glass_groups": request["break_glass_groups"],
        "history": [_turn(turn) for turn in standing.history],
    }


def delegation(given: Given) -> Json:
    """A delegation."""
    inner = given.delegation
    return {
        "id": given.delegation_id,
        "from": {"issuer": inner["from_issuer"], "subject": inner["from_subject"]},
        "to": {"issuer": inner["to_issuer"], "subject": inner["to_subject"]},
        "groups": inner["from_groups"],
        "from_at": time_text(inner["from_at"]),
        "until": time_text(inner["until_at"]),
        "reason": given.reason,
    }


def person(who: Person) -> Json:
    """Somebody who is configured."""
    return {
        "issuer": who.issuer,
        "subject": who.subject,
        "groups": list(who.groups),
        "aliases": list(who.aliases),
    }


def time_text(micros: int) -> str:
    """`2026-07-28T12:00:00.000000Z`."""
    moment = datetime.fromtimestamp(micros / MICROSECONDS, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_of(text: str) -> int:
    """UTC in microseconds. Raises ValueError for anything but RFC 3339 with its offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text:
        raise ValueError(text)
    return int(moment.timestamp() * MICROSECONDS)


def _you(standing: Standing, sight: Sight) -> Json:
    given = sight.instead_of(standing)
    return {
        "asked": sight.asked(standing),
        "review": sight.reviews(standing) or given is not None,
        "waits": sight.waits(standing),
        "delegation_id": given.delegation_id if given else None,
    }


def _turn(turn: Turn) -> Json:
    return {
        "version": turn.version,
        "at": time_text(turn.at),
        "state": turn.state,
        "verb": turn.verb,
        "who": turn.who,
        "instead_of": turn.instead_of,
        "comment": turn.comment,
        "refusal": turn.refusal,
        "use_id": turn.use_id,
    }


def _maybe(micros: int | None) -> str | None:
    return None if micros is None else time_text(micros)
