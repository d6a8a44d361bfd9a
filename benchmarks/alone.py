"""The gateway with its broker and nothing behind it: what one gateway process can do by itself.

The processors and the sink share the machine's cores, so through the whole stack one measures them too. The
peers are one process each; this is what stands fairly beside them.
`python -m benchmarks.alone --bootstrap HOST:PORT --port PORT --upstream URL` is that one process; with `--config F`
it is the gateway of a whole configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.guard import Guard
from benchmarks.people import ISSUER
from benchmarks.processes import Child, free_port
from gateway.app import serve
from gateway.settings import Access, Connection, GatewaySettings, IdentitySettings, Issuer, Quota, Rate
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
def gateway(
    bootstrap: str, upstream: str, folder: Path, guard: Guard | None = None, *, masking: bool = True
) -> Iterator[tuple[Child, str]]:
    """Run one gateway process; yields it and the URL of its connection, once it is ready to record.

    With `guard` it asks for tokens, judges by the guard's policy and counts quotas.
    """
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.alone", "--bootstrap", bootstrap]
    command += ["--port", str(port), "--upstream", upstream]
    if not masking:
        command += ["--masking", "off"]
    if guard is not None:
        command += ["--jwks", str(guard.people.jwks_file), "--policy", str(guard.policy_file)]
    kind = "gateway" if guard is None else "guarded"
    log = folder / (f"{kind}.log" if masking else f"{kind}-unmasked.log")
    with Child("gateway", command, log) as child:
        child.wait_for_port(port, GATEWAY_TIMEOUT_S)
        child.wait_for_ok(f"http://127.0.0.1:{port}/readyz", GATEWAY_TIMEOUT_S)
        yield child, f"http://127.0.0.1:{port}/mcp/{CONNECTION}"


def guarded(settings: GatewaySettings, jwks_file: Path, policy_file: Path) -> GatewaySettings:
    """The same gateway with identity, and access, policy and quotas on its connections."""
    issuer = Issuer("people", ISSUER, jwks_file=jwks_file)
    url = f"http://{settings.host}:{settings.port}"
    many = Rate(per_second=1e6, burst=100_000)
    connections = tuple(
        replace(
            connection,
            policy_file=policy_file,
            access=Access(groups=("bench",)),
            quota=Quota(many, 10_000, many, 10_000),
        )
        for connection in settings.connections
    )
    return replace(settings, identity=IdentitySettings("oidc", url, (issuer,)), connections=connections)


def main() -> None:
    """Serve the gateway until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alone", description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--config", type=Path, help="what it serves, in the place of all that follows")
    parser.add_argument("--port", type=int)
    parser.add_argument("--upstream")
    parser.add_argument("--jwks", type=Path, help="ask for tokens signed by these keys")
    parser.add_argument("--policy", type=Path, help="judge by this policy, with quotas on")
    parser.add_argument("--masking", default="secrets", help="masking profile")
    chosen = parser.parse_args()
    if chosen.config:
        from sluicegate.settings import load  # noqa: PLC0415 - what is measured without it needs none of it

        serve(load(chosen.config).gateway_settings(), KafkaAddress(chosen.bootstrap, embedded=True))
        return
    connection = Connection(CONNECTION, upstream=chosen.upstream, masking=chosen.masking)
    settings = GatewaySettings("127.0.0.1", chosen.port, (connection,), masking_key=bytes(32))
    if chosen.jwks:
        settings = guarded(settings, chosen.jwks, chosen.policy)
    serve(settings, KafkaAddress(chosen.bootstrap, embedded=True))


if __name__ == "__main__":
    main()
