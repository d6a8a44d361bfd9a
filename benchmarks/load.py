"""The load generator, run once against one URL; its verdict as a typed value."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

GRACE_S = 60.0


class LoadError(RuntimeError):
    """A target did not answer as it must: no figure of it may be used. Has the generator's words."""


class Load(msgspec.Struct, frozen=True):
    """What one run of the load generator measured; times in milliseconds unless the name says otherwise."""

    requests: int
    errors: int
    first_error: str
    seconds: float
    per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    tool: str
    all_requests: int
    loader_cpu_us: float


@dataclass(frozen=True)
class Aim:
    """A URL and how it is to be called."""

    url: str
    connections: int = 1
    seconds: float = 4.0
    warmup_s: float = 0.5
    rate: float = 0.0
    revision: str = "2025-11-25"
    more: tuple[str, ...] = field(default=())

    def command(self, program: Path) -> list[str]:
        """The command line of the load generator."""
        return [
            str(program),
            "load",
            *("-url", self.url),
            *("-connections", str(self.connections)),
            *("-seconds", str(self.seconds)),
            *("-warmup", str(self.warmup_s)),
            *("-rate", str(self.rate)),
            *("-revision", self.revision),
            *self.more,
        ]


def fire(program: Path, aim: Aim) -> Load:
    """Run the load generator to its end; raises LoadError when any call failed."""
    limit = aim.seconds + aim.warmup_s + GRACE_S
    try:
        done = subprocess.run(aim.command(program), capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{aim.url}: the load generator did not end within {limit:.0f} s") from error
    return read(aim, done.returncode, done.stdout, done.stderr)


def read(aim: Aim, code: int, said: bytes, complained: bytes) -> Load:
    """The figures that the load generator printed; raises LoadError when it failed or any call did."""
    if code != 0:
        raise LoadError(f"{aim.url}: {complained.decode(errors='replace').strip()}")
    load = msgspec.json.decode(said, type=Load)
    if load.errors:
        raise LoadError(f"{aim.url}: {load.errors} calls failed, the first with: {load.first_error}")
    return load
