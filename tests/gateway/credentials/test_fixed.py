"""A fixed credential is on every request, is read again when its file changes, and fails closed."""

import os
from base64 import b64decode
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.edge.credentials import ClientsHeaders, CredentialError, NoCredential, credential_for
from gateway.edge.credentials.fixed import Fixed
from gateway.edge.credentials.secret import Secret
from gateway.sessions import Principal
from gateway.settings import ClientsOwn, Connection, FixedCredential, SecretSource, TokenExchange
from tests.gateway.credentials.conftest import Clock

ENV = SecretSource(env="TICKETS_TOKEN")


def fixed(credential: FixedCredential, clock: Clock, **environ: str) -> Fixed:
    return Fixed(credential, Secret(credential.secret, "tickets", clock=clock, environ=environ), clock)


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        (FixedCredential("bearer", ENV), (b"authorization", b"Bearer t0ken")),
        (FixedCredential("header", ENV, header="X-Api-Key"), (b"x-api-key", b"t0ken")),
        (FixedCredential("basic", ENV, username="app"), (b"authorization", b"Basic YXBwOnQwa2Vu")),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
async def test_each_kind_makes_its_header(
    credential: FixedCredential, header: tuple[bytes, bytes], ann: Principal, clock: Clock
) -> None:
    injector = fixed(credential, clock, TICKETS_TOKEN="t0ken")
    for _ in range(3):
        assert await injector.headers(ann, "ignored") == [header]


async def test_a_password_may_hold_any_text(ann: Principal, clock: Clock) -> None:
    injector = fixed(FixedCredential("basic", ENV, username="jörg"), clock, TICKETS_TOKEN=" pä:ss ")
    ((_, value),) = await injector.headers(ann, "")
    assert b64decode(value.removeprefix(b"Basic ")).decode() == "jörg: pä:ss "


async def test_a_file_is_read_again_when_it_changes_looked_at_once_a_second(
    tmp_path: Path, ann: Principal, clock: Clock
) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    injector = fixed(FixedCredential("bearer", SecretSource(file=file)), clock)
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer one")]
    file.write_text("two\r\n")
    clock.now += 0.9
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer one")]
    clock.now += 0.2
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer two")]


async def test_a_secret_mounted_by_link_is_followed_when_the_link_moves(
    tmp_path: Path, ann: Principal, clock: Clock
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(10**18, 10**18))
    link = tmp_path / "token"
    link.symlink_to(tmp_path / "one")
    injector = fixed(FixedCredential("bearer", SecretSource(file=link)), clock)
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer one")]
    (tmp_path / "next").symlink_to(tmp_path / "two")
    (tmp_path / "next").replace(link)
    clock.now += 1
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer two")]


async def test_a_file_that_has_gone_ends_the_credential_and_one_that_comes_back_restores_it(
    tmp_path: Path, ann: Principal, clock: Clock
) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    injector = fixed(FixedCredential("bearer", SecretSource(file=file)), clock)
    await injector.headers(ann, "")
    file.unlink()
    clock.now += 1
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(CredentialError, match="cannot be read") as raised:
                await injector.headers(ann, "")
            clock.now += 1
    assert str(tmp_path) not in raised.value.reason
    assert [(entry["event"], entry["file"]) for entry in logs] == [("credential_unavailable", str(file))]
    file.write_text("one")
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer one")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\r\nX-Admin: 1", "control characters"),
        (b"a\x00b", "control characters"),
        (b"a\nb\n", "control characters"),
        (b"\xff\xfe", "is not UTF-8"),
        ("gehäim".encode(), "no header takes"),
        (b"a" * 70_000, "longer than"),
    ],
    ids=["empty", "newline", "header injection", "NUL", "two lines", "bytes", "not ASCII", "long"],
)
async def test_a_secret_that_no_header_takes_is_refused(
    tmp_path: Path, ann: Principal, clock: Clock, content: bytes, told: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    injector = fixed(FixedCredential("bearer", SecretSource(file=file)), clock)
    for _ in range(2):
        with pytest.raises(CredentialError, match=told):
            await injector.headers(ann, "")


async def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(
    tmp_path: Path, ann: Principal, clock: Clock
) -> None:
    os.mkfifo(tmp_path / "token")
    injector = fixed(FixedCredential("bearer", SecretSource(file=tmp_path / "token")), clock)
    with pytest.raises(CredentialError, match="regular file"):
        await injector.headers(ann, "")


async def test_a_variable_that_is_not_set_is_told(ann: Principal, clock: Clock) -> None:
    with pytest.raises(CredentialError, match="not set in the environment"):
        await fixed(FixedCredential("bearer", ENV), clock).headers(ann, "")


async def test_the_clients_header_of_our_name_never_stands_beside_ours(ann: Principal, clock: Clock) -> None:
    injector = fixed(FixedCredential("header", ENV, header="X-Tenant"), clock, TICKETS_TOKEN="ours")
    assert injector.strip([(b"x-tenant", b"theirs"), (b"accept", b"*/*")]) == [(b"accept", b"*/*")]


async def test_a_connection_without_credential_adds_nothing_and_lets_nothing_through(ann: Principal) -> None:
    injector = credential_for(Connection("a", upstream="http://127.0.0.1:1/"), "oidc")
    assert isinstance(injector, NoCredential)
    assert await injector.headers(ann, "token") == []
    assert injector.strip([(b"authorization", b"Bearer token")]) == []


async def test_what_the_client_sends_goes_on_only_where_the_gateway_asks_for_nothing(ann: Principal) -> None:
    connection = Connection("a", upstream="http://127.0.0.1:1/", credential=ClientsOwn())
    injector = credential_for(connection, "none")
    assert isinstance(injector, ClientsHeaders)
    assert injector.strip([(b"authorization", b"Bearer own")]) == [(b"authorization", b"Bearer own")]
    with pytest.raises(ValueError, match="never goes on"):
        credential_for(connection, "oidc")


def test_an_exchange_needs_identity() -> None:
    credential = TokenExchange("http://127.0.0.1:1/token", "gateway", ENV)
    with pytest.raises(ValueError, match="no token to exchange"):
        credential_for(Connection("a", upstream="http://127.0.0.1:1/", credential=credential), "none")
