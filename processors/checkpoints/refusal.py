"""Why a history is not signed, and the finding that says so."""

from typing import Literal

from schemas.findings import FindingRecord, finding_record

RULE = "checkpoint-refused"
BEGUN = "checkpoint-log-begun"
ANCHOR = "checkpoint-anchor-failing"

Why = Literal["smaller-end", "hole", "changed", "rolled-back", "forked", "foreign-key", "unreadable"]

TITLES: dict[Why, str] = {
    "smaller-end": "has fewer records than were signed",
    "hole": "lacks records",
    "changed": "holds other records than were signed",
    "rolled-back": "has fewer checkpoints than were signed",
    "forked": "was signed in two versions",
    "foreign-key": "has checkpoints of a key that is not ours",
    "unreadable": "was signed from this machine, and what is kept of that cannot be read",
}


class RefusedError(Exception):
    """What was read does not agree with what was signed. Nothing is signed for this partition."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why: Why = why
        self.detail = detail


def refused(origin: str, partition: int, fault: RefusedError, at: int) -> FindingRecord:
    """The finding; the same one for as long as a log is refused for the same reason. `at`: UTC in microseconds."""
    title = f"audit-{partition} {TITLES[fault.why]}; no checkpoint is signed for it"
    evidence = [f"log: {origin}", f"partition: audit-{partition}", fault.detail]
    attributes = {"explanation": fault.detail, "feature": fault.why, "value": origin}
    name = f"{origin}/{fault.why}"
    return finding_record(RULE, "critical", title, evidence, raised_at=at, name=name, attributes=attributes)


def begun(origin: str, partition: int, base_offset: int, before: str, at: int) -> FindingRecord:
    """A log begins where another one was: who changed the name on purpose knows, and nobody else should."""
    title = f"a new log begins at offset {base_offset} of audit-{partition}, which had another one before"
    evidence = [f"log: {origin}", f"before: {before}", f"partition: audit-{partition}"]
    name = f"{origin}/{base_offset}"
    return finding_record(BEGUN, "high", title, evidence, raised_at=at, name=name)


def anchor_failing(place: str, kind: str, fault: str, at: int, *, since: int) -> FindingRecord:
    """A place outside takes no checkpoints; one finding a day and place. Times are UTC in microseconds."""
    title = f"checkpoints do not reach the anchor {place}"
    evidence = [f"anchor: {kind} {place}", f"fault: {fault}"]
    day = since // 86_400_000_000
    return finding_record(ANCHOR, "high", title, evidence, raised_at=at, name=f"{place}/{day}")
