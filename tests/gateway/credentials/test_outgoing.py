"""What really goes over the wire: the gateway's credential, and nothing that the client showed."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edge.credentials import credential_for, outgoing
from gateway.edge.upstream import HttpUpstream
from gateway.effects import Forward
from gateway.frames.headers import Headers, towards_upstream
from gateway.sessions import Principal
from gateway.settings import Connection, FixedCredential, SecretSource
from tests.gateway.credentials.test_strip import BELIEVED_SOMEWHERE, CREDENTIAL_NAMES, NO_CREDENTIALS

THEIRS = b"cAnArY-of-the-client"
OURS = b"ours-0f6b"
ANN = Principal("https://id.example.com", "ann", "jti-1")


@dataclass
class Wire:
    """A loop with a raw upstream in it, which keeps all that it is sent."""

    loop: asyncio.AbstractEventLoop
    port: int = 0
    seen: bytearray = field(default_factory=bytearray)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen += await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    def sent(self, headers: Headers) -> bytes:
        """The head of the request that upstream got for what a client sent."""
        self.seen.clear()
        self.loop.run_until_complete(self._exchange(headers))
        return bytes(self.seen)

    async def _exchange(self, headers: Headers) -> None:
        credential = FixedCredential("header", SecretSource(env="OURS"), header="X-Tenant")
        connection = Connection("a", upstream=f"http://127.0.0.1:{self.port}/", credential=credential)
        injector, upstream = credential_for(connection, "oidc"), HttpUpstream(connection)
        going = await outgoing(injector, towards_upstream(headers), ANN, THEIRS.decode())
        carrier = await upstream.ask(Forward("session", "POST", "", going, b""))
        await carrier.body(0)
        upstream.done(carrier)
        await upstream.close()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("OURS", OURS.decode())
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        made = Wire(loop)
        server = loop.run_until_complete(asyncio.start_server(made.answer, "127.0.0.1", 0))
        made.port = server.sockets[0].getsockname()[1]
        yield made
        server.close()
        loop.run_until_complete(server.wait_closed())


NAMES = st.one_of(st.sampled_from(BELIEVED_SOMEWHERE), CREDENTIAL_NAMES, st.just(b"x-tenant"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, max_size=12), others=st.lists(st.sampled_from(NO_CREDENTIALS[:3]), unique=True))
def test_abuse_60_whatever_a_client_sends_as_credential_upstream_sees_ours_alone(
    wire: Wire, names: list[bytes], others: list[bytes]
) -> None:
    kept = {b"idempotency-key", b"x-idempotency-key", b"surrogate-key"}
    headers = [(name, THEIRS) for name in names if name.replace(b"_", b"-") not in kept]
    sent = wire.sent([*((name, b"kept") for name in others), *headers])
    assert THEIRS not in sent
    assert sent.count(b"x-tenant: " + OURS) == 1
    assert [name for name in others if name + b": kept" in sent] == others
