"""Who decides on the held calls: a reviewer at a console's desk, who says it again when it is in doubt."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from console.desk import Desk, Verb
from console.directory import Directory, Person
from console.errors import DeskError
from console.standing import Standing
from schemas.kafka import KafkaAddress
from sluicegate.settings import Settings
from sluicegate.settings.console import console_settings
from tests.faults.held_calls import HeldCall

THINKS_SECONDS = (0.2, 6.0)
GONE_SECONDS = 1.0
AGAIN_SECONDS = 1.0
ANN = Person("https://people.example", "ann", ("owners",))


@dataclass
class Decisions:
    """`approved`: by mark, the approvals that were approved, and when that was first said (of the event loop).
    `denied_as_it_ran`: marks that were denied for that. `told`: how often what was the answer."""

    approved: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    denied_as_it_ran: set[str] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)


class Reviewer:
    """Decides as each call wishes. `call_of` gives the call of a mark, `ran` how often upstream has seen it."""

    def __init__(
        self,
        kafka: KafkaAddress,
        settings: Settings,
        call_of: Callable[[str], HeldCall | None],
        ran: Callable[[str], int],
        random: Random,
    ) -> None:
        self.desk = Desk(kafka, console_settings(settings).keys, Directory())
        self.decisions = Decisions()
        self._call_of, self._ran, self._random = call_of, ran, random
        self._tried: dict[str, float] = {}
        self._at: dict[str, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once it sees what is asked."""
        self.desk.start()
        await self.desk.wait_ready()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Decides no more; what it sees stays."""
        if self._watching is not None:
            self._watching.cancel()
        for task in self._at.values():
            task.cancel()
        await asyncio.gather(*self._at.values(), return_exceptions=True)
        await self.desk.stop()

    def check(self) -> None:
        """Raises what went wrong in here."""
        for task in (*self._at.values(), self._watching):
            if task is not None and task.done():
                task.result()

    async def _watch(self) -> None:
        async for standing in self.desk.subscribe():
            if standing.approval_id not in self._at:
                self._at[standing.approval_id] = asyncio.create_task(self._think(standing))

    async def _think(self, standing: Standing) -> None:
        mark = json.loads(standing.request["arguments"])["mark"]
        call = self._call_of(mark)
        if call is None or call.wish == "expire":
            return
        if call.wish == "gone":
            await call.left.wait()
            await asyncio.sleep(GONE_SECONDS)
        await asyncio.sleep(self._random.uniform(*THINKS_SECONDS))
        while (now := self.desk.standing(standing.approval_id)) is not None:
            if now.state not in ("pending", "unread"):
                self._note(mark, now)
                return
            if await self._decide(now, mark, call):
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _decide(self, standing: Standing, mark: str, call: HeldCall) -> bool:
        """Whether the word counts; False: look again."""
        ran = self._ran(mark) > 0
        verb: Verb = "deny" if call.wish == "deny" or ran else "approve"
        self._tried.setdefault(standing.approval_id, asyncio.get_running_loop().time())
        try:
            answer = await self.desk.decide(standing.approval_id, verb, ANN, "it ran already" if ran else "")
        except DeskError as error:
            self.decisions.told[f"{verb} {error.reason}"] += 1
            return False
        self.decisions.told[f"{verb} counted"] += 1
        if answer["state"] == "approved":
            self._approved(mark, standing.approval_id)
        elif ran:
            self.decisions.denied_as_it_ran.add(mark)
        return True

    def _note(self, mark: str, standing: Standing) -> None:
        """What was in doubt turns out to be settled."""
        if any(turn.verb == "approve" and not turn.refusal for turn in standing.history):
            self._approved(mark, standing.approval_id)
        elif standing.state == "denied" and self._ran(mark):
            self.decisions.denied_as_it_ran.add(mark)

    def _approved(self, mark: str, approval_id: str) -> None:
        self.decisions.approved.setdefault(mark, []).append((approval_id, self._tried[approval_id]))
