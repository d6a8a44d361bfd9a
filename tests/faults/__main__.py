"""`python -m tests.faults`: exit code 1 when anything was lost, seen twice or forwarded without a record."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import stack
from benchmarks.held import in_thread
from benchmarks.processes import stop_on_sigterm
from tests.faults.held import HeldPlan, held
from tests.faults.kills import Killer
from tests.faults.load import Load
from tests.faults.network import outages
from tests.faults.upstream import MarkedUpstream

PHASES = ("network", "kills", "held", "rebalances")
PARTS = {"gateway": "gateway", "processors": "processors-0", "sink": "sink", "kafka": "kafka"}
DRAIN_SECONDS = 300
FLOW_SECONDS = 120
CALLS_BETWEEN_KILLS = 300
PAGE = 4_000  # marks; two rows each stay below the 10,000 that a query may give
MARKS = (
    "SELECT toUInt32OrZero(extract(body, 'm-([0-9]+)')) AS mark, toString(direction) AS direction, "
    "count() AS frames FROM v_frames WHERE body LIKE '%m-%' AND direction != 'end' "
    "AND mark BETWEEN {first} AND {last} GROUP BY mark, direction"
)


def main() -> int:
    """Runs what the command line asks for."""
    chosen = _parser().parse_args()
    stop_on_sigterm()
    good = True
    if "network" in chosen.only:
        good &= _network()
    if "kills" in chosen.only:
        good &= asyncio.run(_kills(chosen))
    if "held" in chosen.only:
        good &= _held(chosen)
    if "rebalances" in chosen.only:
        good &= _rebalances()
    print("faults: all held" if good else "faults: NOT all held")
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each part")
    parser.add_argument("--frames", type=int, default=100_000, help="at least, in all")
    parser.add_argument("--rate", type=float, default=400.0, help="calls a second offered")
    parser.add_argument("--only", nargs="+", default=list(PHASES), choices=PHASES)
    usual = HeldPlan()
    held = parser.add_argument_group("held", "kills while calls are held")
    held.add_argument("--held-gateways", type=int, default=usual.gateways, help="kills of gateways")
    held.add_argument("--held-workers", type=int, default=usual.workers, help="kills of approvals workers")
    held.add_argument("--held-brokers", type=int, default=usual.brokers, help="kills of the broker")
    held.add_argument("--held-waiting", type=int, default=usual.waiting, help="calls held at a time")
    held.add_argument("--held-seed", type=int, default=usual.seed)
    return parser


def _network() -> bool:
    print("» Kafka stopped, hung and slow (a TCP proxy between), deadline 5 s")
    found = asyncio.run(outages())
    for outage in found:
        print(
            f"  {outage.state:8} answers {outage.statuses}  slowest {outage.slowest_seconds:.2f} s  "
            f"forwarded {outage.forwarded}  open again after {outage.recovered_seconds:.1f} s"
        )
    return all(outage.held for outage in found)


def _held(chosen: argparse.Namespace) -> bool:
    print("» gateways, approvals workers and the broker are killed while calls are held")
    plan = HeldPlan(
        chosen.held_gateways,
        chosen.held_workers,
        chosen.held_brokers,
        chosen.held_waiting,
        chosen.held_seed,
    )
    return asyncio.run(held(plan))


def _rebalances() -> bool:
    from tests.faults import faust_chaos  # noqa: PLC0415 - it brings Faust, which the other proofs do not need

    return faust_chaos.main([]) == 0


async def _kills(chosen: argparse.Namespace) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="sluicegate-faults-"))
    async with MarkedUpstream() as upstream:
        async with in_thread(stack.running({"demo": upstream.url}, folder)) as live:
            load = Load(live.url("demo"), callers=16, calls_a_second=chosen.rate)
            killer = Killer(lambda: live.state().pids)
            await _torment(load, killer, chosen)
            seen = await _drained(folder, load)
        return _account(load, killer, upstream, seen)


async def _torment(load: Load, killer: Killer, chosen: argparse.Namespace) -> None:
    load.start()
    started = time.monotonic()
    for turn in range(chosen.kills):
        for part in PARTS.values():
            await killer.kill(part)
            await load.flows(CALLS_BETWEEN_KILLS, FLOW_SECONDS)
        print(f"  round {turn + 1}: {len(load.acknowledged)} calls acknowledged", flush=True)
    while 2 * len(load.acknowledged) < chosen.frames:
        await asyncio.sleep(1)
    await load.stop()
    print(f"  {time.monotonic() - started:.0f} s of load, {sum(load.told.values())} calls: {dict(load.told)}")


async def _drained(folder: Path, load: Load) -> dict[tuple[str, str], int]:
    """Frames by mark and direction in ClickHouse, once every acknowledged one is there or time is up."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        seen = await _stored(folder, load.calls)
        lacking = sum(2 - ((m, "request") in seen) - ((m, "response") in seen) for m in load.acknowledged)
        if not lacking or time.monotonic() > deadline:
            return seen
        await asyncio.sleep(2)


async def _stored(folder: Path, calls: int) -> dict[tuple[str, str], int]:
    seen: dict[tuple[str, str], int] = {}
    for first in range(0, calls + 1, PAGE):
        seen |= await _query(folder, MARKS.format(first=first, last=first + PAGE - 1))
    return seen


async def _query(folder: Path, sql: str) -> dict[tuple[str, str], int]:
    command = [str(Path(sys.executable).parent / "sluicegate"), "query", sql, "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, "--config", str(folder / "sluicegate.yaml"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    rows = [json.loads(line) for line in output.splitlines()]
    return {(f"m-{row['mark']}", row["direction"]): int(row["frames"]) for row in rows}


def _account(load: Load, killer: Killer, upstream: MarkedUpstream, seen: dict[tuple[str, str], int]) -> bool:
    lacking = [m for m in load.acknowledged for d in ("request", "response") if (m, d) not in seen]
    twice = [key for key, frames in seen.items() if frames > 1]
    unrecorded = [m for m in upstream.seen if (m, "request") not in seen]
    print(f"  kills: {dict(killer.kills)}; longest away, in seconds: {dict(killer.longest_away)}")
    print(f"  longest time without an acknowledged call: {load.longest_gap_seconds:.1f} s")
    print(f"  frames acknowledged {2 * len(load.acknowledged)}, stored {sum(seen.values())}")
    print(f"  acknowledged frames that ClickHouse lacks: {len(lacking)} {lacking[:5]}")
    print(f"  frames seen twice: {len(twice)} {twice[:5]}")
    print(f"  forwards without a record (held-back forwards): {len(unrecorded)} {unrecorded[:5]}")
    return not (lacking or twice or unrecorded)


if __name__ == "__main__":
    sys.exit(main())
