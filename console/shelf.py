"""The approvals that a desk keeps in memory: pure, bounded, and the same whatever order the topics are read in."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from console.settings import DeskLimits
from console.standing import Standing, Turn
from processors.approvals.people import identity
from schemas.approvals import ApprovalDecision, ApprovalRequest, ApprovalSettled

UNASKED_MAX = 10_000
ROUGH_BYTES = 4_096  # of a request without its arguments
ANSWER_BYTES = 1_024
ROOM = 0.95  # of the limits, once there was no more room: not for every record anew
Place = tuple[str, int, int]
"""Topic, partition, offset."""

ENDED = ("denied", "expired", "revoked", "used")


@dataclass(slots=True)
class _Card:
    """What is known of one approval. `answers` by version."""

    request: ApprovalRequest | None = None
    place: Place = ("", 0, 0)
    settled: ApprovalSettled | None = None
    answers: dict[int, ApprovalSettled] = field(default_factory=dict)
    said: OrderedDict[str, Turn] = field(default_factory=OrderedDict)
    shown: Standing | None = None  # as it was made last; None once anything changed

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        arguments = len(self.request["arguments"]) if self.request else 0
        return ROUGH_BYTES + arguments + ANSWER_BYTES * len(self.answers)


class Shelf:
    """Believed records in, standings out. What has ended goes first when there is no more room, the oldest before;
    `forgotten` counts what went although something could still come of it."""

    def __init__(self, limits: DeskLimits) -> None:
        self._limits = limits
        self._cards: OrderedDict[str, _Card] = OrderedDict()
        self._unasked: OrderedDict[str, _Card] = OrderedDict()
        self._bytes = 0
        self.forgotten = 0

    def __len__(self) -> int:
        """How many approvals are kept."""
        return len(self._cards)

    def find(self, approval_id: str) -> Standing | None:
        """The approval as it stands."""
        card = self._cards.get(approval_id)
        return _standing(card) if card else None

    def all(self) -> Iterator[Standing]:
        """Every approval, in the order in which they became known."""
        for card in list(self._cards.values()):
            if standing := _standing(card):
                yield standing

    def since(self, positions: Mapping[tuple[str, int], int]) -> Iterator[str]:
        """The approvals that changed by a record at one of these (topic, partition) → offset, or behind it."""
        for approval_id, card in self._cards.items():
            topic, partition, offset = card.place
            if offset >= positions.get((topic, partition), 0):
                yield approval_id

    # -- records

    def requested(self, request: ApprovalRequest, place: Place) -> str:
        """The id of the approval that is another now; '' when nothing changed."""
        approval_id = request["approval_id"]
        if approval_id in self._cards:
            return ""  # whoever asks again under an id changes nothing
        card = self._unasked.pop(approval_id, None) or _Card()
        card.request, card.place = request, place
        _standing(card)  # made as it is read, so that no list has to make thousands at once
        self._cards[approval_id] = card
        self._bytes += card.size
        self._make_room()
        return approval_id

    def decided(self, decision: ApprovalDecision) -> None:
        """Keeps who said what, for the history. Whether it counted is in the answer alone."""
        given = decision["delegation"]
        turn = Turn(
            0,
            decision["at"],
            "",
            decision["verb"],
            identity(decision["who_issuer"], decision["who_subject"]),
            identity(given["from_issuer"], given["from_subject"]) if given else "",
            decision["comment"],
        )
        card = self._card(decision["approval_id"])
        card.shown, said = None, card.said
        said.setdefault(decision["decision_id"], turn)
        while len(said) > self._limits.history_max:
            said.popitem(last=False)

    def settled(self, settled: ApprovalSettled, place: Place) -> str:
        """The id of the approval that is another now; '' when nothing changed, or nobody knows what was asked."""
        approval_id = settled["approval_id"]
        card = self._card(approval_id)
        if settled["version"] in card.answers:
            return ""  # the processor repeats itself after a crash
        before, card.shown = card.size, None
        card.answers[settled["version"]] = settled
        while len(card.answers) > self._limits.history_max:
            del card.answers[min(card.answers)]
        self._bytes += (card.size - before) if card.request else 0
        if card.settled and card.settled["version"] > settled["version"]:
            return ""
        card.settled, card.place = settled, place
        _standing(card)
        return approval_id if card.request else ""

    # -- room

    def _card(self, approval_id: str) -> _Card:
        """The card of an approval; of one that nobody asked yet, in a place of its own."""
        if card := self._cards.get(approval_id) or self._unasked.get(approval_id):
            return card
        card = self._unasked[approval_id] = _Card()
        while len(self._unasked) > UNASKED_MAX:
            self._unasked.popitem(last=False)
        return card

    def _make_room(self) -> None:
        if not self._over(1.0):
            return
        for ended in (True, False):
            for approval_id, card in list(self._cards.items())[:-1]:
                if not self._over(ROOM):
                    return
                if ended and not (card.settled and card.settled["state"] in ENDED):
                    continue
                del self._cards[approval_id]
                self._bytes -= card.size
                self.forgotten += not ended

    def _over(self, share: float) -> bool:
        limits = self._limits
        return len(self._cards) > limits.approvals_max * share or self._bytes > limits.bytes_max * share


def _standing(card: _Card) -> Standing | None:
    if card.request is not None and card.shown is None:
        turns = tuple(_turn(card, card.answers[version]) for version in sorted(card.answers))
        card.shown = Standing(card.request, card.settled, turns)
    return card.shown


def _turn(card: _Card, answer: ApprovalSettled) -> Turn:
    said = card.said.get(answer["decision_id"]) or Turn(0, 0, "")
    return Turn(
        answer["version"],
        answer["at"],
        answer["state"],
        said.verb,
        said.who,
        said.instead_of,
        answer["comment"],
        answer["refusal"],
        answer["use_id"],
        answer["decision_id"],
    )
