"""A console at a terminal: `python -m tests.console.serving BROKER DIRECTORY`."""

import sys
from pathlib import Path

from console.run import run_console
from console.settings import ConsoleSettings
from schemas.kafka import KafkaAddress
from tests.console.conftest import KEYS


def main(broker: str, directory: str) -> int:
    """Its port is in DIRECTORY/port, its token in DIRECTORY/token."""
    home = Path(directory)
    settings = ConsoleSettings(KEYS, port=0, port_file=home / "port", token_file=home / "token")
    return run_console(settings, KafkaAddress(broker, embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
