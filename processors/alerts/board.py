"""What is to be told to whom, and how it went: all rows in memory, and those that changed. Pure; time is given.

A letter collects the findings of one rule and one principal for one URL. It goes out at once; what follows within
the route's time is collected in the next. Where a URL has been told as often as it may be within an hour, the last
message tells all that waits in one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from processors.alerts.matching import DELIVERY_FAILED, principal_of, silences, wants
from processors.alerts.rows import (
    FINDING,
    LETTER,
    SILENCE,
    Row,
    Target,
    finding_key,
    new_letter,
    new_target,
    silence_row_key,
)
from processors.alerts.settings import AlertSettings, Route, Silence
from schemas.alerts import AlertAttempt, LetterTold
from schemas.control import ControlRecord, silenced_rule
from schemas.findings import SEVERITIES, FindingRecord, finding_record

SECOND = 1_000_000
HOUR = 3_600 * SECOND
LINES_MAX = 20
LETTERS_MAX = 1_000  # of one URL; what comes beyond shares a letter
FINDINGS_MAX = 50_000
FINDINGS_KEPT = 7 * 24 * HOUR
LETTERS_TOLD_MAX = 500  # in one message
OTHERS = "*"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to one URL: these letters, as they were when it was made."""

    target: Target
    route: Route
    letters: tuple[Row, ...]
    made_at: int
    held_back: bool = False

    def told(self) -> list[LetterTold]:
        """What an attempt says of it."""
        return [
            {
                "letter": row["letter"],
                "findings": [line["finding_id"] for line in row["lines"]],
                "more": row["more"],
            }
            for row in self.letters
        ]


