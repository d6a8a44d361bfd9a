"""What a kubeconfig's user shows a real TLS server: tokens, client certificates, a program's certificate; and that a
file that changes is followed, but never to another server."""

import asyncio
import json
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.client_certificate import common_name
from gateway.edge.credentials.kubeconfig import (
    KubeConfigCredential,
    certificate_of,
    kubeconfig_credential,
    resolved,
)
from gateway.edge.credentials.kubeconfig_file import KubeConfigError
from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.tls import ClientTls
from gateway.sessions import Principal
from gateway.settings import Connection, ConnectionKind, UpstreamTls
from tests.gateway.kube_credentials.conftest import (
    EXEC,
    ApiServer,
    Clock,
    Kube,
    inline,
    printing,
    script,
    way,
)
from tests.support.certificates import Authority, Pair

CANARY = "cAnArY-5e7a91d3"


def certificate(pair: Pair) -> dict[str, str]:
    return {"client-certificate-data": inline(pair.certificate), "client-key-data": inline(pair.key)}


def credential(connection: Connection, clock: Clock) -> KubeConfigCredential:
    assert connection.kubeconfig
    return KubeConfigCredential(connection.kubeconfig, connection.name, clock=clock)


async def test_a_token_is_shown_and_the_clients_own_is_not(
    kube: Kube, server: ApiServer, ann: Principal
) -> None:
    connection = kube.connection(token="t0ken")
    async with way(resolved(connection), kubeconfig_credential(connection)) as there:
        assert await there.get(ann) == 200
    ((name, headers),) = server.seen
    assert (name, headers["authorization"]) == ("", "Bearer t0ken")


@pytest.mark.parametrize("form", ["data", "files"])
async def test_a_client_certificate_is_shown(
    kube: Kube, server: ApiServer, authority: Authority, ann: Principal, form: str
) -> None:
    ours = authority.issue("gateway")
    user = (
        certificate(ours)
        if form == "data"
        else {"client-certificate": ours.certificate.name, "client-key": ours.key.name}
    )
    connection = kube.connection(**user)
    injector = kubeconfig_credential(connection)
    async with way(resolved(connection), injector) as there:
        assert await there.get(ann) == 200
    ((name, headers),) = server.seen
    assert name == "gateway"
    assert "authorization" not in headers
    assert injector.known() == {"k8s.user": "gateway", "k8s.kubeconfig.user": "gateway"}


async def test_a_key_in_the_file_goes_with_a_certificate_beside_it(
    kube: Kube, server: ApiServer, authority: Authority, ann: Principal
) -> None:
    ours = authority.issue("gateway")
    connection = kube.connection(
        **{"client-certificate": ours.certificate.name, "client-key-data": inline(ours.key)}
    )
    async with way(resolved(connection), kubeconfig_credential(connection)) as there:
        assert await there.get(ann) == 200
    assert server.seen[0][0] == "gateway"


async def test_a_token_file_is_read_again_when_it_changes(
    kube: Kube, server: ApiServer, ann: Principal, clock: Clock
) -> None:
    (kube.folder / "token").write_text("one\n")
    connection = kube.connection(tokenFile="token", token="overridden")
    async with way(resolved(connection), credential(connection, clock)) as there:
        await there.get(ann)
        replaced(kube.folder / "token", "two\n")
        clock.now += 1
        await there.get(ann)
    assert [headers["authorization"] for _, headers in server.seen] == ["Bearer one", "Bearer two"]


def replaced(path: Path, content: str) -> None:
    """As a kubelet does it: another file under the name."""
    fresh = path.with_suffix(".new")
    fresh.write_text(content)
    fresh.replace(path)


async def test_a_new_token_in_the_kubeconfig_is_shown(
    kube: Kube, server: ApiServer, ann: Principal, clock: Clock
) -> None:
    connection = kube.connection(token="one")
    async with way(resolved(connection), credential(connection, clock)) as there:
        await there.get(ann)
        kube.write(token="two")
        await there.get(ann)
        clock.now += 1
        await there.get(ann)
    assert [headers["authorization"] for _, headers in server.seen] == [
        "Bearer one",
        "Bearer one",
        "Bearer two",
    ]


