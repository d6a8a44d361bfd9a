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

from benchmarks.held import in_thread
from schemas.kafka import KafkaAddress
from sluicegate.settings import load
from sluicegate.settings.approvals import machine_key
from tests.faults.held_account import Account
from tests.faults.held_books import chains, used
from tests.faults.held_calls import Crowd
from tests.faults.held_desk import Reviewer
from tests.faults.held_stack import BROKER, EXPIRES_SECONDS, GATEWAYS, WORKERS, HeldStack, holding
from tests.faults.kills import Killer
from tests.faults.upstream import MarkedUpstream

AGENTS = 20
FINAL_SECONDS = 240.0  # a quiet machine needs a few
ENDS_SECONDS = EXPIRES_SECONDS + 30.0
UPSTREAM_SECONDS = 0.02
FLOW = 20
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
    async with (
        MarkedUpstream(UPSTREAM_SECONDS) as upstream,
        in_thread(holding(upstream.url, folder)) as stack,
    ):
        good = await _under_kills(stack, plan, random, upstream)
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
    account = Account(crowd, reviewer.decisions, upstream, used(found), broken)
    account.show(killer, len(found))
    return account.good


async def _torment(
    killer: Killer, parts: list[str], random: Random, crowd: Crowd, reviewer: Reviewer
) -> None:
    for number, part in enumerate(parts, 1):
        await asyncio.sleep(random.uniform(*BETWEEN_SECONDS))
        await killer.kill(part)
        if part == BROKER:  # without it nothing is held that could be lost
            await crowd.flows(crowd.finals + FLOW, FINAL_SECONDS)
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
