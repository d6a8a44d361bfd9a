"""The terms of a rule's `hold`: who has to agree, when, for how long, and what one approval is good for.

hold:
  reason: deletes what others may need
  quorum: [{of: [security]}, {of: [owners], people: 2}]
  comment: required
  hours: mon-fri 08:00-18:00 Europe/Berlin
  expires: 15m
  grant: {for: 30m, uses: 5, when: "tool.arguments.namespace == 'staging'"}
  break_glass: {groups: [oncall], review: 24h}
"""

from typing import Final

from gateway.policy.conditions import Compiled, ConditionError
from gateway.policy.fields import Fields, known_keys, number_at, seconds_at, text_list
from gateway.policy.problems import Problem
from gateway.policy.source import Document, Loc, Value
from gateway.policy.verdict import Asked, BreakGlass, Grant, Hold
from schemas.hours import hours
from schemas.people import PROVIDERS, canonical, is_person
from schemas.terms import LIFETIME_SECONDS_MAX, PEOPLE_MAX, USES_MAX

WHO: Final = ("reviewers", "quorum")
TERMS: Final = ("comment", "hours", "expires", "grant", "break_glass")
GRANT: Final = ("for", "uses", "when")
BREAK_GLASS: Final = ("groups", "review")
PART: Final = ("of", "people")
EXPIRES: Final = 900


class HoldReader:
    """Reads the terms of one document; `at` is where they stand."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def read(self, given: Fields, at: Loc) -> Hold | None:
        """The terms; None where nobody could agree, which is noted with all else that is wrong."""
        quorum = self._quorum(given, at)
        grant = self._grant(given["grant"], (*at, "grant")) if "grant" in given else None
        glass = (
            self._break_glass(given["break_glass"], (*at, "break_glass")) if "break_glass" in given else None
        )
        hold = Hold(
            quorum,
            comment_required="comment" in given and self._comment(given, at),
            hours=self._hours(given, at) if "hours" in given else "",
            expires_seconds=seconds_at(self._document, at, given, "expires", LIFETIME_SECONDS_MAX) or EXPIRES,
            grant=grant,
            break_glass=glass,
        )
        return hold if quorum else None

    def _quorum(self, given: Fields, at: Loc) -> tuple[Asked, ...]:
        """`reviewers` is short for one of these; () where both are missing or wrong."""
        if "quorum" not in given:
            reviewers = self._people(given, (*at, "reviewers"))
            return (Asked(reviewers),) if reviewers else ()
        if "reviewers" in given:
            told = "is short for a `quorum` of one part, and that stands here too; keep one"
            self._document.fault((*at, "reviewers"), f"`reviewers` {told}", key=True)
        return self._parts(given["quorum"], (*at, "quorum"))

    def _people(self, given: Fields, at: Loc) -> tuple[str, ...]:
        names = text_list(self._document, at, given)
        for index, name in enumerate(names):
            if name.partition(":")[0] in PROVIDERS:
                told = "is a group, or one person: `ISSUER|SUBJECT` or `terminal:USER@HOST`; who that is elsewhere"
                self._document.fault(
                    (*at, index), f"{told} stands in the configuration, under `approvals.people`"
                )
        return tuple(canonical(name) for name in names)

    def _parts(self, given: Value, at: Loc) -> tuple[Asked, ...]:
        if not isinstance(given, list) or not given:
            self._document.fault(at, "is written `quorum: [{of: [security]}, {of: [owners], people: 2}]`")
            return ()
        before = len(self._document.problems)
        parts = [self._part(part, (*at, index)) for index, part in enumerate(given)]
        if len(self._document.problems) > before:
            return ()
        found = tuple(part for part in parts if part)
        if sum(part.people for part in found) > PEOPLE_MAX:
            self._document.fault(at, f"asks for more than {PEOPLE_MAX} people; ask for fewer")
        return found

    def _part(self, given: Value, at: Loc) -> Asked | None:
        if not isinstance(given, dict):
            self._document.fault(at, "a part is written `{of: [group], people: 1}`")
            return None
        known_keys(self._document, at, given, PART)
        reviewers = self._people(given, (*at, "of"))
        people = int(number_at(self._document, at, given, "people", whole=True) or 1)
        if people > len(set(reviewers)) and all(is_person(name) for name in reviewers) and reviewers:
            self._document.fault(
                (*at, "people"), f"asks for {people} of {len(set(reviewers))}, who would never be enough"
            )
        return Asked(reviewers, people)

    def _comment(self, given: Fields, at: Loc) -> bool:
        if given["comment"] not in ("required", "optional"):
            self._document.fault((*at, "comment"), "must say `required` or `optional`")
        return given["comment"] == "required"

    def _hours(self, given: Fields, at: Loc) -> str:
        value = given["hours"]
        text = value.strip() if isinstance(value, str) else ""
        try:
            if not text:
                raise ValueError
            hours(text)
        except ValueError:
            told = "is written like `mon-fri 08:00-18:00 Europe/Berlin`, with a time zone that is known here"
            self._document.fault((*at, "hours"), told)
        return text

    def _grant(self, given: Value, at: Loc) -> Grant | None:
        if not isinstance(given, dict) or "for" not in given:
            self._document.fault(
                at, "is written `grant: {for: 30m, uses: 5, when: condition}`; `for` is needed"
            )
            return None
        known_keys(self._document, at, given, GRANT)
        seconds = seconds_at(self._document, at, given, "for", LIFETIME_SECONDS_MAX)
        uses = int(number_at(self._document, at, given, "uses", whole=True) or 0)
        if uses > USES_MAX:
            self._document.fault((*at, "uses"), f"is at most {USES_MAX}; without `uses` time alone ends it")
        bound = self._bound(given["when"], (*at, "when")) if "when" in given else ""
        return Grant(seconds, uses, bound) if seconds else None

    def _bound(self, given: Value, at: Loc) -> str:
        if not isinstance(given, str) or not given.strip():
            self._document.fault(at, "must be a condition, as text")
            return ""
        try:
            return Compiled(given.rstrip()).text
        except ConditionError as error:
            for fault in error.faults:
                place = self._document.place_within(at, fault.offset)
                self._document.problems.append(Problem(*place, fault.text))
            return ""

    def _break_glass(self, given: Value, at: Loc) -> BreakGlass | None:
        if not isinstance(given, dict):
            self._document.fault(at, "is written `break_glass: {groups: [group], review: 24h}`")
            return None
        known_keys(self._document, at, given, BREAK_GLASS)
        groups = text_list(self._document, (*at, "groups"), given)
        for index, name in enumerate(groups):
            if is_person(canonical(name)):
                self._document.fault(
                    (*at, "groups", index), "is a person; the glass is broken by groups alone"
                )
        review = seconds_at(self._document, at, given, "review", LIFETIME_SECONDS_MAX)
        return BreakGlass(groups, review) if review else BreakGlass(groups)


def everyone_in(quorum: tuple[Asked, ...]) -> tuple[str, ...]:
    """All reviewers of a quorum, each once, in its order."""
    return tuple(dict.fromkeys(name for part in quorum for name in part.reviewers))