async def test_a_new_certificate_in_the_kubeconfig_is_shown_and_old_connections_are_left(
    kube: Kube, server: ApiServer, authority: Authority, ann: Principal, clock: Clock
) -> None:
    connection = kube.connection(**certificate(authority.issue("gateway")))
    injector = credential(connection, clock)
    async with way(resolved(connection), injector) as there:
        await there.get(ann)
        await there.get(ann)
        kube.write(**certificate(authority.issue("gateway-2")))
        clock.now += 1
        await there.get(ann)
    assert [name for name, _ in server.seen] == ["gateway", "gateway", "gateway-2"]
    assert injector.known()["k8s.user"] == "gateway-2"


async def test_an_authority_that_is_taken_out_of_the_kubeconfig_is_believed_no_more(
    kube: Kube, server: ApiServer, authority: Authority, ann: Principal, clock: Clock, tmp_path: Path
) -> None:
    connection = kube.connection(token="t0ken")
    async with way(resolved(connection), credential(connection, clock)) as there:
        assert await there.get(ann) == 200
        kube.cluster["certificate-authority-data"] = inline(Authority(tmp_path, "other authority").ca)
        kube.write()
        clock.now += 1
        with pytest.raises(UpstreamBrokenError) as raised:
            await there.get(ann)
    assert "its certificate: self-signed certificate in certificate chain" in str(raised.value.fact)
    assert len(server.seen) == 1


async def test_the_name_in_the_kubeconfig_is_the_one_expected(
    kube: Kube, server: ApiServer, ann: Principal, clock: Clock
) -> None:
    kube.cluster["tls-server-name"] = "kubernetes"
    connection = kube.connection(token="t0ken")
    async with way(resolved(connection), credential(connection, clock)) as there:
        with pytest.raises(UpstreamBrokenError) as raised:
            await there.get(ann)
    assert "its certificate: is for another name" in str(raised.value.fact)


async def test_a_programs_certificate_is_shown_and_the_next_one_after_it(
    kube: Kube, server: ApiServer, authority: Authority, ann: Principal, clock: Clock
) -> None:
    def given(name: str) -> None:
        pair = authority.issue(name)
        status = {
            "clientCertificateData": pair.certificate.read_text(),
            "clientKeyData": pair.key.read_text(),
        }
        answer = {"apiVersion": EXEC["apiVersion"], "kind": "ExecCredential", "status": status}
        (kube.folder / "answer").write_text(json.dumps(answer))

    plugin = script(kube.folder, f"cat {kube.folder}/answer")
    connection = kube.connection(exec=EXEC | {"command": str(plugin)})
    injector = credential(connection, clock)
    async with way(resolved(connection), injector) as there:
        assert injector.known() == {"k8s.kubeconfig.user": "gateway"}, "nobody has asked the program yet"
        given("robot")
        await there.get(ann)
        await there.get(ann)
        given("robot-2")
        clock.now += 301
        await there.get(ann)
    assert [name for name, _ in server.seen] == ["robot", "robot", "robot-2"]
    assert not [headers for _, headers in server.seen if "authorization" in headers]
    assert injector.known()["k8s.user"] == "robot-2"


async def test_who_waits_for_a_program_that_the_kubeconfig_names_no_more_gets_what_it_names_now(
    kube: Kube, server: ApiServer, authority: Authority, ann: Principal, clock: Clock
) -> None:
    late = printing('{"token": "late"}')
    wait = f"touch {kube.folder}/asked; while ! [ -e {kube.folder}/go ]; do sleep 0.05; done; {late}"
    connection = kube.connection(exec=EXEC | {"command": str(script(kube.folder, wait))})
    injector = credential(connection, clock)
    async with way(resolved(connection), injector) as there:
        waiting = asyncio.create_task(injector.headers(ann, ""))
        async with asyncio.timeout(30):
            while not (kube.folder / "asked").exists():
                await asyncio.sleep(0.01)
        kube.write(**certificate(authority.issue("gateway")))
        clock.now += 1
        assert await there.get(ann) == 200
        (kube.folder / "go").touch()
        assert await waiting == []
        assert await there.get(ann) == 200
    assert [name for name, _ in server.seen] == ["gateway", "gateway"]


async def test_a_kubeconfig_that_names_another_server_is_not_followed(
    kube: Kube, server: ApiServer, ann: Principal, clock: Clock
) -> None:
    connection = kube.connection(token=CANARY)
    before = dict(kube.cluster)
    with capture_logs() as logs:
        async with way(resolved(connection), credential(connection, clock)) as there:
            kube.cluster = {"server": "https://127.0.0.1:1"}
            kube.write()
            clock.now += 1
            for _ in range(2):
                with pytest.raises(CredentialError, match="names another server now; restart the gateway"):
                    await there.get(ann)
            kube.cluster = before
            kube.write()
            clock.now += 1
            assert await there.get(ann) == 200
    assert len(server.seen) == 1
    assert [entry["event"] for entry in logs] == ["credential_unavailable"]
    assert CANARY not in str(logs)


