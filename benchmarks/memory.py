"""Memory of processes, two ways: resident, which counts shared pages for each, and proportional, which adds up."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import psutil

MIB = 1024 * 1024


@dataclass(frozen=True)
class Memory:
    """MiB of one process with its descendants. `pss_mib` is what is left when shared pages are shared out."""

    rss_mib: float
    pss_mib: float


def of(pids: dict[str, int]) -> dict[str, Memory]:
    """Memory by name; a process that has ended counts as nothing."""
    return {name: _sum(_family(pid)) for name, pid in pids.items()}


def apart(root: int, parts: dict[str, int]) -> Memory:
    """Memory of `root` and those of its descendants that are not in the trees of `parts`."""
    inside = {process.pid for pid in parts.values() for process in _family(pid)}
    return _sum([process for process in _family(root) if process.pid not in inside])


def total(parts: dict[str, Memory]) -> Memory:
    """The sum over all parts."""
    return Memory(sum(part.rss_mib for part in parts.values()), sum(part.pss_mib for part in parts.values()))


def _family(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _sum(processes: list[psutil.Process]) -> Memory:
    rss = pss = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            info = process.memory_full_info()
            rss += info.rss
            pss += getattr(info, "pss", info.rss)  # Linux only
    return Memory(rss / MIB, pss / MIB)
