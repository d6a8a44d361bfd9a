"""A broker that tells its clients to come through a proxy's port."""

from __future__ import annotations

import re
from pathlib import Path

from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.ports import free_port
from sluicegate.embedded.say import plain_say


def proxied_broker_at(home: Path) -> tuple[KafkaBroker, int]:
    """A prepared broker, not yet running, and the port that its clients will use: put a proxy there."""
    broker = KafkaBroker(home, sync=False, heap_mb=256)
    broker.prepare(plain_say)
    properties = home / "server.properties"
    text = properties.read_text()
    taken = {int(port) for port in re.findall(r"://127\.0\.0\.1:(\d+)", text)}  # the controller's, too
    port = free_port(frozenset(taken))
    own = f"advertised.listeners=BROKER://127.0.0.1:{broker.port}"
    if own not in text:
        raise RuntimeError(f"{properties} does not say {own}")
    properties.write_text(text.replace(own, f"advertised.listeners=BROKER://127.0.0.1:{port}"))
    return broker, port
