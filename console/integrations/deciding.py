"""A person's word, from whichever vendor: whose it is by the directory, and what the desk says to it."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog

from console.desk import DeskError, Verb
from console.integrations.desk import DeskLike
from console.integrations.metrics import Metrics
from console.integrations.showing import STATES, inert

log = structlog.get_logger("integrations")

Outcome = Literal["counted", "refused", "stranger", "unknown", "unavailable"]

VERBS: dict[str, Verb] = {"approve": "approve", "deny": "deny", "review": "review"}
"""What may be said through a vendor."""

COMMENT_CHARACTERS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Word:
    """`provider` knows who said it as `identifier`. Nothing else of a message is believed but the approval's id."""

    approval_id: str
    verb: str
    provider: str
    identifier: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a word; the text is for the person who said it."""

    outcome: Outcome
    text: str
    state: str = ""


class Decisions:
    """Takes words for one integration."""

    def __init__(self, desk: DeskLike, integration: str, metrics: Metrics) -> None:
        self._metrics = metrics
        self._desk = desk
        self._integration = integration

    async def take(self, word: Word) -> Reply:
        """Never raises for what a person or the desk did."""
        reply = await self._reply(word)
        self._metrics.heard.labels(self._integration, reply.outcome).inc()
        log.info(
            "decision_heard",
            integration=self._integration,
            approval=approval_id(word.approval_id),
            verb=word.verb if word.verb in VERBS else "?",
            outcome=reply.outcome,
        )
        return reply

    async def _reply(self, word: Word) -> Reply:
        found, verb = approval_id(word.approval_id), VERBS.get(word.verb)
        if not found or verb is None or self._desk.standing(found) is None:
            return Reply("unknown", "There is no such approval here.")
        person = self._desk.people.person_of(word.provider, word.identifier)
        if person is None:
            name = inert(f"{word.provider}:{word.identifier}")
            return Reply(
                "stranger", f"Nobody here is known as {name}; an operator adds it to approvals.people."
            )
        comment = word.comment[:COMMENT_CHARACTERS_MAX]
        try:
            settled = await self._desk.decide(found, verb, person, comment, component=self._integration)
        except DeskError as error:
            return _failed(error)
        return Reply("counted", f"The approval {STATES[settled['state']]}.", settled["state"])


def approval_id(text: object) -> str:
    """A UUID as it is written; '' for anything else."""
    try:
        return str(UUID(text)) if isinstance(text, str) and len(text) <= 64 else ""
    except ValueError:
        return ""


def _failed(error: DeskError) -> Reply:
    match error.reason:
        case "refused":
            return Reply("refused", f"It does not count: {error}.")
        case "not_found":
            return Reply("unknown", "There is no such approval here.")
    return Reply("unavailable", f"It cannot be decided now: {error}.")