class Board:
    """The rows of one worker. `changed` gives those to write, None: to drop."""

    def __init__(self, settings: AlertSettings, rows: Mapping[str, Row] | None = None) -> None:
        self._settings = settings
        self._targets = {
            Target(route.name, number): route
            for route in settings.routes
            for number in range(len(route.urls))
        }
        self.rows: dict[str, Row] = dict(rows or {})
        self._changed: dict[str, None] = {}
        self._letters: dict[Target, dict[str, None]] = {}
        self._silences: dict[str, Silence] = {}
        for key, row in self.rows.items():
            self._index(key, row)

    def changed(self) -> dict[str, Row | None]:
        """The rows that changed since the last call, in the order in which they have to be written.

        That a finding is known comes last: of a write that breaks off, no finding may be known that is on no letter.
        """
        order = sorted(self._changed, key=lambda key: key.startswith(f"{FINDING}/"))
        self._changed = {}
        return {key: self.rows.get(key) for key in order}

    def put(self, key: str, row: Row) -> None:
        """Write a row."""
        self.rows[key] = row
        self._changed[key] = None
        self._index(key, row)

    def drop(self, key: str) -> None:
        """Forget a row."""
        row = self.rows.pop(key, None)
        if row is not None:
            self._changed[key] = None
            self._silences.pop(key, None)
            if row["kind"] == LETTER:
                self._letters[Target(row["route"], row["url"])].pop(key, None)

    def _index(self, key: str, row: Row) -> None:
        if row["kind"] == LETTER:
            self._letters.setdefault(Target(row["route"], row["url"]), {})[key] = None
        elif row["kind"] == SILENCE:
            told = (row["by"], row["why"], row["rule"], row["principal"])
            self._silences[key] = Silence(row["until"], *told)

    # -- findings

    def is_news(self, finding: FindingRecord) -> bool:
        """Whether anybody has to be told: it is new, worse than it was, or was opened again."""
        known = self.rows.get(finding_key(finding["finding_id"]))
        match finding["act"]:
            case "raised" | "repeated":
                return known is None or _worse(finding["severity"], known["severity"])
            case "reopened":
                return known is None or known["at"] < finding["raised_at"]
            case _:
                return False

    def take(self, finding: FindingRecord, now: int) -> str:
        """Put a finding on the letters of whoever wants it: `told`, `known`, `silenced` or `unwanted`."""
        if not self.is_news(finding):
            return "known"
        seen = {"kind": FINDING, "at": finding["raised_at"], "severity": finding["severity"]}
        self.put(finding_key(finding["finding_id"]), seen)
        if self.silence_of(finding, now):
            return "silenced"
        wanting = [target for target, route in self._targets.items() if wants(route, finding)]
        for target in wanting:
            self._add(target, finding, now)
        return "told" if wanting else "unwanted"

    def silence_of(self, finding: FindingRecord, now: int) -> Silence | None:
        """The silence that covers `finding`; None where there is none."""
        every = (*self._settings.silences, *self._silences.values())
        return next((silence for silence in every if silences(silence, finding, now)), None)

    def _add(self, target: Target, finding: FindingRecord, now: int) -> None:
        rule, principal = finding["rule"], principal_of(finding)
        key = target.letter_key(f"{rule}|{principal}")
        if key not in self.rows and len(self._letters.get(target, ())) >= LETTERS_MAX:
            rule, principal = OTHERS, ""
            key = target.letter_key(OTHERS)
        letter = key.removeprefix(target.letter_key(""))
        row = self.rows.get(key) or new_letter(target, letter, rule, principal, now)
        others = [line for line in row["lines"] if line["finding_id"] != finding["finding_id"]]
        if len(others) < LINES_MAX:
            row = {**row, "lines": [*others, _line(finding, now)]}
        else:
            row = {**row, "more": row["more"] + 1}
        self.put(key, row)

    # -- silences

    def silence(self, key: str, record: ControlRecord | None) -> None:
        """A silence was made, or (None) taken back. Raises CodecError for a broken detail."""
        if record is None:
            self.drop(silence_row_key(key))
            return
        subject = record["subject"]
        row = {
            "kind": SILENCE,
            "rule": silenced_rule(record),
            "principal": f"{record['issuer']}|{subject}" if subject else "",
            "until": record["expires_at"] or 0,
            "by": record["by"],
            "why": record["reason"],
        }
        self.put(silence_row_key(key), row)

    # -- messages

    def due(self, now: int) -> list[Parcel]:
        """At most one message for each URL that may be told something now."""
        parcels = (self._parcel(target, route, now) for target, route in self._targets.items())
        return [parcel for parcel in parcels if parcel is not None]

    def _parcel(self, target: Target, route: Route, now: int) -> Parcel | None:
        state = self.rows.get(target.key) or new_target(target)
        waiting = [self.rows[key] for key in self._letters.get(target, ())]
        ready = sorted((row for row in waiting if row["lines"] and row["due"] <= now), key=_urgency)
        left = route.hour_max - sum(1 for sent in state["sent"] if now - sent < HOUR)
        if not ready or state["next"] > now or left <= 0:
            return None
        if left == 1 and len(ready) > 1:
            return Parcel(target, route, tuple(ready[:LETTERS_TOLD_MAX]), now, held_back=True)
        return Parcel(target, route, (ready[0],), now)

    def attempted(self, attempt: AlertAttempt) -> list[FindingRecord]:
        """How an attempt went: what was told is struck out. Gives findings to raise."""
        target = Target(attempt["route"], attempt["url"])
        route = self._targets.get(target)
        if route is None:
            return []
        state = self.rows.get(target.key) or new_target(target)
        if attempt["outcome"] == "failed":
            return self._failed(target, state, attempt)
        at = attempt["at"]
        sent = [*(moment for moment in state["sent"] if at - moment < HOUR), at]
        self.put(target.key, {**new_target(target), "sent": sent})
        for told in attempt["letters"]:
            key, due = target.letter_key(told["letter"]), at + int(route.group_seconds * SECOND)
            self._strike_out(key, told, attempt["made_at"], due)
        return []

    def _strike_out(self, key: str, told: LetterTold, made_at: int, due: int) -> None:
        row = self.rows.get(key)
        if row is None:
            return
        gone = set(told["findings"])
        lines = [line for line in row["lines"] if line["finding_id"] not in gone or line["added"] > made_at]
        self.put(key, {**row, "lines": lines, "more": max(0, row["more"] - told["more"]), "due": due})

    def _failed(self, target: Target, state: Row, attempt: AlertAttempt) -> list[FindingRecord]:
        at, settings = attempt["at"], self._settings
        since = state["failing"] or at
        wait = min(settings.retry_seconds * 2 ** min(state["tries"], 30), settings.retry_seconds_max)
        tell = not state["told"] and at - since >= settings.failing_seconds * SECOND
        row = {
            **state,
            "failing": since,
            "tries": state["tries"] + 1,
            "next": at + int(wait * SECOND),
            "told": state["told"] or tell,
            "fault": attempt["fault"],
        }
        self.put(target.key, row)
        return [_delivery_failed(target, row, at)] if tell else []

    # -- housekeeping

    def prune(self, now: int) -> None:
        """Forget letters that told all they had, silences that are over, findings of long ago, URLs that are gone."""
        findings = [(key, row) for key, row in self.rows.items() if row["kind"] == FINDING]
        beyond = max(0, len(findings) - FINDINGS_MAX)
        old = {key for key, row in findings if now - row["at"] > FINDINGS_KEPT}
        old.update(key for key, _ in islice(sorted(findings, key=lambda pair: pair[1]["at"]), beyond))
        old.update(key for key, row in self.rows.items() if row["kind"] == SILENCE and row["until"] <= now)
        old.update(key for key, row in self.rows.items() if row["kind"] == LETTER and _is_over(row, now))
        for key in old:
            self.drop(key)

    def orphans(self) -> list[Row]:
        """Letters for URLs that the configuration has no more."""
        gone = (keys for target, keys in self._letters.items() if target not in self._targets)
        return [self.rows[key] for keys in gone for key in keys]

    def rehome(self, now: int) -> int:
        """Put what waits for URLs that are gone on the letters of all that are there; how many findings."""
        moved = 0
        for row in self.orphans():
            for target in self._targets if row["lines"] else ():
                key = target.letter_key(row["letter"])
                own = self.rows.get(key) or new_letter(
                    target, row["letter"], row["rule"], row["principal"], now
                )
                known = {line["finding_id"] for line in own["lines"]}
                lines = [*own["lines"], *(line for line in row["lines"] if line["finding_id"] not in known)]
                more = own["more"] + row["more"] + max(0, len(lines) - LINES_MAX)
                self.put(key, {**own, "lines": lines[:LINES_MAX], "more": more})
            if self._targets:
                moved += len(row["lines"]) + row["more"]
                self.drop(Target(row["route"], row["url"]).letter_key(row["letter"]))
        return moved

    def waiting(self) -> dict[Target, int]:
        """How many findings each URL has still to be told of."""
        return {
            target: sum(
                len(self.rows[key]["lines"]) + self.rows[key]["more"] for key in self._letters.get(target, ())
            )
            for target in self._targets
        }

    def failing(self) -> dict[Target, bool]:
        """Whether each URL failed when it was tried last."""
        return {target: bool((self.rows.get(target.key) or {}).get("failing")) for target in self._targets}


