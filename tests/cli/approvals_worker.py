"""The approvals processor with the keys of a configuration: `python -m tests.cli.approvals_worker FILE DIRECTORY`."""

import sys
from dataclasses import replace
from pathlib import Path

from processors.approvals.worker import run_approvals
from sluicegate.settings import load
from sluicegate.settings.approvals import approval_settings


def main(file: str, directory: str) -> int:
    """Run a worker; its port is in DIRECTORY/port."""
    settings = load(Path(file))
    home = Path(directory)
    ours = replace(approval_settings(settings, 0), datadir=home, port_file=home / "port")
    return run_approvals(ours, replace(settings.kafka_address(), embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
