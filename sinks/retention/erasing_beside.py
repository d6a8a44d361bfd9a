"""What else the store knows of a person: the index of exchanges, sealed originals, approvals and findings.

These rows are no leaves of the tree of topic `audit`: they are rewritten without tombstones, and the record of the
erasure stands for them. What somebody did as an operator or reviewer stays: it is the record of what was done to
others, and to the trail.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.tombstones import Tombstone
from sinks.retention.due import in_runs, text
from sinks.retention.store import Frames, run_of

Named = Mapping[tuple[str, str], str]
"""(issuer, subject) → what stands in the place of the subject."""

_APPROVALS: Final = {
    "approvals_requested_stored": "principal_groups = [], client_id = '', object = '', reason = ''",
    "approvals_settled_stored": "comment = ''",
}


def erase_index(frames: Frames, tombstones: Sequence[Tombstone], named: Named) -> None:
    """The index of these rows, and the originals sealed of them; before the rows themselves are rewritten."""
    rows = f"FROM {frames.table} WHERE {in_runs(map(run_of, tombstones))}"
    frames.command(
        f"ALTER TABLE {frames.database}.sealed_stored DELETE WHERE frame_id IN (SELECT frame_id {rows})"
    )
    for (issuer, subject), mark in named.items():
        whose = f"principal_issuer = {text(issuer)} AND principal = {text(subject)}"
        frames.command(
            f"ALTER TABLE {frames.database}.exchanges_index UPDATE principal = {text(mark)}, groups = [],"
            f" resource = '' WHERE exchange_id IN (SELECT exchange_id {rows}) AND {whose}"
        )


def erase_approvals(frames: Frames, named: Named, session_id: str, until: int) -> None:
    """What these callers asked for until then (UTC in microseconds); of a session, what was asked for in it."""
    for table, emptied in _APPROVALS.items():
        at = "requested_at" if table == "approvals_requested_stored" else "at"
        inside = _approvals_of(frames, session_id)
        for (issuer, subject), mark in named.items():
            whose = f"principal_issuer = {text(issuer)} AND principal_subject = {text(subject)}"
            frames.command(
                f"ALTER TABLE {frames.database}.{table} UPDATE principal_subject = {text(mark)}, {emptied}"
                f" WHERE {whose} AND toUnixTimestamp64Micro({at}) <= {until} AND {inside}"
            )


def erase_findings(frames: Frames, named: Named, session_id: str, until: int) -> None:
    """Findings about these callers until then: their name is replaced wherever it stands."""
    table = f"{frames.database}.finding_acts_stored"
    inside = f"attributes['session_id'] = {text(session_id)}" if session_id else "1"
    for (issuer, subject), mark in named.items():
        old, new = text(subject), text(mark)
        whose = f"attributes['principal_subject'] = {old}"
        if issuer:
            whose += f" AND attributes['principal_issuer'] IN ('', {text(issuer)})"
        frames.command(
            f"ALTER TABLE {table} UPDATE title = replaceAll(title, {old}, {new}),"
            f" evidence = arrayMap(each -> replaceAll(each, {old}, {new}), evidence),"
            f" attributes = mapApply((name, fact) -> (name, replaceAll(fact, {old}, {new})), attributes)"
            f" WHERE {whose} AND toUnixTimestamp64Micro(raised_at) <= {until} AND {inside}"
        )


def erase_alerts(frames: Frames, named: Named) -> None:
    """What alerts told of these callers: the name in what each letter was about."""
    table = f"{frames.database}.alerts_stored"
    for (_issuer, subject), mark in named.items():
        old, new = text(subject), text(mark)
        frames.command(
            f"ALTER TABLE {table} UPDATE letters ="
            f" arrayMap(each -> (replaceAll(each.1, {old}, {new}), each.2, each.3), letters)"
            f" WHERE arrayExists(each -> position(each.1, {old}) > 0, letters)"
        )


def _approvals_of(frames: Frames, session_id: str) -> str:
    if not session_id:
        return "1"
    asked = f"{frames.database}.approvals_requested_stored WHERE session_id = {text(session_id)}"
    return f"approval_id IN (SELECT approval_id FROM {asked})"
