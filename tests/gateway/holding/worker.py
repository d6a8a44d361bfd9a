"""The real approvals worker, told that agents run as other users than those who decide (decision 0008):
`python -m tests.gateway.holding.worker BOOTSTRAP DIRECTORY`."""

import sys
from pathlib import Path

from processors.approvals.settings import ApprovalSettings
from processors.approvals.worker import run_approvals
from schemas.kafka import KafkaAddress
from tests.processors.approvals.making import PEOPLE, TRUSTED


def main(bootstrap: str, directory: str) -> int:
    """Run a worker; its port is in DIRECTORY/port."""
    home = Path(directory)
    settings = ApprovalSettings(home, b"m" * 32, TRUSTED, PEOPLE, port_file=home / "port", anonymous=True)
    return run_approvals(settings, KafkaAddress(bootstrap, embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
