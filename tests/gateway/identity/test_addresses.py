"""Where a provider's metadata may lead the gateway, and where not (ABUSE 28 to 31)."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from gateway.edge.identity import Identity
from gateway.edge.identity.addresses import AddressError, Reach, expected_at, reach_of, resolve
from gateway.edge.identity.fetch import FetchError, fetch_object, origin_of
from gateway.settings import IdentitySettings, Issuer
from tests.gateway.identity.conftest import Open
from tests.gateway.identity.minting import Mint, ec_key, jwk, jwks, rsa_key
from tests.gateway.identity.provider import KEYS, METADATA, ProviderServer, provider_server, until

PUBLIC = frozenset({Reach.PUBLIC})


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("10.0.0.1", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd12::1", Reach.PRIVATE),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.8.8.8", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("64:ff9b::7f00:1", Reach.LOOPBACK),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("169.254.169.254", Reach.NOWHERE),
        ("::ffff:169.254.169.254", Reach.NOWHERE),
        ("64:ff9b::a9fe:a9fe", Reach.NOWHERE),
        ("2002:a9fe:a9fe::", Reach.NOWHERE),
        ("fe80::1", Reach.NOWHERE),
        ("fe80::1%eth0", Reach.NOWHERE),
        ("fd00:ec2::254", Reach.NOWHERE),
        ("100.100.100.200", Reach.NOWHERE),
        ("168.63.129.16", Reach.NOWHERE),
        ("0.0.0.0", Reach.NOWHERE),
        ("::", Reach.NOWHERE),
        ("224.0.0.1", Reach.NOWHERE),
        ("ff02::1", Reach.NOWHERE),
        ("255.255.255.255", Reach.NOWHERE),
        ("240.0.0.1", Reach.NOWHERE),
    ],
)
def test_abuse_30_an_address_is_known_for_what_it_is(address: str, reach: Reach) -> None:
    assert reach_of(ip_address(address)) == reach


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "localhost",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "::ffff:a9fe:a9fe",
        "10.1",
        "0xa000001",
        "192.168.257",
        "0",
        "0.0.0.0",
        "::",
        "fe80::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
async def test_abuse_30_no_spelling_of_an_inner_address_is_public(host: str) -> None:
    with pytest.raises(AddressError):
        await resolve(host, 443, PUBLIC)
    url = f"https://[{host}]/jwks" if ":" in host else f"https://{host}/jwks"
    with pytest.raises(FetchError):
        await fetch_object(url, PUBLIC, None)


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "fe80::1", "100.100.100.200", "2852039166"])
async def test_abuse_30_link_local_and_metadata_addresses_are_no_provider_even_by_name(host: str) -> None:
    with pytest.raises(AddressError):
        await resolve(host, 443, expected_at(host))


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "127.0.0.2"])
async def test_abuse_30_loopback_needs_its_plain_name(host: str) -> None:
    with pytest.raises(AddressError):
        await resolve(host, 443, expected_at(host))
    for plain in ("127.0.0.1", "localhost", "::1"):
        assert await resolve(plain, 443, expected_at(plain))


class Names:
    """A resolver of the system that gives another answer each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def getaddrinfo(self, _host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


async def test_abuse_29_the_address_that_was_checked_is_the_one_spoken_to(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(["127.0.0.1"], ["203.0.113.7"])
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    got = await fetch_object(f"http://provider.test:{provider.port}{KEYS}", frozenset({Reach.LOOPBACK}), None)
    assert got.document["keys"][0]["kid"] == "k1"
    assert names.asked == 1


async def test_abuse_29_one_inner_address_among_many_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(["8.8.8.8", "127.0.0.1"])
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    with pytest.raises(AddressError):
        await resolve("provider.test", 443, frozenset({Reach.PUBLIC, Reach.PRIVATE}))


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com",
        "http://10.0.0.1",
        "ftp://idp.example.com",
        "idp.example.com",
        "https://",
        "https://a@idp.example.com",
        "https://idp.example.com#x",
        "http://127.1",
        "http://localhost.evil.example",
        "https://[::1",
        "file:///etc/passwd",
        "",
    ],
)
def test_abuse_31_an_issuer_without_tls_is_refused_at_once(url: str) -> None:
    with pytest.raises(FetchError):
        Identity(IdentitySettings("oidc", "https://gate.example.com", (Issuer("people", url),)))
    with pytest.raises(FetchError):
        Identity(IdentitySettings("oidc", "", (Issuer("people", "https://a.example", jwks_url=url),)))


