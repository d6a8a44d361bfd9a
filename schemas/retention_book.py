"""What holds by what people proposed and confirmed: all believed acts of topic `retention`, in their order. Pure.

Whoever reads the topic comes to the same: the store that forgets by it, the command line that shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from schemas.codec import CodecError
from schemas.people import People, identity
from schemas.retention import SCHEMA, RetentionAct
from schemas.retention_content import Erasure, Hold, content_of
from schemas.retention_rules import DAY_US, Rules
from schemas.signatures import KeyRing

PROPOSAL_DAYS = 7
SKEW_US = 120_000_000
"""How far the clocks of two components may be apart."""

State = Literal["pending", "confirmed", "withdrawn", "lapsed", "released"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposed, and what became of it. `confirmed` is the act that put it in force."""

    act: RetentionAct
    state: State = "pending"
    confirmed: RetentionAct | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return self.act["proposal_id"]

    @property
    def content(self) -> Any:
        """What is proposed: Rules with their base, a Hold, the id of a hold, or an Erasure."""
        return content_of(self.act["kind"], self.act["content"])

    @property
    def asked_by(self) -> list[str]:
        """`ISSUER|SUBJECT` of who proposed it, and of who confirmed it."""
        acts = [self.act, *([self.confirmed] if self.confirmed else [])]
        return list(dict.fromkeys(identity(act["who_issuer"], act["who_subject"]) for act in acts))


@dataclass(frozen=True, slots=True)
class InForce:
    """Rules, the id of the proposal that they follow from ('' for the start) and who asked for them."""

    rules: Rules
    cause: str = ""
    asked_by: tuple[str, ...] = ()
    since: int = 0


