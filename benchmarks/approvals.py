"""How long a held call waits after somebody has decided: `python -m benchmarks.approvals`.

The whole stack runs by `sluicegate up`, and so many calls are held by clients that wait on their streams. A reviewer
decides by the console's own desk: on the record, signed, onto Kafka, answered. What is measured is from there to the
answer at the client, which a call of its own to upstream is part of; and from the click, which is before all that.
Everything is of one clock: clients, reviewer and upstream are this process. Exit code 1 when a limit is not met.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.held import AGENTS, Caller, HeldGuard, Moments, Onlooker, Upstream, in_thread
from benchmarks.processes import stop_on_sigterm
from benchmarks.stack import CONFIG_NAME, Stack, running
from console.desk import Desk
from console.directory import Directory, Person
from schemas.kafka import KafkaAddress
from sluicegate.settings import load
from sluicegate.settings.console import console_settings

ANN = Person("https://people.example", "ann", ("owners",))
P50_S, P99_S = 0.25, 1.0
WARM = 20
STEPS = (
    ("recorded and on Kafka", "click", "decided"),
    ("settled by the machine", "decided", "approved"),
    ("gateway asks to run it", "approved", "use"),
    ("machine lets it run", "use", "used"),
    ("gateway to upstream", "used", "upstream"),
    ("answer to the client", "upstream", "answer"),
)
"""A step, and between which moments it lies. What is on Kafka was on it a little before it could be read here."""


@dataclass(frozen=True)
class Releases:
    """One measurement, in milliseconds: (median, 99th percentile). `steps`: medians."""

    sync: bool
    held: int
    decisions: int
    a_second: float
    from_decision: tuple[float, float]
    from_click: tuple[float, float]
    steps: dict[str, float]
    load_average: float

    @property
    def met(self) -> bool:
        """Whether the limits are."""
        return self.from_decision[0] <= 1000 * P50_S and self.from_decision[1] <= 1000 * P99_S


@dataclass(frozen=True)
class Plan:
    """So many calls held at a time; so many decisions, so many a second."""

    held: int = 100
    decisions: int = 400
    a_second: float = 10.0


def main() -> int:
    """Prints a table, or with --json one object a line."""
    chosen = _parser().parse_args()
    stop_on_sigterm()
    plan, met = Plan(chosen.held, chosen.decisions, chosen.rate), True
    for sync in {"on": (True,), "off": (False,), "both": (True, False)}[chosen.sync]:
        found = asyncio.run(_measured(plan, sync))
        met &= found.met
        print(json.dumps(asdict(found)) if chosen.json else _told(found), flush=True)
    return 0 if met else 1


def _parser() -> argparse.ArgumentParser:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.approvals", description=__doc__)
    parser.add_argument("--held", type=int, default=usual.held, help="calls that wait at a time")
    parser.add_argument("--decisions", type=int, default=usual.decisions)
    parser.add_argument("--rate", type=float, default=usual.a_second, help="decisions a second")
    parser.add_argument(
        "--sync", choices=("on", "off", "both"), default="both", help="the broker's disk sync"
    )
    parser.add_argument("--json", action="store_true")
    return parser


async def _measured(plan: Plan, sync: bool) -> Releases:
    moments: Moments = defaultdict(dict)
    folder = Path(tempfile.mkdtemp(prefix="sluicegate-approvals-"))
    guard = HeldGuard(folder)
    async with Upstream(moments) as upstream:
        stack = running({"demo": upstream.url}, folder, {"sync": sync}, guarded=guard)
        async with in_thread(stack) as live:
            decided = await Bench(live, guard, moments, plan).run()
    return figures(plan, sync, [moments[mark] | moments[each] for mark, each in decided])


class Bench:
    """Callers and a reviewer at work on a stack."""

    def __init__(self, stack: Stack, guard: HeldGuard, moments: Moments, plan: Plan) -> None:
        self._kafka = KafkaAddress(stack.state().bootstrap, embedded=True)
        self._url = stack.url("demo")
        self._tokens = guard.tokens(self._url)
        self._moments, self._plan = moments, plan
        keys = console_settings(load(stack.folder / CONFIG_NAME)).keys
        self._desk = Desk(self._kafka, keys, Directory())
        self._marks = 0
        self._answered: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def run(self) -> list[tuple[str, str]]:
        """Mark and approval of each call that was decided, without the first few."""
        self._desk.start()
        await self._desk.wait_ready()
        decided: list[tuple[str, str]] = []
        async with Onlooker(self._kafka, self._moments), asyncio.TaskGroup() as group:
            seeing = group.create_task(self._see())
            calling = [group.create_task(self._call_on(number)) for number in range(self._plan.held)]
            for waits in [await self._waiting.get() for _ in calling]:  # only once all wait
                self._waiting.put_nowait(waits)
            await self._decide_all(group, decided)
            for task in (seeing, *calling):
                task.cancel()
        await self._desk.stop()
        return decided[WARM:]

    async def _call_on(self, number: int) -> None:
        caller = Caller(self._url, self._tokens[number % AGENTS], self._moments)
        while True:
            self._marks += 1
            mark = f"m-{self._marks}"
            await caller.call(mark)
            self._answered[mark].set()

    async def _see(self) -> None:
        seen: set[str] = set()
        async for standing in self._desk.subscribe():
            if standing.state == "pending" and standing.approval_id not in seen:
                seen.add(standing.approval_id)
                mark = json.loads(standing.request["arguments"])["mark"]
                self._waiting.put_nowait((mark, standing.approval_id))

    async def _decide_all(self, group: asyncio.TaskGroup, decided: list[tuple[str, str]]) -> None:
        started, deciding = time.perf_counter(), []
        for number in range(self._plan.decisions + WARM):
            await asyncio.sleep(max(0.0, started + number / self._plan.a_second - time.perf_counter()))
            mark, approval_id = await self._waiting.get()
            decided.append((mark, approval_id))
            deciding.append(group.create_task(self._decide(mark, approval_id)))
        await asyncio.gather(*deciding)

    async def _decide(self, mark: str, approval_id: str) -> None:
        self._moments[mark]["click"] = time.perf_counter()
        await self._desk.decide(approval_id, "approve", ANN)
        await self._answered[mark].wait()


def figures(plan: Plan, sync: bool, calls: list[dict[str, float]]) -> Releases:
    """From the moments of each call, by name."""
    return Releases(
        sync,
        plan.held,
        len(calls),
        plan.a_second,
        _cuts([call["answer"] - call["decided"] for call in calls]),
        _cuts([call["answer"] - call["click"] for call in calls]),
        {name: _cuts([call[end] - call[begin] for call in calls])[0] for name, begin, end in STEPS},
        os.getloadavg()[0],
    )


def _cuts(seconds: list[float]) -> tuple[float, float]:
    return (
        round(1000 * statistics.median(seconds), 1),
        round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[98], 1),
    )


def _told(found: Releases) -> str:
    lines = [
        f"disk sync {'on' if found.sync else 'off'}: {found.held} calls held, {found.decisions} decisions, "
        f"{found.a_second:g} a second; load average {found.load_average:.1f}",
        "  decision on Kafka to answer at the client: median {:.1f} ms, p99 {:.1f} ms".format(
            *found.from_decision
        ),
        "  click to answer at the client:             median {:.1f} ms, p99 {:.1f} ms".format(
            *found.from_click
        ),
    ]
    whole = sum(found.steps.values()) or 1.0
    lines += [f"    {name:24} {ms:7.1f} ms  {100 * ms / whole:3.0f} %" for name, ms in found.steps.items()]
    return "\n".join([*lines, f"  limits (250 ms, 1 s): {'met' if found.met else 'NOT met'}"])


if __name__ == "__main__":
    sys.exit(main())
