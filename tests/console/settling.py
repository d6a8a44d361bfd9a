"""The processor with the keys of these tests: `python -m tests.console.settling BROKER DIRECTORY`."""

import sys
from pathlib import Path

from processors.approvals.worker import run_approvals
from schemas.kafka import KafkaAddress
from tests.console.conftest import processor_settings


def main(broker: str, directory: str) -> int:
    """Run a worker."""
    return run_approvals(processor_settings(Path(directory)), KafkaAddress(broker, embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
