"""What the chaos run tortures of the anomaly processor: reads of secrets, and each principal's tenth is a finding.

A count that is lost, doubled or kept twice over a change of hands gives a finding too few, too many, or one whose
value is not ten.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from aiokafka.partitioner import murmur2

from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from tests.processors.anomaly.making import answer, call, request_fields, response_fields, value
from tests.processors.trail import lag, read_all

READS = 10
STEP_US = 20_000
PARTITIONS = 4
RULES = f"""
rules:
  - {{name: secret-reads, severity: high, title: "{{value}} reads", explanation: "{{value}}", key: principal,
     feature: sensitive_reads, window: 1h, at_least: {READS}}}
  - {{name: some-reads, severity: low, title: "{{value}} reads", explanation: "{{value}}", key: principal,
     feature: sensitive_reads, window: 1h, at_least: {READS // 2}}}
"""
VALUES = {"secret-reads": READS, "some-reads": READS // 2}
SECRET = {"apiVersion": "v1", "kind": "Secret", "namespace": "shop", "name": "db"}


class AnomalyShape:
    """The product's worker from `audit` to `findings`, with two rules. `records`: how many will come."""

    group = "sluicegate-anomaly"
    source = "audit"
    partitions = PARTITIONS

    def __init__(self, root: Path, records: int) -> None:
        self._rules = root / "anomaly-rules.yaml"
        self._rules.write_text(RULES)
        self._principals = records // 2 // READS
        self._next: Counter[int] = Counter()

    async def prepare(self, bootstrap: str) -> None:
        """Create the product's topics."""
        await ensure_topics(KafkaAddress(bootstrap, embedded=True))

    def arguments(self, bootstrap: str, home: Path) -> list[str]:
        """The real worker."""
        return ["tests.processors.anomaly.worker", bootstrap, str(home), str(self._rules)]

    def record(self, number: int) -> tuple[bytes, bytes]:
        """The request (even) or answer (odd) of a read, each principal's reads spread over the whole run."""
        read, half = divmod(number, 2)
        who = f"reader-{read % self._principals}"
        partition = (murmur2(who.encode()) & 0x7FFFFFFF) % PARTITIONS  # as the producer places it
        over: dict[str, Any] = {
            "principal_subject": who,
            "recorded_at": 1_790_000_000_000_000 + read * STEP_US,
        }
        shared = request_fields(read, "resources_get", **over)
        body, fields = call("resources_get", SECRET), shared
        if half:
            body, fields = answer(), {**shared, **response_fields()}
        offset = self._next[partition]
        self._next[partition] += 1
        return who.encode(), value(number, body, partition=partition, offset=offset, **fields)

    async def unsettled(self, bootstrap: str) -> int:
        """Observations that wait."""
        return await lag(bootstrap, self.group, "observations", PARTITIONS)

    async def figures(self, bootstrap: str) -> dict[str, int]:
        """One finding of each rule for each principal, at exactly its threshold; repeats are the same bytes."""
        rows = [row.value for row in await read_all(bootstrap, "findings", 1)]
        raised = [record for record in map(codec("finding").decode, set(rows)) if record["act"] == "raised"]
        found = Counter((r["rule"], r["attributes"]["principal_subject"]) for r in raised)
        wanted = {(rule, f"reader-{n}") for rule in VALUES for n in range(self._principals)}
        off = [r for r in raised if int(r["attributes"]["value"]) != VALUES[r["rule"]]]
        return {
            "records": sum(self._next.values()),
            "outputs": len(raised),
            "duplicates": len(rows) - len(set(rows)),
            "missing": len(wanted - found.keys()),
            "wrong": len(found.keys() - wanted) + sum(count - 1 for count in found.values()) + len(off),
        }
