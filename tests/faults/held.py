"""Calls are held, and what holds them is killed: gateways, approvals workers, the broker.

Clients wait on their streams; a reviewer approves half of the calls, denies a fifth, lets a fifth expire, and
approves a tenth whose clients have hung up. Whoever's connection breaks repeats the same call until its fate is
final. Who is asked about a call that has run already, its answer lost with a connection, says so and denies it.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import structlog

from schemas.kafka import KafkaAddress
from sluicegate.settings import load
from sluicegate.settings.approvals import machine_key
from tests.faults.held_books import chains, used
from tests.faults.held_calls import Attempt, Crowd, HeldCall
from tests.faults.held_desk import Reviewer
from tests.faults.held_stack import BROKER, EXPIRES_SECONDS, GATEWAYS, WORKERS, HeldStack, holding
from tests.faults.kills import Killer
from tests.faults.upstream import MarkedUpstream

AGENTS = 20
FINAL_SECONDS = 240.0  # a quiet machine needs a few
ENDS_SECONDS = EXPIRES_SECONDS + 30.0
UPSTREAM_SECONDS = 0.02
BETWEEN_SECONDS = (0.3, 3.0)


@dataclass(frozen=True)
class HeldPlan:
    """How many kills of each kind, and how many calls are held at a time."""

    gateways: int = 10
    workers: int = 10
    brokers: int = 5
    waiting: int = 200
    seed: int = 1

    def order(self, random: Random) -> list[str]:
        """The parts to kill, in an order of chance."""
        parts = [random.choice(GATEWAYS) for _ in range(self.gateways)]
        parts += [random.choice(WORKERS) for _ in range(self.workers)]
        parts += [BROKER] * self.brokers
        random.shuffle(parts)
        return parts


async def held(plan: HeldPlan) -> bool:
    """Whether nothing ran unapproved or twice, and nothing that was approved was lost; prints the figures."""
    random, folder = Random(plan.seed), Path(tempfile.mkdtemp(prefix="sluicegate-held-"))
    _log_to(folder / "reviewer.log")
    async with MarkedUpstream(UPSTREAM_SECONDS) as upstream:
        running = holding(upstream.url, folder)
        stack = await asyncio.to_thread(running.__enter__)
        try:
            good = await _under_kills(stack, plan, random, upstream)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
    if not good:
        print(f"  what the parts said is in {folder}")
    return good


def _log_to(file: Path) -> None:
    """What the reviewer's clients of Kafka say while the broker is away fills no screen."""
    logging.basicConfig(
        filename=file, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s", force=True
    )
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file.with_suffix(".json").open("w")))


