"""Somebody with every right on an embedded store, while nobody else has it open.

    python -m tests.verify.aside DATA_DIR KEYS STATEMENT…

Runs the statements on database `audit`, checks the trail, and prints the verdict and the findings as JSON.
"""

import json
import sys
from pathlib import Path

from sinks.clickhouse import ClickHouseAddress
from sinks.verify.check import check
from sinks.verify.live import LiveTrail, horizons
from sinks.verify.policy import load_policy
from sinks.verify.straight import Straight


def main() -> None:
    """As above."""
    data_dir, keys, *statements = sys.argv[1:]
    client = ClickHouseAddress("embedded", Path(data_dir)).connect()
    for statement in statements:
        client.command(statement, settings={"mutations_sync": 2})
    asking = Straight(client, "audit")
    seen = horizons(asking, 0.0, iter(range(10**6)).__next__, lambda: None)
    report = check(LiveTrail(asking, seen), load_policy(Path(keys)))
    print(json.dumps([report.verdict.name, [finding.as_json() for finding in report.findings]]))
    asking.close()


if __name__ == "__main__":
    main()
