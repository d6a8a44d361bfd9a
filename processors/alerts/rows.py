"""The rows of the worker's table: plain JSON values under keys that begin with their kind."""

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

LETTER, TARGET, FINDING, SILENCE, ANSWERS = "letter", "target", "finding", "silence", "answers"


@dataclass(frozen=True, slots=True)
class Target:
    """One URL of a route."""

    route: str
    url: int

    @property
    def key(self) -> str:
        """Key of its row: when it was told, and since when it fails."""
        return f"{TARGET}/{self.url}/{self.route}"

    def letter_key(self, letter: str) -> str:
        """Key of the row of what is to be told of one rule and one principal."""
        return f"{LETTER}/{self.url}/{self.route}/{letter}"


def new_letter(target: Target, letter: str, rule: str, principal: str, now: int) -> Row:
    """Nothing to tell yet; it may go out from `now` on."""
    whose = {"route": target.route, "url": target.url, "letter": letter, "rule": rule, "principal": principal}
    return {"kind": LETTER, **whose, "lines": [], "more": 0, "due": now}


def new_target(target: Target) -> Row:
    """A URL that was never told anything. `sent`: when it was, within the last hour; `failing`: since when, or 0."""
    return {
        "kind": TARGET,
        "route": target.route,
        "url": target.url,
        "sent": [],
        "failing": 0,
        "tries": 0,
        "next": 0,
        "told": False,
        "fault": "",
    }


def finding_key(finding_id: str) -> str:
    """Key of the row that says that a finding was seen."""
    return f"{FINDING}/{finding_id}"


def silence_row_key(target: str) -> str:
    """Key of the row of a silence, from its key on topic `control`."""
    return f"{SILENCE}/{target}"
