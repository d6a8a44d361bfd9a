"""The real worker as a process of its own: `python -m tests.processors.alerts.worker BOOTSTRAP DIRECTORY SETTINGS`.

SETTINGS is a JSON file: routes, responses, and other settings by name.
"""

import json
import sys
from pathlib import Path

from processors.alerts.settings import AlertSettings, Responses, Route
from processors.alerts.worker import run_alerts
from schemas.kafka import KafkaAddress


def main(bootstrap: str, directory: str, file: str) -> int:
    """Run a worker; its port is in DIRECTORY/port."""
    home, told = Path(directory), json.loads(Path(file).read_text("utf-8"))
    routes = tuple(Route(**{**route, "urls": tuple(route["urls"])}) for route in told.pop("routes"))
    responses = Responses(**told.pop("responses", {}))
    settings = AlertSettings(home, routes, responses=responses, port_file=home / "port", **told)
    return run_alerts(settings, KafkaAddress(bootstrap, embedded=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
