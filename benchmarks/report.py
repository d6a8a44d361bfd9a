"""The figures as plain text, for a person."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.memory import Memory, total
from benchmarks.pipeline import Sustained
from benchmarks.reach import DIRECT, GATEWAY, UNMASKED, Verdict
from benchmarks.rounds import Figure, Sample


def sample(one: Sample) -> str:
    """One round of one target, said while the run goes on."""
    load = one.load
    return (
        f"  round {one.round + 1}, {one.connections:2} connections, {one.target:30} {load.per_second:8.0f}/s"
        f"  p50 {load.p50_ms:7.3f}  p99 {load.p99_ms:7.3f} ms"
    )


def figures(table: Sequence[Figure]) -> list[str]:
    """Medians of rounds, with the share of the direct rate and the CPU time an exchange by process."""
    direct = {figure.connections: figure.per_second for figure in table if figure.target == DIRECT}
    lines = [
        f"{'target':30} {'conns':>5} {'req/s':>8} {'of direct':>9} {'p50 ms':>8} {'p99 ms':>8}  CPU µs an exchange"
    ]
    for figure in sorted(table, key=lambda one: one.connections):
        base = direct.get(figure.connections)
        share = f"{figure.per_second / base:9.3f}" if base else " " * 9
        spent = ", ".join(f"{name} {micro:.0f}" for name, micro in figure.cpu_us.items())
        lines.append(
            f"{figure.target:30} {figure.connections:5} {figure.per_second:8.0f} {share}"
            f" {figure.p50_ms:8.3f} {figure.p99_ms:8.3f}  {spent}"
        )
    return lines


def sustained(one: Sustained) -> list[str]:
    """One offered rate of the pipeline: the lag through time and what became of it."""
    step = max(1, len(one.readings) // 12)
    course = " ".join(str(reading.lag) for reading in one.readings[::step])
    drained = (
        "not within the time" if one.drained_s is None else f"{one.drained_s:.1f} s after the last exchange"
    )
    spent = ", ".join(f"{name} {micro:.0f}" for name, micro in one.cpu_us.items())
    return [
        f"offered {one.offered:.0f}/s, done {one.load.per_second:.0f}/s,"
        f" p50 {one.load.p50_ms:.2f} p99 {one.load.p99_ms:.2f} max {one.load.max_ms:.0f} ms",
        f"  lag in records: {course}",
        f"  grows by {one.lag_slope:.0f} records/s: {'flat' if one.flat else 'NOT FLAT'}; all stored {drained}",
        f"  frames recorded {one.recorded}, seen in ClickHouse {one.stored}",
        f"  CPU µs an exchange: {spent}",
    ]


def masking(figures: Sequence[Figure]) -> list[str]:
    """What masking adds to an exchange in the running gateway, at the fewest and the most connections."""
    p50 = {(figure.target, figure.connections): figure.p50_ms for figure in figures}
    asked = sorted({figure.connections for figure in figures})
    return [
        f"masking adds {p50[GATEWAY, number] - p50[UNMASKED, number]:.3f} ms at p50 at {number} connections"
        for number in dict.fromkeys((asked[0], asked[-1]))
        if (GATEWAY, number) in p50 and (UNMASKED, number) in p50
    ]


def memory(parts: dict[str, Memory]) -> list[str]:
    """Memory by part and in all."""
    lines = [f"  {name:20} {used.rss_mib:7.0f} {used.pss_mib:7.0f}" for name, used in parts.items()]
    whole = total(parts)
    return [
        f"  {'MiB':20} {'resid.':>7} {'proport.':>7}",
        *lines,
        f"  {'in all':20} {whole.rss_mib:7.0f} {whole.pss_mib:7.0f}",
    ]


def verdicts(reached: Sequence[Verdict]) -> list[str]:
    """What was to be reached, each with ok or MISSED before it."""
    return [f"  {'ok    ' if one.reached else 'MISSED'} {one.text}" for one in reached]
