"""The real worker as a process: `python -m tests.processors.anomaly.worker BOOTSTRAP DIRECTORY [RULES]`."""

import sys
from pathlib import Path

from processors.anomaly.settings import AnomalySettings
from processors.anomaly.worker import run_anomaly
from schemas.kafka import KafkaAddress


def main(bootstrap: str, directory: str, rules: str = "") -> int:
    """Run a worker; its port is in DIRECTORY/port."""
    home = Path(directory)
    settings = AnomalySettings(home, Path(rules) if rules else None, port_file=home / "port")
    return run_anomaly(settings, KafkaAddress(bootstrap, embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
