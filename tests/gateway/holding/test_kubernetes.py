"""Connections of kind `kubernetes`: facts on the record, rules on objects, a `Status` where it is refused or held."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.settings import ConnectionKind, Impersonation, MaskingRules
from schemas.kafka import KafkaAddress
from tests.gateway.holding.office import Case, office
from tests.support.trail import read_frames

pytestmark = pytest.mark.usefixtures("approving")
POLICY = """
default: allow
rules:
  - name: no-deletecollection
    when: kubernetes.verb == "deletecollection"
    deny: one at a time
  - name: deletes
    when: kubernetes.verb == "delete" && kubernetes.namespace == "prod"
    hold: {reviewers: [owners], reason: it would be gone}
  - name: no-latest
    when: has(kubernetes.object.spec) && kubernetes.object.spec.image.endsWith(":latest")
    deny: name a version
  - name: viewers
    when: kubernetes.impersonate.user == "viewer"
    allow: true
    impersonation: true
"""
JSON = "application/json"


async def send(
    case: Case, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer."""
    url = case.gate.url("demo").replace("/mcp/demo", f"/k8s/demo{path}")
    given = {"content-type": JSON, **(headers or {})} if body else headers
    async with case.caller.http.request(method, url, data=body or None, headers=given) as answer:
        return answer.status, json.loads(await answer.read())


def cluster(kafka: KafkaAddress, folder: Path) -> Any:
    """The API server behind the gateway."""
    return office(kafka, folder, POLICY, kind=ConnectionKind.KUBERNETES, cluster="prod-eu")


async def rows_of(case: Case, mark: str) -> list[Any]:
    """The frames of exchanges on what is called `mark`."""
    return [row for row in await read_frames(case.kafka.bootstrap) if mark in row.frame["http_path"]]


