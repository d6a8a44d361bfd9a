"""The whole check: every partition of a trail, under one policy."""

from collections.abc import Iterable, Mapping

from sinks.verify.findings import Report
from sinks.verify.moved import Moved
from sinks.verify.partition import PartitionCheck
from sinks.verify.policy import Policy
from sinks.verify.trail import Trail


def check(trail: Trail, policy: Policy, outside: Mapping[int, Iterable[str]] | None = None) -> Report:
    """What is found in `trail`. Memory grows with lanes and findings, never with rows.

    `outside`: notes by partition that were kept elsewhere than in the trail. Raises what the trail raises.
    """
    report, kept = Report(), dict(outside or {})
    moved = Moved(report)
    for partition in sorted({*trail.partitions(), *kept}):
        outer = kept.get(partition, ())
        found = PartitionCheck(partition, trail, policy, report=report, moved=moved, outside=outer)
        report.coverage.append(found.run())
    moved.settle()
    if not any(part.checkpoints for part in report.coverage):
        report.cannot = "no checkpoint is signed by a key of the policy: nothing of this trail can be proven"
    return report