async def _under_kills(stack: HeldStack, plan: HeldPlan, random: Random, upstream: MarkedUpstream) -> bool:
    kafka = KafkaAddress(stack.bootstrap, embedded=True)
    tokens = [stack.people.token(stack.audience, f"agent-{n}", "agents") for n in range(AGENTS)]
    crowd = Crowd(stack.urls, tokens, random)
    settings = load(stack.config)
    reviewer = Reviewer(kafka, settings, crowd.calls.get, upstream.seen.__getitem__, random)
    killer = Killer(stack.pids)
    await reviewer.start()
    try:
        crowd.start(plan.waiting)
        started = time.monotonic()
        await crowd.flows(plan.waiting // 4, FINAL_SECONDS)
        await _torment(killer, plan.order(random), random, crowd, reviewer)
        calm = time.monotonic()
        await crowd.stop(FINAL_SECONDS)
        took = time.monotonic() - calm
        print(
            f"  {calm - started:.0f} s of kills, {crowd.finals} of {len(crowd.calls)} final {took:.0f} s later"
        )
        await _all_ended(reviewer)
    finally:
        await reviewer.stop()
    found, broken = await chains(kafka, machine_key(settings.data_dir))
    account = Account(crowd, reviewer, upstream, used(found), broken)
    account.show(killer, len(found))
    return account.good


async def _torment(
    killer: Killer, parts: list[str], random: Random, crowd: Crowd, reviewer: Reviewer
) -> None:
    for number, part in enumerate(parts, 1):
        await asyncio.sleep(random.uniform(*BETWEEN_SECONDS))
        await killer.kill(part)
        crowd.check()
        reviewer.check()
        if not number % 5:
            print(f"  {number} kills, {crowd.finals} of {len(crowd.calls)} calls final", flush=True)


async def _all_ended(reviewer: Reviewer) -> None:
    """Until time has ended what nobody did; what is open after that is a fault of its chain."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDS_SECONDS):
            while any(standing.open for standing in reviewer.desk.standings()):
                await asyncio.sleep(0.2)


class Account:
    """What became of the calls. Marks that stand where none may stand are faults."""

    def __init__(
        self, crowd: Crowd, reviewer: Reviewer, upstream: MarkedUpstream, uses: int, broken: list[str]
    ) -> None:
        self._crowd, self._reviewer, self._seen = crowd, reviewer, upstream.seen
        calls = list(crowd.calls.values())
        approved = [call for call in calls if call.wish == "approve"]
        present = [pair for call in calls for pair in self._present(call)]
        self.answered = [call.mark for call, attempt in present if attempt.end == "done"]
        self.doubted = [
            f"{call.mark}: {attempt.end} {attempt.reason}"
            for call, attempt in present
            if attempt.end in ("not executed", "withheld")
        ]
        self.denied_after = sorted(reviewer.denied_as_it_ran)
        denied = [call.mark for call in approved if call.attempts[-1].end == "denied"]
        self.faults = {
            "executed without approval": [m for m in upstream.seen if m not in reviewer.approved],
            "executed that was denied, expired or left": [
                call.mark for call in calls if call.wish != "approve" and upstream.seen[call.mark]
            ],
            "executed twice": [mark for mark, times in upstream.seen.items() if times > 1],
            "more runs than uses of approvals": [""] * max(0, upstream.seen.total() - uses),
            "approved and never executed": [call.mark for call in approved if not upstream.seen[call.mark]],
            "approved while the client waited, and lost": [
                f"{call.mark}: {attempt.end} {attempt.reason}"
                for call, attempt in present
                if attempt.end not in ("done", "not executed", "withheld")
            ],
            "told that it was not executed, though it was": [
                call.mark
                for call in calls
                for attempt in call.attempts
                if attempt.end == "not executed" and upstream.requests[call.mark, attempt.number]
            ],
            "denied for another reason than that it had run": sorted(set(denied) - set(self.denied_after)),
            "answers that say nothing known": [
                f"{call.mark}: {attempt.end} {attempt.reason}"
                for call in calls
                for attempt in call.attempts
                if attempt.end in ("other", "silent")
            ],
            "not final": [
                c.mark for c in calls if c.attempts[-1].end in ("not executed", "withheld", "waiting")
            ],
            "chains of settled records that are broken": broken,
        }

    def _present(self, call: HeldCall) -> list[tuple[HeldCall, Attempt]]:
        """The attempts whose client stood there when its approval was given."""
        given = [moment for _, moment in self._reviewer.approved.get(call.mark, ())]
        return [(call, each) for each in call.attempts if any(each.waited_at(moment) for moment in given)]

    @property
    def good(self) -> bool:
        """Whether there is no fault."""
        return not any(self.faults.values())

    def show(self, killer: Killer, approvals: int) -> None:
        """Prints it all."""
        calls = self._crowd.calls.values()
        broke = sum(attempt.end == "broken" for call in calls for attempt in call.attempts)
        wishes = {
            wish: sum(call.wish == wish for call in calls) for wish in ("approve", "deny", "expire", "gone")
        }
        print(f"  kills: {dict(killer.kills)}; longest away, in seconds: {dict(killer.longest_away)}")
        print(
            f"  calls {len(calls)} {wishes}, attempts {self._crowd.told.total()}, connections broken {broke}"
        )
        print(f"  what clients were told: {dict(self._crowd.told.most_common())}")
        print(f"  what the reviewer was told: {dict(self._reviewer.said.most_common())}")
        print(f"  approvals {approvals}; executed {self._seen.total()}")
        print(f"  approved while the client waited, executed and answered: {len(self.answered)}")
        print(f"  the same, told that it was in doubt, and repeated: {len(self.doubted)} {self.doubted[:5]}")
        print(f"  executed, the answer lost with the connection: {len(self.denied_after)}")
        for fault, marks in self.faults.items():
            print(f"  {fault}: {len(marks)} {marks[:5] if marks else ''}".rstrip())