async def test_the_record_says_what_the_api_server_understood(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    async with cluster(kafka, tmp_path) as case:
        headers = {"kubectl-command": "kubectl get", "user-agent": "kubectl/v1.36"}
        status, _ = await send(case, "GET", f"/api/v1/namespaces/prod/secrets/{mark}", headers=headers)
        asked, answered = [row.frame for row in await rows_of(case, mark)]
        head = case.upstream.heads[-1].decode()
    assert status == 200
    assert head.startswith(f"GET /mcp/api/v1/namespaces/prod/secrets/{mark} HTTP/1.1")
    assert asked["protocol"] == answered["protocol"] == "kubernetes"
    assert asked["attributes"] == answered["attributes"]
    assert {name: asked["attributes"][name] for name in asked["attributes"] if name.startswith("k")} == {
        "k8s.cluster.name": "prod-eu",
        "k8s.verb": "get",
        "k8s.objectRef.apiVersion": "v1",
        "k8s.objectRef.resource": "secrets",
        "k8s.objectRef.namespace": "prod",
        "k8s.objectRef.name": mark,
        "kubectl.command": "kubectl get",
    }


async def test_what_is_denied_gets_a_status_that_kubectl_prints(kafka: KafkaAddress, tmp_path: Path) -> None:
    async with cluster(kafka, tmp_path) as case:
        status, said = await send(case, "DELETE", "/api/v1/namespaces/prod/pods")
        assert not case.upstream.heads
    assert (status, said["kind"], said["code"], said["reason"]) == (403, "Status", 403, "Forbidden")
    assert "one at a time" in said["message"]
    assert said["details"]["causes"][0]["reason"] == "policy_denied"


async def test_a_held_delete_gets_403_with_its_approval_and_the_repeat_runs_once(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    path, body = (
        f"/api/v1/namespaces/prod/pods/{mark}",
        json.dumps({"propagationPolicy": "Background", "note": mark}),
    )
    async with cluster(kafka, tmp_path) as case:
        status, said = await send(case, "DELETE", path, body.encode())
        asked = await case.requested(mark)
        assert (status, said["kind"]) == (403, "Status")
        assert asked["approval_id"] in said["message"]
        assert (asked["verb"], asked["object"]) == ("delete", f"pods prod/{mark}")
        assert case.ran(mark) == 0
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        status, _ = await send(case, "DELETE", path, body.encode())
        assert (status, case.ran(mark)) == (200, 1)
        status, _ = await send(case, "DELETE", path, body.encode())
        assert (status, case.ran(mark)) == (403, 1)


async def test_reviewers_see_no_secret_in_the_name_of_what_is_held(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    """The digest is still that of the exact call, so the approval lets no other one run."""
    mark, token = uuid4().hex, "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3eF5"
    path, body = "/api/v1/namespaces/prod/pods/", json.dumps({"note": mark}).encode()
    async with cluster(kafka, tmp_path) as case:
        await send(case, "DELETE", f"{path}{token}", body)
        asked = await case.requested(mark)
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        other, _ = await send(case, "DELETE", f"{path}{token[:-1]}6", body)
        same, _ = await send(case, "DELETE", f"{path}{token}", body)
    assert token not in str(asked)
    assert asked["object"].startswith("pods prod/[masked:")
    assert (other, same) == (403, 200)


async def test_an_object_is_judged_in_whatever_form_it_comes(kafka: KafkaAddress, tmp_path: Path) -> None:
    thing = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {"image": "web:latest"}}
    yaml = "apiVersion: v1\nkind: Thing\nmetadata: {name: x}\nspec: {image: 'web:latest'}\n"
    async with cluster(kafka, tmp_path) as case:
        path = "/apis/shop.example/v1/namespaces/dev/things"
        by_json = await send(case, "POST", path, json.dumps(thing).encode())
        by_yaml = await send(
            case,
            "PATCH",
            f"{path}/x?fieldManager=me",
            yaml.encode(),
            {"content-type": "application/apply-patch+yaml"},
        )
        thing["spec"]["image"] = "web:1.0"  # type: ignore[index]
        fine, _ = await send(case, "POST", path, json.dumps(thing).encode())
        twice, _ = await send(case, "POST", path, b'{"kind":"Thing","kind":"Secret","spec":{}}')
    assert [status for status, _ in (by_json, by_yaml)] == [403, 403]
    assert all("name a version" in said["message"] for _, said in (by_json, by_yaml))
    assert (fine, twice) == (200, 400)


async def test_a_binary_body_is_recorded_decoded_and_masked_and_passes_as_it_is(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    """A Secret by protobuf holds its values in plain bytes, which nothing would find."""
    mark, secret = uuid4().hex, b"correct-horse-battery-staple"
    body = _secret_in_protobuf(mark.encode(), secret)
    async with cluster(kafka, tmp_path) as case:
        path = f"/api/v1/namespaces/prod/secrets?fieldManager={mark}"
        headers = {"content-type": "application/vnd.kubernetes.protobuf"}
        status, _ = await send(case, "POST", path, body, headers)
        asked = (await rows_of(case, mark))[0].frame
        passed = case.upstream.bodies[-1]
    assert (status, passed, asked["body_bytes"]) == (200, body, len(body))
    recorded = json.loads(asked["body"])
    assert (recorded["kind"], recorded["metadata"]["name"]) == ("Secret", mark)
    assert b64decode(recorded["data"]["password"]).startswith(b"[masked:")
    assert secret not in asked["body"]
    assert b64encode(secret) not in asked["body"]


SECRETS_PATCHED = [
    ("strategic-merge-patch+json", {"data": {"p": "@"}, "stringData": {"q": "@"}}),
    ("merge-patch+json", {"stringData": {"note": "@"}}),
    ("json-patch+json", [{"op": "replace", "path": "/data/p", "value": "@"}]),
    ("json-patch+json", [{"op": "add", "path": "/stringData", "value": {"p": "@"}}]),
    ("json-patch+json", [{"op": "replace", "path": "", "value": {"stringData": {"p": "@"}}}]),
    ("json-patch+json", [{"op": "test", "path": "/data", "value": {"p": "@"}}]),
]


@pytest.mark.parametrize(("form", "patch"), SECRETS_PATCHED)
async def test_what_a_patch_puts_into_a_secret_is_not_on_the_record(
    kafka: KafkaAddress, tmp_path: Path, form: str, patch: Any
) -> None:
    """A patch does not say of what kind it is."""
    mark = uuid4().hex
    body = json.dumps(patch).replace("@", "two plain words").encode()
    async with cluster(kafka, tmp_path) as case:
        path, headers = f"/api/v1/namespaces/dev/secrets/{mark}", {"content-type": f"application/{form}"}
        status, _ = await send(case, "PATCH", path, body, headers)
        asked = (await rows_of(case, mark))[0].frame
        passed = case.upstream.bodies[-1]
    assert (status, passed, asked["body_bytes"]) == (200, body, len(body))
    assert b"plain words" not in asked["body"]
    assert asked["redactions"]


async def test_a_secret_that_is_made_without_a_kind_or_refused_is_not_on_the_record(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark, path = uuid4().hex, "/api/v1/namespaces/dev/secrets"
    made = {"metadata": {"name": mark}, "stringData": {"p": "two plain words"}}
    escaped = json.dumps({"kind": "Secret", **made}).replace("Secret", "Sec\\u0072et")
    yaml = "{kind: Secret, metadata: {name: x}, stringData: {p: two plain words}}"
    unread = b'{"kind":"Secret","data":{"p":"two plain words","p":"two plain words"}}'
    async with cluster(kafka, tmp_path) as case:
        fine, _ = await send(case, "POST", f"{path}?fieldManager={mark}", json.dumps(made).encode())
        twice, _ = await send(case, "POST", f"{path}?fieldManager={mark}", unread)
        await send(case, "POST", f"{path}?fieldManager={mark}", escaped.encode())
        by_yaml = {"content-type": "application/yaml"}
        await send(case, "POST", f"{path}?fieldManager={mark}", yaml.encode(), by_yaml)
        rows = await rows_of(case, mark)
    assert (fine, twice) == (200, 400)
    assert not any(b"plain words" in row.frame["body"] for row in rows if row.frame["direction"] == "request")
    assert [row.frame["outcome"] for row in rows if row.frame["redactions"]].count("pending") == 3


async def test_nobody_acts_as_somebody_else_without_a_rule_that_says_so(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    async with cluster(kafka, tmp_path) as case:
        status, said = await send(case, "GET", "/api/v1/pods", headers={"impersonate-user": "root"})
        assert not case.upstream.heads
    assert (status, said["details"]["causes"][0]["reason"]) == (403, "impersonation_not_allowed")


async def test_whom_a_rule_lets_a_caller_act_as_is_whom_the_api_server_hears_of(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    """Without the header it would be the gateway itself."""
    named = {"impersonate-user": "viewer", "impersonate-group": "viewers", "connection": "impersonate-user"}
    async with cluster(kafka, tmp_path) as case:
        status, _ = await send(case, "GET", "/api/v1/pods", headers=named)
        head = case.upstream.heads[-1].decode().lower()
        other, _ = await send(case, "GET", "/api/v1/pods", headers={"impersonate-user": "admin"})
    assert (status, other) == (200, 403)
    assert "\r\nimpersonate-user: viewer\r\n" in head
    assert "\r\nimpersonate-group: viewers\r\n" in head


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field of protobuf (short ones only)."""
    return bytes([number << 3 | 2, len(value)]) + value


def _secret_in_protobuf(name: bytes, password: bytes) -> bytes:
    """runtime.Unknown around a core/v1 Secret, as kubectl sends it."""
    metadata = _field(1, _field(1, name))
    data = _field(2, _field(1, b"password") + _field(2, password))
    kind = _field(1, _field(1, b"v1") + _field(2, b"Secret"))
    return b"k8s\0" + kind + _field(2, metadata + data)


async def test_who_is_named_by_the_gateway_names_nobody_else(kafka: KafkaAddress, tmp_path: Path) -> None:
    """A rule may let a caller act as somebody, but then it is that one who has to act."""
    rules = "default: deny\nrules:\n  - {name: all, when: 'true', allow: true, impersonation: true}\n"
    more: dict[str, Any] = {"kind": ConnectionKind.KUBERNETES, "impersonate": Impersonation()}
    async with office(kafka, tmp_path, rules, **more) as case:
        status, said = await send(case, "GET", "/api/v1/pods", headers={"impersonate-user": "viewer"})
        assert not case.upstream.heads
        fine, _ = await send(case, "GET", "/api/v1/pods")
    assert (status, fine) == (403, 200)
    assert "names you yourself" in said["message"]


async def echoed(case: Case, mark: str) -> Any:
    """A value of a Secret as the client gets it."""
    secret = {"kind": "Secret", "apiVersion": "v1", "data": {"password": b64encode(mark.encode()).decode()}}
    body = json.dumps({"echo": secret}).encode()
    _, said = await send(case, "POST", f"/api/v1/namespaces/{mark}/echoes", body)
    return said["result"]["data"]["password"]


async def test_the_data_of_a_secret_still_decodes(kafka: KafkaAddress, tmp_path: Path) -> None:
    """Clients with types fail at what is no base64."""
    async with cluster(kafka, tmp_path) as case:
        shown = await echoed(case, uuid4().hex)
    assert b64decode(shown, validate=True).startswith(b"[masked:k8s-secret:")


async def test_the_form_that_the_settings_give_is_what_a_client_gets(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    rules = MaskingRules(forms={"kubernetes-secret": {"replacement": "GONE"}})
    more: dict[str, Any] = {"kind": ConnectionKind.KUBERNETES, "masking_rules": rules}
    async with office(kafka, tmp_path, POLICY, **more) as case:
        assert await echoed(case, uuid4().hex) == "GONE"
