"""What a check costs: `python -m benchmarks.verify [--rows N] [--json]`.

A trail of N frames (bodies of about 1.8 KB, sessions of 100 frames that overlap) with its checkpoints is put into a
chDB of its own, and checked as `sluicegate verify` does, page by page. Beside the whole stand reading the pages and
rebuilding the digests (of one core); in frames a second. And the memory that the check adds to what the engine has
taken.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from schemas.checkpoints import CheckpointRecord, checkpoint_record, checkpoint_value, leaf_of, tree_head
from schemas.digests import GENESIS
from schemas.frames import FrameHeader, audit_value, open_frame, seal_frame
from schemas.merkle import Frontier
from schemas.notes import Note, NoteKey
from sinks.avro import Placed
from sinks.clickhouse import ClickHouseAddress
from sinks.migrate import migrate
from sinks.store import insert
from sinks.tables import Target, checkpoints_target, frames_target
from sinks.verify.check import check
from sinks.verify.live import Horizon, LiveTrail
from sinks.verify.policy import Policy
from sinks.verify.rebuild import rebuild
from sinks.verify.straight import Straight

NAME = "bench.example.com"
KEY = NoteKey(f"{NAME}/audit/0", bytes(32))
EVERY = 1_000
SESSIONS = 50  # under way at once
BODY = b'{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"%s"}]}}' % (
    b"pod-7 Running 1/1 " * 96
)
START_US = 1_790_000_000_000_000


def values(count: int) -> Iterator[bytes]:
    """The values of topic `audit` of one lane."""
    previous = GENESIS
    for number in range(count):
        session = number // (100 * SESSIONS) * SESSIONS + number % SESSIONS
        header: FrameHeader = {
            "frame_id": str(UUID(int=number)),
            "exchange_id": str(UUID(int=number // 2)),
            "session_id": str(UUID(int=(session * 0x9E3779B97F4A7C15) % (1 << 128))),
            "lane": "bench/boot/0/0",
            "lane_seq": number + 1,
            "prev_digest": previous,
            "part": 1,
            "parts": 1,
            "recorded_at": START_US + number * 1_000,
            "elapsed_us": 1_500,
            "direction": "response",
            "protocol": "mcp",
            "connection": "prod",
            "principal_issuer": "https://issuer.example",
            "principal_subject": "ada",
            "principal_groups": ["sre", "oncall"],
            "client_id": "agent",
            "peer": "127.0.0.1:51544",
            "user_agent": "python-httpx2/2.16.2",
            "http_method": "POST",
            "http_path": "/mcp/prod",
            "http_status": 200,
            "http_headers": "content-type: application/json\r\n",
            "content_type": "application/json",
            "mcp_protocol_version": "2025-11-25",
            "mcp_session_id": "",
            "jsonrpc_type": "response",
            "jsonrpc_id": str(number),
            "method": "tools/call",
            "tool": "pods_list",
            "resource": "",
            "sse_event_id": "",
            "verdict": "allow",
            "rule": "readers",
            "policy_version": "5c9f",
            "reason": "",
            "reason_code": "",
            "jsonrpc_error": None,
            "tool_is_error": False,
            "outcome": "completed",
            "redactions": [],
            "attributes": {"purpose": "incident 4711"},
            "body_bytes": len(BODY),
            "body_commitment": b"",
        }
        sealed, previous = seal_frame(header, BODY, number.to_bytes(16, "big"))
        yield audit_value(open_frame(sealed), partition=0, offset=number)


def fill(client: Any, count: int) -> None:
    """Stores the trail and its checkpoints."""
    frames, heads, frontier = frames_target("audit"), checkpoints_target("checkpoints"), Frontier()
    batch: list[bytes] = []
    for number, value in enumerate(values(count), 1):
        batch.append(value)
        if number % EVERY and number < count:
            continue
        first = number - len(batch)
        _put(client, frames, batch, first)
        leaves = [leaf_of(one) for one in batch]
        frontier.extend(leaves)
        _put(client, heads, [checkpoint_value(_signed(frontier, leaves))], first)
        batch = []


def _signed(frontier: Frontier, leaves: list[bytes]) -> CheckpointRecord:
    head = tree_head(KEY.name, frontier.size, frontier.root(), 0, START_US)
    note = str(Note(head.text, (KEY.sign(head.text),)))
    return checkpoint_record(
        head, note, topic="audit", partition=0, base_offset=0, leaves=leaves, at=START_US
    )


def _put(client: Any, target: Target, records: list[bytes], first: int) -> None:
    placed = [Placed(0, first + at, value) for at, value in enumerate(records)]
    insert(client, f"audit.{target.table}", target.schemas.of(records[0]), placed, f"{target.table}/{first}")


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """(seconds by the clock, seconds of CPU) of `work`."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def measure(count: int, folder: Path) -> dict[str, Any]:
    """The figures."""
    client = ClickHouseAddress("embedded", folder).connect({"async_insert": 0})
    migrate(client, "audit")
    fill(client, count)
    asking = Straight(client, "audit")
    trail = LiveTrail(asking, {0: Horizon(count, count)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = timed(lambda: sum(1 for _row in trail.rows(0)))
    some = [row for row, _ in zip(trail.rows(0), range(2_000), strict=False)]
    digests = timed(lambda: [rebuild(row) for row in some])
    policy = Policy(NAME, (KEY.log.public,))
    reports: list[Any] = []
    whole = timed(lambda: reports.append(check(trail, policy)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asking.close()
    assert reports[0].verdict == 0, reports[0]
    assert reports[0].rows == count
    return {
        "rows": count,
        "frames_per_second": round(count / whole[0]),
        "frames_per_cpu_second": round(count / whole[1]),
        "reading_per_second": round(count / read[0]),
        "rebuilding_per_second": round(len(some) / digests[1]),
        "memory_added_mib": round((after - before) / 1024),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluicegate-verify-") as folder:
        figures = measure(chosen.rows, Path(folder))
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):28} {figure:>12,}")


if __name__ == "__main__":
    main()
