"""The whole pipeline at a steady rate: exchanges offered by the clock while the lag is watched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lag import FOLLOWED, LagReader, Reading, flat, lag_reader, slope
from benchmarks.load import GRACE_S, Aim, Load, LoadError, read
from benchmarks.rounds import cpu_each, cpu_seconds
from benchmarks.stack import Stack

SAMPLE_S = 2.0
DRAIN_TIMEOUT_S = 120.0
CONNECTIONS = 16


@dataclass(frozen=True)
class Sustained:
    """One offered rate (exchanges a second) and how the pipeline bore it.

    `lag_slope` is in records a second; `drained_s` is the time from the last exchange until the sink had
    committed the last record, None when that took too long; `cpu_us` is CPU microseconds an exchange by part.
    `recorded` frames came into the topic `frames` meanwhile, and `stored` ones into ClickHouse.
    """

    offered: float
    load: Load
    readings: list[Reading]
    lag_slope: float
    flat: bool
    drained_s: float | None
    cpu_us: dict[str, float]
    recorded: int
    stored: int

    @property
    def arrived(self) -> bool:
        """Every recorded frame is seen in ClickHouse, once."""
        return self.drained_s is not None and self.stored == self.recorded

    @property
    def held(self) -> bool:
        """The rate was really offered, the lag stayed flat, and everything arrived."""
        return self.flat and self.arrived and self.load.per_second >= 0.99 * self.offered


def sustain(program: Path, stack: Stack, url: str, rate: float, seconds: float) -> Sustained:
    """Offer `rate` exchanges a second to `url` for `seconds`, then wait until the last record is stored."""
    aim = Aim(url, CONNECTIONS, seconds, warmup_s=0.0, rate=rate)
    state = stack.state()
    stored_before = stack.frames_stored()
    before = cpu_seconds(state.pids)
    load, readings, drained_s = asyncio.run(_watched(program, aim, state.bootstrap))
    spent = cpu_each(before, cpu_seconds(stack.state().pids), load.all_requests)
    # Two frames an exchange, each a record once in every followed topic.
    records_per_s = 2 * len(FOLLOWED) * load.per_second
    during = readings[1:-1]  # the others are of before and after
    keeps_up = flat(during, records_per_s)
    recorded = readings[-1].ends["frames"] - readings[0].ends["frames"]
    stored = stack.frames_stored() - stored_before
    return Sustained(rate, load, readings, slope(during), keeps_up, drained_s, spent, recorded, stored)


async def _watched(program: Path, aim: Aim, bootstrap: str) -> tuple[Load, list[Reading], float | None]:
    async with lag_reader(bootstrap) as reader:
        before = await reader.read()
        generator = await asyncio.create_subprocess_exec(
            *aim.command(program), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(aim.seconds + GRACE_S):
                readings, (said, complained) = await _readings(reader, generator)
        except TimeoutError as error:
            raise LoadError(f"{aim.url}: the load generator did not end") from error
        finally:
            if generator.returncode is None:
                generator.kill()
        load = read(aim, generator.returncode or 0, said, complained)
        drained_s = await reader.drained(DRAIN_TIMEOUT_S)
        return load, [before, *readings, await reader.read()], drained_s


async def _readings(
    reader: LagReader, generator: asyncio.subprocess.Process
) -> tuple[list[Reading], tuple[bytes, bytes]]:
    """The lag every SAMPLE_S until the generator ends, and what it said."""
    ended = asyncio.create_task(generator.communicate())
    readings = []
    while not ended.done():
        readings.append(await reader.read())
        await asyncio.wait([ended], timeout=SAMPLE_S)
    return readings, ended.result()
