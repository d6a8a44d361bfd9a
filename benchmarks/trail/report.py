"""The figures as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clickhouse_connect.driver.client import Client

from benchmarks.trail.asking import Latency
from benchmarks.trail.storing import Stored

_WEIGHTS = """
SELECT table, sum(rows), sum(bytes_on_disk), sum(secondary_indices_compressed_bytes), count() FROM system.parts
WHERE active AND database = currentDatabase() AND table IN ('frames_stored', 'exchanges_index', 'redactions_index')
GROUP BY table ORDER BY table"""


def progress(so_far: Stored, frames: int) -> str:
    """One line while it goes on."""
    return f"  {so_far.frames:,} of {frames:,} frames, {so_far.frames / so_far.seconds:,.0f}/s"


def stored(so_far: Stored) -> list[str]:
    """How fast it went in."""
    rate = so_far.frames / so_far.seconds
    size = so_far.avro_bytes / so_far.frames
    return [
        "| insertion | |",
        "|---|---:|",
        f"| frames | {so_far.frames:,} |",
        f"| Avro, bytes a frame | {size:,.0f} |",
        f"| frames a second | {rate:,.0f} |",
        f"| megabytes a second | {rate * size / 1e6:,.1f} |",
    ]


def weights(client: Client, frames: int, avro_bytes: int) -> list[str]:
    """What lies on the disk."""
    lines = ["| on disk | rows | bytes a frame | of the Avro | of that, search and other indexes | parts |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    total = 0
    for table, rows, size, index, parts in client.query(_WEIGHTS).result_rows:
        total += size
        lines.append(
            f"| `{table}` | {rows:,} | {size / frames:,.0f} | {_share(size, avro_bytes)} "
            f"| {index / frames:,.0f} | {parts} |"
        )
    lines.append(f"| together | | {total / frames:,.0f} | {_share(total, avro_bytes)} | | |")
    return lines


def _share(part: float, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def latencies(found: Iterable[Latency]) -> list[str]:
    """Milliseconds, cold and warm, and what was asked of them."""
    lines = ["| question, ms | rows | cold p50 | cold p95 | warm p50 | warm p95 | CPU p50 | bound |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---|")
    return lines + [latency(one) for one in found]


def latency(one: Latency) -> str:
    """One line of that table."""
    cells = [_at(times, share) for times in (one.cold, one.warm) for share in (0.5, 0.95)]
    cells.append(_at(one.cpu, 0.5))
    bound = one.question.bound_ms
    kept = "met" if _at(one.cold, 0.95) <= bound else "met warm" if _at(one.warm, 0.95) <= bound else "missed"
    said = f"{bound:,.0f}: {kept}" if bound else ""
    return f"| {one.question.name} | {one.rows} | {' | '.join(f'{cell:,.0f}' for cell in cells)} | {said} |"


def _at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(share * len(times)))]
