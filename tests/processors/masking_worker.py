"""The real worker as a process of its own: `python -m tests.processors.masking_worker BOOTSTRAP DIRECTORY`."""

import sys
from pathlib import Path

from processors.settings import ProcessorSettings
from processors.worker import run_worker
from schemas.kafka import KafkaAddress

KEY = b"the masking key of the tests, 32"


def main(bootstrap: str, directory: str) -> int:
    """Run a worker that checks completeness every second; its port is in DIRECTORY/port."""
    home = Path(directory)
    settings = ProcessorSettings(home, KEY, port_file=home / "port", check_seconds=1.0)
    return run_worker(settings, KafkaAddress(bootstrap, embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