@pytest.mark.parametrize("spoilt", ["gone", "empty", "left unverified"])
async def test_a_kubeconfig_that_is_spoilt_refuses_until_it_is_right_again(
    kube: Kube, server: ApiServer, ann: Principal, clock: Clock, spoilt: str
) -> None:
    connection = kube.connection(token=CANARY)
    aside = kube.folder / "aside"
    shutil.copy(kube.file, aside)
    with capture_logs() as logs:
        async with way(resolved(connection), credential(connection, clock)) as there:
            if spoilt == "gone":
                kube.file.unlink()
            elif spoilt == "empty":
                replaced(kube.file, "")
            else:
                kube.cluster["insecure-skip-tls-verify"] = True
                kube.write()
            clock.now += 1
            with pytest.raises(CredentialError) as raised:
                await there.get(ann)
            assert raised.value.reason == "its kubeconfig cannot be used"
            shutil.move(aside, kube.file)
            clock.now += 1
            assert await there.get(ann) == 200
    assert str(kube.file) in str(logs)
    assert CANARY not in str(logs)


def test_a_kubeconfig_that_cannot_be_used_stops_the_start(kube: Kube) -> None:
    connection = kube.connection(username="a", password=CANARY)
    for use in (resolved, kubeconfig_credential):
        with pytest.raises(KubeConfigError, match="passwords are taken by no API server"):
            use(connection)


def test_a_connection_without_kubeconfig_has_no_such_credential() -> None:
    with pytest.raises(ValueError, match="has no kubeconfig"):
        kubeconfig_credential(Connection("prod", ConnectionKind.KUBERNETES, upstream="https://a"))


def token_of(account: str) -> str:
    claims = urlsafe_b64encode(json.dumps({"sub": f"system:serviceaccount:sluicegate:{account}"}).encode())
    return f"e30.{claims.decode().rstrip('=')}.{CANARY}"


@pytest.mark.parametrize("form", ["token", "tokenFile"])
async def test_whom_a_token_names_is_known_before_it_is_shown_after_each_change_too(
    kube: Kube, clock: Clock, form: str
) -> None:
    def put(account: str) -> Connection:
        replaced(kube.folder / "token", token_of(account))
        return kube.connection(**{form: token_of(account) if form == "token" else "token"})

    injector = credential(put("one"), clock)
    assert injector.known()["k8s.user"] == "system:serviceaccount:sluicegate:one"
    put("two")
    clock.now += 1
    assert injector.known()["k8s.user"] == "system:serviceaccount:sluicegate:two"
    assert CANARY not in str(injector.known())
    kube.file.unlink()
    clock.now += 1
    assert "k8s.kubeconfig.user" in injector.known(), "what cannot be read is told by who needs it"


def test_secrets_are_in_no_repr(kube: Kube, authority: Authority) -> None:
    for user in ({"token": CANARY}, certificate(authority.issue("gateway"))):
        connection = kube.connection(**user)
        injector = kubeconfig_credential(connection)
        source = certificate_of(injector)
        assert source
        shown = f"{injector!r}{vars(injector)}{resolved(connection)!r}{source()!r}"
        assert CANARY not in shown
        assert "PRIVATE KEY" not in shown


def test_a_key_in_memory_is_never_on_a_disk(authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue("gateway")
    tls = UpstreamTls(
        ca_data=authority.ca.read_text(),
        certificate_data=ours.certificate.read_text(),
        key_data=ours.key.read_text(),
    )
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert ClientTls(tls).context().check_hostname
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert not [link for link in Path("/proc/self/fd").iterdir() if "memfd" in str(link.resolve())]


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    ours, other = authority.issue("gateway"), authority.issue("other")
    tls = UpstreamTls(certificate_data=ours.certificate.read_text(), key_data=other.key.read_text())
    with pytest.raises(OSError, match="KEY_VALUES_MISMATCH"):
        ClientTls(tls).context()


@pytest.mark.parametrize(
    "pem", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_names_nobody(pem: str) -> None:
    assert common_name(pem) == ""
