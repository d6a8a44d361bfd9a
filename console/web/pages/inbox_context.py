"""What somebody looks at before a decision: what the session did before, and how requests like it ended."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.api.shapes import time_text
from console.integrations.showing import requester
from console.sight import Sight
from console.standing import Standing
from schemas.approvals import ApprovalRequest

LIKE_ROWS = 5
CALL_ROWS = 8

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Like:
    """Requests for the same call of the same connection. `what` says what makes them alike; `counts` is by state."""

    what: str
    counts: Mapping[str, int]
    rows: Sequence[Json]


def like(standing: Standing, others: Iterable[Standing], sight: Sight) -> Like:
    """Those that the person may see, the latest first: of the same object, or of the same tool where there are none
    of the same object."""
    same = [each for each in others if _alike(each.request, standing.request) and sight.sees(each)]
    found = [each for each in same if each.approval_id != standing.approval_id]
    exact = [each for each in found if each.request["object"] == standing.request["object"]]
    asked = standing.request
    what = " ".join(filter(None, (asked["tool"] or asked["method"], asked["verb"])))
    if exact and asked["object"]:
        found, what = exact, f"{what} {asked['object']}"
    counts = Counter(each.state for each in found)
    return Like(
        f"{what} on {asked['connection']}".strip(), dict(counts), [_row(e) for e in found[:LIKE_ROWS]]
    )


def _alike(one: ApprovalRequest, other: ApprovalRequest) -> bool:
    return all(one[name] == other[name] for name in ("connection", "method", "tool", "verb", "kind"))


def _row(standing: Standing) -> Json:
    last = next((turn for turn in reversed(standing.history) if turn.who and not turn.refusal), None)
    return {
        "id": standing.approval_id,
        "state": standing.state,
        "requester": requester(standing.request),
        "requested_at": time_text(standing.request["requested_at"]),
        "object": standing.request["object"],
        "who": last.who if last else "",
        "comment": last.comment if last else "",
    }


def before(exchanges: Sequence[Mapping[str, Any]], exchange_id: str) -> list[Mapping[str, Any]]:
    """The last calls of a session before this one, the latest first; of exchanges in order."""
    ids = [str(each["exchange_id"]) for each in exchanges]
    end = ids.index(exchange_id) if exchange_id in ids else len(ids)
    return list(reversed(exchanges[max(0, end - CALL_ROWS) : end]))