def _line(finding: FindingRecord, now: int) -> Row:
    facts = finding["attributes"]
    return {
        "added": now,
        "finding_id": finding["finding_id"],
        "at": finding["raised_at"],
        "act": finding["act"],
        "rule": finding["rule"],
        "severity": finding["severity"],
        "title": finding["title"],
        "connection": facts.get("connection", ""),
        "technique": facts.get("technique", ""),
        "explanation": facts.get("explanation", ""),
    }


def _urgency(row: Row) -> tuple[int, int]:
    return (-worst(row["lines"]), row["due"])


def worst(lines: Sequence[Row]) -> int:
    """The highest severity among lines, as a number from 0 (info) to 4 (critical)."""
    return max((SEVERITIES.index(line["severity"]) for line in lines), default=0)


def _worse(severity: str, than: str) -> bool:
    names: Sequence[str] = SEVERITIES
    return names.index(severity) > names.index(than)


def _is_over(row: Row, now: int) -> bool:
    return not row["lines"] and not row["more"] and row["due"] <= now


def _delivery_failed(target: Target, row: Row, at: int) -> FindingRecord:
    return finding_record(
        DELIVERY_FAILED,
        "high",
        f"alerts of route {target.route} have not been delivered for {(at - row['failing']) // SECOND} s",
        [f"route: {target.route}", f"url: number {target.url + 1}", f"tries: {row['tries']}", row["fault"]],
        raised_at=at,
        name=f"{target.route}/{target.url}/{row['failing']}",
        attributes={"route": target.route, "explanation": row["fault"]},
    )
