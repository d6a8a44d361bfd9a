"""TLS towards upstream, against real servers: who is believed, what is shown, and never anything without it."""

import datetime as dt
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.tls import ClientTls
from gateway.edge.upstream import HttpUpstream
from gateway.effects import Broken, Forward
from gateway.settings import Connection, UpstreamTls
from tests.gateway.credentials.conftest import Clock
from tests.support.certificates import Authority, Pair, server_context

REQUEST = Forward("session", "POST", "", [(b"x-test", b"1")], b"{}")


@dataclass
class Server:
    """A TLS server that remembers the names its clients showed."""

    url: str = ""
    clients: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport
        shown = request.transport.get_extra_info("peercert") or {}
        names = [value for parts in shown.get("subject", ()) for _, value in parts]
        self.clients.append(names[0] if names else "")
        return web.json_response({})


@asynccontextmanager
async def server(context: ssl.SSLContext | None) -> AsyncIterator[Server]:
    served = Server()
    app = web.Application()
    app.router.add_post("/mcp", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    served.url = f"https://127.0.0.1:{runner.addresses[0][1]}/mcp"
    try:
        yield served
    finally:
        await runner.cleanup()


async def asked(served: Server, tls: UpstreamTls | None, upstream: HttpUpstream | None = None) -> int:
    """The status of one exchange over a new connection. Raises UpstreamBrokenError."""
    upstream = upstream or HttpUpstream(Connection("a", upstream=served.url, tls=tls))
    carrier = await upstream.ask(REQUEST)
    try:
        status = (await carrier.head()).status
        await carrier.body(1_000)
        return status
    finally:
        carrier.abort()
        upstream.done(carrier)


async def refused(served: Server, tls: UpstreamTls | None) -> Broken:
    """Why the exchange failed; a refusal with nothing sent, which clients see as 502."""
    with pytest.raises(UpstreamBrokenError) as raised:
        await asked(served, tls)
    assert isinstance(raised.value.fact, Broken)
    return raised.value.fact


async def test_a_server_of_an_authority_that_the_connection_names_is_believed(authority: Authority) -> None:
    async with server(server_context(authority.issue("127.0.0.1"))) as served:
        assert await asked(served, UpstreamTls(ca_file=authority.ca)) == 200
    assert served.clients == [""]


async def test_abuse_33_an_unknown_authority_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other authority")
    async with server(server_context(authority.issue("127.0.0.1"))) as served:
        for tls in (None, UpstreamTls(), UpstreamTls(ca_file=other.ca)):
            fact = await refused(served, tls)
            assert (fact.outcome, fact.reason_code, fact.sent) == (
                "upstream_failed",
                "upstream_unreachable",
                False,
            )
            assert "its certificate: unable to get local issuer certificate" in fact.reason
    assert not served.clients


async def test_abuse_33_an_expired_certificate_is_not_believed(authority: Authority) -> None:
    async with server(
        server_context(authority.issue("127.0.0.1", ends_in=dt.timedelta(seconds=-5)))
    ) as served:
        fact = await refused(served, UpstreamTls(ca_file=authority.ca))
    assert fact.reason == "its certificate: certificate has expired"
    assert not served.clients


@pytest.mark.parametrize("name", ["secret.internal", "127.0.0.2"])
async def test_abuse_33_a_certificate_for_another_name_is_not_believed_and_the_name_not_told(
    authority: Authority, name: str
) -> None:
    async with server(server_context(authority.issue(name))) as served:
        fact = await refused(served, UpstreamTls(ca_file=authority.ca))
    assert fact.reason == "its certificate: is for another name"
    assert not served.clients


async def test_the_name_to_expect_can_be_given(authority: Authority) -> None:
    async with server(server_context(authority.issue("tools.internal"))) as served:
        assert await asked(served, UpstreamTls(ca_file=authority.ca, server_name="tools.internal")) == 200


async def test_abuse_33_a_server_without_tls_is_not_spoken_to(authority: Authority) -> None:
    async with server(None) as served:
        fact = await refused(served, UpstreamTls(ca_file=authority.ca))
    assert (fact.reason_code, fact.sent) == ("upstream_unreachable", False)
    assert not served.clients


async def test_our_certificate_is_shown_to_a_server_that_asks(authority: Authority) -> None:
    ours = authority.issue("gateway")
    async with server(server_context(authority.issue("127.0.0.1"), authority.ca)) as served:
        tls = UpstreamTls(ca_file=authority.ca, certificate_file=ours.certificate, key_file=ours.key)
        assert await asked(served, tls) == 200
        fact = await refused(served, UpstreamTls(ca_file=authority.ca))
        assert fact.outcome == "upstream_failed"
    assert served.clients == ["gateway"]


async def test_a_key_may_stand_in_the_file_of_the_certificate(authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue("gateway")
    both = tmp_path / "both.pem"
    both.write_bytes(ours.certificate.read_bytes() + ours.key.read_bytes())
    async with server(server_context(authority.issue("127.0.0.1"), authority.ca)) as served:
        assert await asked(served, UpstreamTls(ca_file=authority.ca, certificate_file=both)) == 200
    assert served.clients == ["gateway"]


async def test_a_new_certificate_is_shown_on_new_connections(authority: Authority, clock: Clock) -> None:
    ours = authority.issue("gateway")
    files = UpstreamTls(ca_file=authority.ca, certificate_file=ours.certificate, key_file=ours.key)
    tls = ClientTls(files, clock)
    first = tls.context()
    clock.now += 5
    assert tls.context() is first, "nothing has changed"
    put(authority.issue("gateway-2"), ours)
    assert tls.context() is first, "files are looked at once a second"
    clock.now += 1
    assert tls.context() is not first
    async with server(server_context(authority.issue("127.0.0.1"), authority.ca)) as served:
        assert await asked(served, files) == 200
    assert served.clients == ["gateway-2"]


def put(fresh: Pair, place: Pair) -> None:
    shutil.move(fresh.certificate, place.certificate)
    shutil.move(fresh.key, place.key)


async def test_a_file_that_has_gone_refuses_new_connections_until_it_is_back(
    authority: Authority, clock: Clock, tmp_path: Path
) -> None:
    tls = ClientTls(UpstreamTls(ca_file=authority.ca), clock)
    tls.context()
    aside = authority.ca.rename(tmp_path / "aside.pem")
    clock.now += 1
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            tls.context()
    aside.rename(authority.ca)
    assert tls.context()


async def test_a_key_under_a_passphrase_asks_nobody(authority: Authority) -> None:
    ours = authority.issue("gateway", passphrase=b"geheim")
    async with server(server_context(authority.issue("127.0.0.1"), authority.ca)) as served:
        tls = UpstreamTls(ca_file=authority.ca, certificate_file=ours.certificate, key_file=ours.key)
        fact = await refused(served, tls)
    assert (fact.reason_code, fact.reason, fact.sent) == ("upstream_unreachable", "SSLError", False)


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    context = ClientTls(UpstreamTls(ca_file=authority.ca)).context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
