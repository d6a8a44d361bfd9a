"""`python -m tests.faults.faust_chaos`: workers come and go while records flow, and nothing may be lost.

A producer fills the source at a steady rate while workers are added, stopped politely (SIGTERM) and killed
(SIGKILL) at random. When the records are out and enough rebalances have happened, the chaos stops, the group
drains, and every output is computed again and compared. Three shapes: the real masking processor, the real anomaly
processor and a processor with a table.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.processors.anomaly.shape import AnomalyShape
from tests.processors.fleet import Fleet
from tests.processors.shapes import MaskingShape, Shape, TableShape
from tests.processors.trail import lag
from tests.support.broker import running

SHAPES: dict[str, Callable[[Path, int], Shape]] = {
    "masking": lambda _root, _records: MaskingShape(),
    "table": lambda _root, _records: TableShape("chaos"),
    "anomaly": AnomalyShape,
}
FAULTS = ("missing", "wrong", "keys_wrong", "redriven", "expired", "unverified", "lag")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much chaos. `every_seconds`: the pause between two actions, at random within these bounds.

    Records come at `rate` a second, so that they flow as long as the chaos lasts, but in bursts: a worker without a
    backlog has nothing to lose.
    """

    records: int = 100_000
    rate: float = 700.0
    burst: int = 2_000
    rebalances: int = 20
    workers: int = 3
    every_seconds: tuple[float, float] = (2.0, 5.0)
    chaos_seconds_max: float = 600.0
    drain_seconds: float = 240.0
    seed: int = 1


async def chaos(bootstrap: str, shape: Shape, plan: Plan, root: Path) -> dict[str, int]:
    """Run `shape` through `plan` on a broker; the figures, with faults named as in FAULTS (all 0 when it held)."""
    random = Random(plan.seed)
    await shape.prepare(bootstrap)
    with Fleet(root, lambda home: shape.arguments(bootstrap, home), plan.workers, random) as fleet:
        fleet.add()
        started = time.monotonic()
        await _torture(bootstrap, shape, plan, fleet, random)
        calm = time.monotonic()
        left = await _drain(bootstrap, shape, plan, fleet)
        drained = time.monotonic()
        rebalances = fleet.generations()
    figures = {
        "rebalances": rebalances,
        **dict(sorted(fleet.done.items())),
        "chaos_seconds": round(calm - started),
        "drain_seconds": round(drained - calm),
        "lag": left,
    }
    return figures | await shape.figures(bootstrap)


async def _torture(bootstrap: str, shape: Shape, plan: Plan, fleet: Fleet, random: Random) -> None:
    producing = asyncio.create_task(_produce(bootstrap, shape, plan))
    deadline = time.monotonic() + plan.chaos_seconds_max
    while not producing.done() or (fleet.generations() < plan.rebalances and time.monotonic() < deadline):
        await asyncio.sleep(random.uniform(*plan.every_seconds))
        _act(fleet, plan, random)
    await producing


def _act(fleet: Fleet, plan: Plan, random: Random) -> None:
    living = fleet.alive()
    choices = ["stop", "kill"] if living > 1 else []
    if living < plan.workers:
        choices.append("add")
    match random.choice(choices):
        case "add":
            fleet.add()
        case "stop":
            fleet.signal_one(signal.SIGTERM)
        case "kill":
            fleet.signal_one(signal.SIGKILL)


async def _produce(bootstrap: str, shape: Shape, plan: Plan) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
    await producer.start()
    try:
        started, sends = time.monotonic(), []
        for number in range(plan.records):
            key, value = shape.record(number)
            sends.append(await producer.send(shape.source, value, key=key))
            if not number % plan.burst:
                await asyncio.sleep(max(0.0, number / plan.rate - (time.monotonic() - started)))
            if len(sends) >= plan.burst:
                await asyncio.gather(*sends)
                sends.clear()
        await asyncio.gather(*sends)
    finally:
        await producer.stop()


async def _drain(bootstrap: str, shape: Shape, plan: Plan, fleet: Fleet) -> int:
    """Wait until nothing lacks any more, workers running; what lacks at the end."""
    deadline = time.monotonic() + plan.drain_seconds
    while True:
        if not fleet.alive():
            fleet.add()
        try:
            left = await lag(bootstrap, shape.group, shape.source, shape.partitions)
            if not left:
                left = await shape.unsettled(bootstrap)
        except KafkaError:
            left = -1
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.5)


def held(figures: dict[str, int]) -> bool:
    """Whether nothing was lost, wrong or left over."""
    return not any(figures.get(fault) for fault in FAULTS)


def main(argv: Sequence[str] | None = None) -> int:
    """All shapes on a broker of its own; prints the figures as JSON lines. 0 when all held, else 1."""
    chosen = _parser().parse_args(argv)
    plan = Plan(chosen.records, chosen.rate, rebalances=chosen.rebalances, seed=chosen.seed)
    root = Path(tempfile.mkdtemp(prefix="sluicegate-chaos-"))
    broker = KafkaBroker(root / "kafka", sync=False)
    broker.prepare(plain_say)
    good = True
    with running(broker):
        for name, make in SHAPES.items():
            if name in chosen.only:
                shape = make(root, plan.records)
                print(f"» rebalances while records flow: {name}", flush=True)
                figures = asyncio.run(chaos(broker.bootstrap, shape, plan, root / name))
                print(json.dumps({"shape": name, "held": held(figures), **figures}), flush=True)
                good &= held(figures)
    if not good:
        print(f"the workers' logs are in {root}")
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.faults.faust_chaos", description=__doc__)
    parser.add_argument("--records", type=int, default=usual.records)
    parser.add_argument("--rate", type=float, default=usual.rate, help="records a second")
    parser.add_argument("--rebalances", type=int, default=usual.rebalances, help="at least")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--only", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    return parser


if __name__ == "__main__":
    sys.exit(main())