def test_origins_compare_by_scheme_name_and_port() -> None:
    assert origin_of("https://IdP.example.com/a?b", loopback_http=False) == "https://idp.example.com:443"
    assert origin_of("http://localhost:8080", loopback_http=True) == "http://localhost:8080"
    with pytest.raises(FetchError):
        origin_of("http://localhost:8080", loopback_http=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example{}",
        "http://169.254.169.254{}",
        "http://127.0.0.1:1{}",
        "http://localhost:{port}{}",
        "file:///etc/passwd",
        "//127.0.0.1:{port}{}",
        "{}",
        "http://user@127.0.0.1:{port}{}",
        "http://127.0.0.1:{port}@evil.example{}",
        "",
        None,
        5,
        ["http://127.0.0.1:{port}{}"],
    ],
    ids=repr,
)
async def test_abuse_31_keys_at_another_origin_are_not_fetched(
    open_door: Open, provider: ProviderServer, url: Any
) -> None:
    text = url.replace("{port}", str(provider.port)).replace("{}", KEYS) if isinstance(url, str) else url
    provider.documents[METADATA]["jwks_uri"] = text
    door = await open_door(ready=False)
    await until(lambda: "cannot be read" in door.identity.fault)
    assert (provider.asked[KEYS], door.identity.ready) == (0, False)


async def test_abuse_31_metadata_of_another_issuer_is_not_believed(
    open_door: Open, provider: ProviderServer
) -> None:
    for name in (f"{provider.issuer}/", "https://evil.example", None):
        provider.documents[METADATA]["issuer"] = name
        door = await open_door(ready=False)
        await until(lambda door=door: "another issuer" in door.identity.fault)
    assert provider.asked[KEYS] == 0


async def test_keys_may_lie_at_an_origin_that_is_listed(
    open_door: Open, provider: ProviderServer, mint: Mint
) -> None:
    async with provider_server() as elsewhere:
        elsewhere.publish(provider.documents[KEYS])
        provider.documents[METADATA]["jwks_uri"] = f"{elsewhere.issuer}{KEYS}"
        door = await open_door(origins=(elsewhere.issuer,))
        assert (await door.let_in(mint.token())).subject == "alice"
        assert (provider.asked[KEYS], elsewhere.asked[KEYS]) == (0, 1)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate and its key, for `localhost`."""
    key, now = ec_key(99), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "provider.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
async def over_tls(certificate: Path) -> AsyncIterator[Callable[[], str]]:
    """Keys over TLS; gives the address."""

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(jwks(jwk(rsa_key(), "k1")))

    app = web.Application()
    app.router.add_get(KEYS, keys)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield lambda: f"localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_provider_with_a_private_authority_is_believed_by_its_ca_file(
    over_tls: Callable[[], str], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback = frozenset({Reach.LOOPBACK})
    url = f"https://{over_tls()}{KEYS}"
    assert (await fetch_object(url, loopback, certificate)).document["keys"]
    with pytest.raises(FetchError, match="certificate"):
        await fetch_object(url, loopback, None)
    with pytest.raises(FetchError, match="certificate"):
        await fetch_object(url.replace("localhost", "127.0.0.1"), loopback, certificate)
    with pytest.raises(FetchError):
        await fetch_object(url, loopback, certificate.with_name("missing.pem"))
