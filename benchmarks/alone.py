"""The gateway with its broker and nothing behind it: what one gateway process can do by itself.

The processors and the sink share the machine's cores, so through the whole stack one measures them too. The
peers are one process each; this is what stands fairly beside them.
`python -m benchmarks.alone --bootstrap HOST:PORT --port PORT --upstream URL` is that one process.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import Child, free_port
from gateway.app import serve
from gateway.settings import Connection, GatewaySettings
from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say

BROKER_TIMEOUT_S = 120.0
GATEWAY_TIMEOUT_S = 30.0
CONNECTION = "demo"


@contextmanager
def broker(folder: Path, *, sync: bool) -> Iterator[tuple[Child, str]]:
    """Run the embedded broker with the product's topics; yields its process and its bootstrap address."""
    embedded = KafkaBroker(folder / "kafka", sync=sync)
    embedded.prepare(plain_say)
    with Child("broker", list(embedded.argv), folder / "broker.log", env=dict(embedded.env)) as child:
        child.wait_for_port(embedded.port, BROKER_TIMEOUT_S)
        asyncio.run(embedded.ready(BROKER_TIMEOUT_S))
        asyncio.run(ensure_topics(KafkaAddress(embedded.bootstrap, embedded=True)))
        yield child, embedded.bootstrap


@contextmanager
def gateway(bootstrap: str, upstream: str, folder: Path) -> Iterator[tuple[Child, str]]:
    """Run one gateway process; yields it and the URL of its connection, once it is ready to record."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.alone", "--bootstrap", bootstrap]
    command += ["--port", str(port), "--upstream", upstream]
    with Child("gateway", command, folder / "gateway.log") as child:
        child.wait_for_port(port, GATEWAY_TIMEOUT_S)
        child.wait_for_ok(f"http://127.0.0.1:{port}/readyz", GATEWAY_TIMEOUT_S)
        yield child, f"http://127.0.0.1:{port}/mcp/{CONNECTION}"


def main() -> None:
    """Serve the gateway until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alone", description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--upstream", required=True)
    chosen = parser.parse_args()
    connections = (Connection(CONNECTION, upstream=chosen.upstream),)
    settings = GatewaySettings("127.0.0.1", chosen.port, connections, masking_key=bytes(32))
    serve(settings, KafkaAddress(chosen.bootstrap, embedded=True))


if __name__ == "__main__":
    main()
