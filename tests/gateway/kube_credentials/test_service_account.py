"""A service account's token is read again when the kubelet renews it, and names its account on the record."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.service_account import ServiceAccountToken, account_of, in_cluster
from gateway.sessions import Principal
from gateway.settings import ServiceAccount, UpstreamTls
from tests.gateway.kube_credentials.conftest import Clock

CANARY = "cAnArY-5e7a91d3"


def token(claims: str, signature: str = CANARY) -> str:
    return f"e30.{urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.{signature}"


GATEWAY = token('{"sub": "system:serviceaccount:sluicegate:gateway"}')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As a projected volume: the files are links into a folder that is replaced as a whole."""
    volume(tmp_path, "..1", GATEWAY)
    (tmp_path / "token").symlink_to("..data/token")
    return tmp_path


def volume(folder: Path, name: str, content: str) -> None:
    (folder / name).mkdir()
    (folder / name / "token").write_text(content)
    (folder / "..data_tmp").symlink_to(name)
    (folder / "..data_tmp").replace(folder / "..data")


async def test_a_token_that_the_kubelet_renews_is_shown(folder: Path, ann: Principal, clock: Clock) -> None:
    injector = ServiceAccountToken(ServiceAccount(folder / "token"), "prod", clock)
    assert injector.known() == {"k8s.user": "system:serviceaccount:sluicegate:gateway"}
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer " + GATEWAY.encode())]
    other = token('{"sub": "system:serviceaccount:sluicegate:other"}')
    volume(folder, "..2", other)
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer " + GATEWAY.encode())], (
        "files are looked at once a second"
    )
    clock.now += 1
    assert injector.known() == {"k8s.user": "system:serviceaccount:sluicegate:other"}, "before it is shown"
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer " + other.encode())]


async def test_a_token_that_has_gone_refuses_until_it_is_back(
    folder: Path, ann: Principal, clock: Clock
) -> None:
    injector = ServiceAccountToken(ServiceAccount(folder / "token"), "prod", clock)
    await injector.headers(ann, "")
    (folder / "..data").rename(folder / "aside")
    clock.now += 1
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(CredentialError, match="its secret cannot be read"):
                await injector.headers(ann, "")
            assert injector.known() == {}
    assert len(logs) == 1
    assert str(folder) in str(logs)
    (folder / "aside").rename(folder / "..data")
    clock.now += 1
    assert await injector.headers(ann, "")


async def test_a_token_that_no_header_takes_is_refused(folder: Path, ann: Principal, clock: Clock) -> None:
    for content in ("", f"{CANARY}\r\nX: y", f"{CANARY}ä"):
        (folder / "..1" / "token").write_text(content)
        injector = ServiceAccountToken(ServiceAccount(folder / "token"), "prod", clock)
        with pytest.raises(CredentialError) as raised:
            await injector.headers(ann, "")
        assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        CANARY,
        "a.b.c",
        "e30..c",
        "e30.!!!.c",
        token("[]"),
        token('{"sub": 7}'),
        token('{"sub": "ann@example.com"}'),
        token('{"sub": "system:serviceaccount:a:b\\r\\nc"}'),
        token("{" * 10_000),
        "a" * 10_000,
    ],
)
def test_of_any_other_token_nothing_is_told(text: str) -> None:
    assert account_of(text) == ""


def test_a_pod_reaches_its_own_cluster(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    there = in_cluster(environ, tmp_path)
    assert there.upstream == "https://10.96.0.1:443"
    assert there.tls == UpstreamTls(tmp_path / "ca.crt")
    assert there.credential == ServiceAccount(tmp_path / "token")


def test_the_token_is_in_no_repr(folder: Path) -> None:
    injector = ServiceAccountToken(ServiceAccount(folder / "token"), "prod")
    assert CANARY not in f"{injector!r}{vars(injector)}"
