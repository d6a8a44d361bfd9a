"""A kubeconfig in the whole gateway: what the API server sees, what the client gets, and what the trail holds."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.settings import Connection, Impersonation
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import served
from tests.gateway.kube_credentials.conftest import EXEC, ApiServer, Kube, inline, printing, script
from tests.support.certificates import Authority
from tests.support.trail import frames_of, read_frames

THEIRS = "theirs-71cde0"
OURS = "ours-c01f9a"
PODS = "/k8s/prod/api/v1/namespaces/default/pods"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def asked(
    client: aiohttp.ClientSession, kafka: KafkaAddress, connection: Connection, **headers: str
) -> tuple[int, dict[str, object], list[FrameRecorded]]:
    """Status and body of one GET of pods, and its frames; no record, log or metric of which holds a secret."""
    sent = {"Authorization": f"Bearer {THEIRS}", **headers}
    with capture_logs() as logs:
        async with served(kafka, connection, deadline_seconds=20) as gateway:
            root = f"http://127.0.0.1:{gateway.port}"
            async with client.get(f"{root}{PODS}", headers=sent) as response:
                status, body = response.status, await response.json(content_type=None)
            async with client.get(f"{root}/metrics") as response:
                metrics = await response.text()
            recorded = await read_frames(kafka.bootstrap)
            last = max(recorded, key=lambda row: row.frame["recorded_at"]).frame["exchange_id"]
            frames = await frames_of(kafka.bootstrap, str(last))
    everything = f"{metrics}{body}{[row.frame for row in recorded]}{logs}"
    assert OURS not in everything
    assert THEIRS not in everything
    return status, body, frames


async def test_the_api_server_sees_our_certificate_and_the_record_names_its_user(
    client: aiohttp.ClientSession, kafka: KafkaAddress, kube: Kube, server: ApiServer, authority: Authority
) -> None:
    ours = authority.issue("robot")
    connection = replace(
        kube.connection(
            **{"client-certificate-data": inline(ours.certificate), "client-key-data": inline(ours.key)}
        ),
        cluster="prod-eu",
    )
    status, _, frames = await asked(client, kafka, connection)
    assert status == 200
    ((name, headers),) = server.seen
    assert name == "robot"
    assert "authorization" not in headers
    for frame in frames:
        assert frame["attributes"]["k8s.user"] == "robot"
        assert frame["attributes"]["k8s.cluster.name"] == "prod-eu"
        assert frame["attributes"]["k8s.kubeconfig.user"] == "gateway"


async def test_a_programs_token_goes_to_the_api_server_and_nowhere_else(
    client: aiohttp.ClientSession, kafka: KafkaAddress, kube: Kube, server: ApiServer
) -> None:
    plugin = script(kube.folder, printing(f'{{"token": "{OURS}"}}'))
    status, _, _ = await asked(client, kafka, kube.connection(exec=EXEC | {"command": str(plugin)}))
    assert status == 200
    assert server.seen[0][1].getall("authorization") == [f"Bearer {OURS}"]


async def test_g3_a_program_that_fails_is_a_502_on_record_and_the_api_server_sees_nothing(
    client: aiohttp.ClientSession, kafka: KafkaAddress, kube: Kube, server: ApiServer
) -> None:
    plugin = script(kube.folder, f"echo {OURS}; exit 3")
    status, body, frames = await asked(client, kafka, kube.connection(exec=EXEC | {"command": str(plugin)}))
    assert status == 502
    assert body["kind"] == "Status"
    assert "its credential program ended with exit code 3" in str(body["message"])
    assert (frames[-1]["outcome"], frames[-1]["reason_code"]) == ("upstream_failed", "credential_unavailable")
    assert not server.seen


async def test_a_client_that_says_who_it_wants_to_be_is_refused(
    client: aiohttp.ClientSession, kafka: KafkaAddress, kube: Kube, server: ApiServer
) -> None:
    connection = replace(kube.connection(token=OURS), impersonate=Impersonation())
    status, body, frames = await asked(client, kafka, connection, **{"Impersonate-User": "admin"})
    assert (status, body["reason"]) == (403, "Forbidden")
    assert frames[-1]["reason_code"] == "impersonation_not_allowed"
    assert not server.seen


async def test_a_caller_with_a_name_of_kubernetes_own_is_a_502_on_record(
    client: aiohttp.ClientSession, kafka: KafkaAddress, kube: Kube, server: ApiServer
) -> None:
    terms = Impersonation(user_prefix="system:")  # the caller is `anonymous` here
    status, body, frames = await asked(client, kafka, replace(kube.connection(token=OURS), impersonate=terms))
    assert status == 502
    assert "one of Kubernetes's own" in str(body["message"])
    assert frames[-1]["reason_code"] == "credential_unavailable"
    assert not server.seen


async def test_an_api_server_of_another_authority_gets_no_credential(
    client: aiohttp.ClientSession, kafka: KafkaAddress, kube: Kube, server: ApiServer, tmp_path: Path
) -> None:
    kube.cluster["certificate-authority-data"] = inline(Authority(tmp_path, "other authority").ca)
    status, body, frames = await asked(client, kafka, kube.connection(token=OURS))
    assert status == 502
    assert "its certificate: " in str(body["message"])
    assert frames[-1]["reason_code"] == "upstream_unreachable"
    assert not server.seen