class Book:
    """Believed acts in, what holds out. `ring` says whose word counts; `alone` whether one person may confirm what
    the same person proposed, where the act says so too (the setting `retention.single_person`)."""

    def __init__(self, ring: KeyRing, people: People | None = None, *, alone: bool = False) -> None:
        self._ring, self._people, self._alone = ring, people or People(), alone
        self._acts: set[str] = set()
        self._proposals: dict[str, Proposal] = {}
        self._before: set[str] = set()
        self.in_force: InForce | None = None

    # -- what happened

    def apply(self, act: RetentionAct) -> str:
        """Takes in one act; why it counts for nothing, '' when it does."""
        fault = self._fault(act)
        if fault:
            return fault
        self._acts.add(act["act_id"])
        match act["act"]:
            case "started" | "lengthened":
                return self._by_file(act)
            case "proposed":
                return self._propose(act)
            case "withdrawn":
                return self._withdraw(act)
            case "confirmed":
                return self.refusal(act) or self._confirm(act)

    def _fault(self, act: RetentionAct) -> str:
        """Why nobody believes this act; '' when it is one."""
        fault = self._ring.fault(SCHEMA, act, act["act"], act["who_issuer"])
        if not fault and act["act_id"] in self._acts:
            return "it was said before"
        try:
            content_of(act["kind"], act["content"])
        except CodecError as error:
            return fault or str(error)
        return fault

    def refusal(self, act: RetentionAct) -> str:
        """Why this confirmation would not count now; '' when it would."""
        known = self._proposals.get(act["proposal_id"])
        if known is None:
            return "there is no such proposal"
        state = self._state(known, act["at"])
        if state != "pending":
            return f"the proposal is {state}"
        if (known.act["kind"], known.act["content"]) != (act["kind"], act["content"]):
            return "it confirms something else than what was proposed"
        if act["at"] < known.act["at"] - SKEW_US:
            return "it is older than the proposal"
        if not self.differ(known.act, act) and not (self._alone and act["alone"]):
            return "nobody confirms what the same person proposed"
        return self._stale(known)

    def _propose(self, act: RetentionAct) -> str:
        if act["proposal_id"] in self._proposals:
            return "there is a proposal of this id"
        self._proposals[act["proposal_id"]] = Proposal(act)
        return ""

    def _withdraw(self, act: RetentionAct) -> str:
        known = self._proposals.get(act["proposal_id"])
        if known is None or self._state(known, act["at"]) != "pending":
            return "there is no such proposal that waits"
        if self.differ(known.act, act):
            return "only who proposed it may take it back"
        self._proposals[known.id] = replace(known, state="withdrawn")
        return ""

    def _confirm(self, act: RetentionAct) -> str:
        proposal = replace(self._proposals[act["proposal_id"]], state="confirmed", confirmed=act)
        self._proposals[proposal.id] = proposal
        match act["kind"]:
            case "rules":
                self._enforce(InForce(proposal.content[1], proposal.id, tuple(proposal.asked_by), act["at"]))
            case "release":
                hold = self._proposals[proposal.content]
                self._proposals[hold.id] = replace(hold, state="released")
            case "hold" | "erasure":
                pass
        return ""

    def _by_file(self, act: RetentionAct) -> str:
        if act["kind"] != "rules":
            return "a file says nothing but rules"
        rules: Rules = content_of("rules", act["content"])[1]
        if act["act"] == "started":
            if self.in_force is not None:
                return "it has started already"
            self._enforce(InForce(rules, since=act["at"]))
            return ""
        if self.in_force is None or self.in_force.rules.shortened_by(rules):
            return "a file alone shortens nothing"
        self._enforce(replace(self.in_force, rules=rules, since=act["at"]))
        return ""

    def _enforce(self, now: InForce) -> None:
        if self.in_force is not None:
            self._before.add(self.in_force.rules.version)
        self.in_force = now

    def _stale(self, known: Proposal) -> str:
        if known.act["kind"] == "rules":
            base = known.content[0]
            now = self.in_force.rules.version if self.in_force else ""
            return "" if base == now else "the rules changed since it was proposed; propose it again"
        if known.act["kind"] == "release":
            hold = self._proposals.get(known.content)
            standing = hold is not None and hold.act["kind"] == "hold" and hold.state == "confirmed"
            return "" if standing else "there is no such hold in force"
        return ""

    # -- what holds

    def differ(self, one: RetentionAct, other: RetentionAct) -> bool:
        """Whether two acts are of two people, by all names that are known of them."""
        return not self._person(one) & self._person(other)

    def _person(self, act: RetentionAct) -> frozenset[str]:
        return self._people.person(act["who_issuer"], act["who_subject"], act["who_aliases"])

    def find(self, proposal_id: str, now: int) -> Proposal | None:
        """A proposal as it stands at `now` (UTC in microseconds)."""
        known = self._proposals.get(proposal_id)
        return replace(known, state=self._state(known, now)) if known else None

    def all(self, now: int) -> list[Proposal]:
        """Every proposal as it stands at `now`, in the order in which they were made."""
        return [replace(known, state=self._state(known, now)) for known in self._proposals.values()]

    def holds(self, now: int) -> list[tuple[Proposal, Hold]]:
        """Holds that stop forgetting: the confirmed ones, and those that wait for somebody to confirm them."""
        standing = [each for each in self.all(now) if each.act["kind"] == "hold"]
        return [(each, each.content) for each in standing if each.state in ("pending", "confirmed")]

    def erasures(self, now: int) -> list[tuple[Proposal, Erasure]]:
        """Erasures that were confirmed."""
        found = [each for each in self.all(now) if each.act["kind"] == "erasure"]
        return [(each, each.content) for each in found if each.state == "confirmed"]

    def was_in_force(self, rules: Rules) -> bool:
        """Whether these rules held once and others do now: a file that says them is an old copy."""
        return rules.version in self._before

    def _state(self, known: Proposal, now: int) -> State:
        lapsed = known.state == "pending" and now > known.act["at"] + PROPOSAL_DAYS * DAY_US
        return "lapsed" if lapsed else known.state


def book_of(
    ring: KeyRing, acts: Iterable[RetentionAct], people: People | None = None, *, alone: bool = False
) -> Book:
    """The book of all `acts`."""
    book = Book(ring, people, alone=alone)
    for act in acts:
        book.apply(act)
    return book
