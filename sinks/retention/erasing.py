"""Taking a person's data out of rows that stay: what names somebody, or says what was done, is emptied or replaced.

What was a person becomes `erased:` and twelve digits, the same in every row. Digests, places, times, connection,
method, tool, verdict and outcome stay: the row goes on to count, and its leaf goes on to be checked.
"""

from collections.abc import Iterable, Mapping, Sequence

from schemas.retention_content import Erasure, Hold, person_mark
from schemas.tombstones import Tombstone
from sinks.retention.due import held, of_people, of_session, text
from sinks.retention.erasing_beside import erase_alerts, erase_approvals, erase_findings, erase_index
from sinks.retention.store import Frames

Caller = tuple[str, str]
"""(issuer, subject)."""

MARK_DIGITS = 12
ERASED = "erased:"

_KEPT_FACTS = (
    "k8s.verb",
    "k8s.cluster.name",
    "k8s.objectRef.apiGroup",
    "k8s.objectRef.apiVersion",
    "k8s.objectRef.resource",
    "k8s.objectRef.subresource",
    "parent.exchange_id",
)
_EMPTIED = (
    "client_id",
    "peer",
    "user_agent",
    "http_headers",
    "mcp_session_id",
    "jsonrpc_id",
    "resource",
    "sse_event_id",
    "reason",
    "body",
    "body_salt",
)
_FACTS = ", ".join(f"'{name}'" for name in _KEPT_FACTS)
_REWRITTEN = ", ".join(
    [
        *(f"{name} = ''" for name in _EMPTIED),
        "principal_groups = []",
        "redactions = []",
        "http_path = splitByChar('?', http_path)[1]",
        f"attributes = mapFilter((name, fact) -> name IN ({_FACTS}), attributes)",
        "body_sha256 = body_sha256",
        "retained = 'erased'",
    ]
)


def pseudonym(key: bytes, caller: Caller) -> str:
    """What stands in the place of a caller's subject."""
    return ERASED + person_mark(key, *caller)[:MARK_DIGITS]


def callers_of(frames: Frames, key: bytes, erasure: Erasure) -> list[Caller]:
    """Who is meant: the callers in the store with this mark, or all of the session."""
    where = of_session(erasure.session_id, frames.table) if erasure.session_id else "1"
    asked = f"SELECT DISTINCT principal_issuer, principal_subject FROM {frames.table} WHERE {where}"
    found = [(str(issuer), str(subject)) for issuer, subject in frames.rows(asked)]
    real = [caller for caller in found if not caller[1].startswith(ERASED)]
    return [each for each in real if not erasure.person or person_mark(key, *each) == erasure.person]


def erasure_due(
    frames: Frames, erasure: Erasure, callers: Sequence[Caller], until: int, holds: Iterable[Hold]
) -> str:
    """Rows recorded until then (UTC in microseconds) that still say what is to be erased, and that nobody holds."""
    whose = of_session(erasure.session_id, frames.table) if erasure.session_id else of_people(callers)
    return (
        f"retained != 'erased' AND toUnixTimestamp64Micro(recorded_at) <= {until} AND {whose}"
        f" AND NOT {held(holds, frames.table)}"
    )


def erase_rows(frames: Frames, tombstones: Sequence[Tombstone], key: bytes, holds: Sequence[Hold]) -> None:
    """Rewrites the rows that `tombstones` name, but for those that are held, and what finds them."""
    named = named_in(frames, tombstones, key)
    free = f"retained != 'erased' AND NOT {held(holds, frames.table)}"
    if not any(
        frames.left(each, f"retained != 'erased' AND {held(holds, frames.table)}") for each in tombstones
    ):
        erase_index(frames, tombstones, named)
    frames.update(f"principal_subject = {_replaced(named)}, {_REWRITTEN}", tombstones, free)


def erase_beside(
    frames: Frames,
    erasure: Erasure,
    callers: Sequence[Caller],
    until_and_key: tuple[int, bytes],
    holds: Sequence[Hold],
) -> None:
    """Rewrites approvals and findings that name `callers`; not while somebody holds a row of theirs."""
    until, key = until_and_key
    if holds and frames.count(f"{of_people(callers)} AND {held(holds, frames.table)}"):
        return
    named = names_of(callers, key)
    erase_approvals(frames, named, erasure.session_id, until)
    erase_findings(frames, named, erasure.session_id, until)
    if erasure.person:
        erase_alerts(frames, named)


def named_in(frames: Frames, tombstones: Iterable[Tombstone], key: bytes) -> dict[Caller, str]:
    """What stands in the place of each caller's subject in these rows, but for those who have one already."""
    callers = {caller for each in tombstones for caller in frames.callers(each)}
    return names_of(callers, key)


def names_of(callers: Iterable[Caller], key: bytes) -> dict[Caller, str]:
    """What stands in the place of each caller's subject; nothing for those who have their mark already."""
    return {each: pseudonym(key, each) for each in sorted(callers) if not each[1].startswith(ERASED)}


def _replaced(named: Mapping[Caller, str]) -> str:
    """Their subject as it is from now on; of somebody who came between, nothing but that it is erased."""
    if not named:
        return "principal_subject"
    whole = "concat(principal_issuer, '|', principal_subject)"
    names = ", ".join(text(f"{issuer}|{subject}") for issuer, subject in named)
    marks = ", ".join(text(mark) for mark in named.values())
    return f"transform({whole}, [{names}], [{marks}], {text(ERASED)})"
