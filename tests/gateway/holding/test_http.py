"""Connections of kind `http`: any HTTP API, under its own paths, with rules, masking, records and approvals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.settings import ConnectionKind
from schemas.kafka import KafkaAddress
from tests.gateway.holding.office import Case, office
from tests.support.trail import read_frames

pytestmark = pytest.mark.usefixtures("approving")
POLICY = """
default: allow
rules:
  - name: writes
    when: http.method in ["POST", "PUT", "DELETE"] && http.path.startsWith("/api/projects")
    hold: {reviewers: [owners], reason: it changes a project}
  - name: no-admin
    when: http.path.startsWith("/admin")
    deny: nobody needs that
"""


async def send(case: Case, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    url = case.gate.url("demo").replace("/mcp/demo", f"/http/demo{path}")
    async with case.caller.http.request(
        method, url, data=body, headers={"content-type": "application/json"}
    ) as answer:
        return answer.status, {k.lower(): v for k, v in answer.headers.items()}, await answer.read()


def api(kafka: KafkaAddress, folder: Path) -> Any:
    """The API behind the gateway."""
    return office(kafka, folder, POLICY, kind=ConnectionKind.HTTP)


async def test_a_request_reaches_its_own_path_and_both_ways_are_recorded(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with api(kafka, tmp_path) as case:
        status, _, said = await send(case, "GET", f"/api/things/{mark}?page=2")
        rows = [r.frame for r in await read_frames(case.kafka.bootstrap) if mark in r.frame["http_path"]]
        head = case.upstream.heads[-1].decode()
    assert (status, json.loads(said)["result"]["content"][0]["text"]) == (200, "done")
    assert head.startswith(f"GET /mcp/api/things/{mark}?page=2 HTTP/1.1")
    assert [(r["direction"], r["verdict"], r["outcome"]) for r in rows] == [
        ("request", "allow", "pending"),
        ("response", "allow", "completed"),
    ]


async def test_a_held_request_gets_202_and_the_same_request_finds_its_approval(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    body = json.dumps({"id": 1, "name": mark, "password": "hunter2hunter2"}).encode()
    async with api(kafka, tmp_path) as case:
        status, headers, said = await send(case, "POST", "/api/projects", body)
        asked = await case.requested(mark)
        assert (status, headers["retry-after"]) == (202, "5")
        assert headers["location"].endswith(asked["approval_id"])
        assert json.loads(said)["approval_id"] == asked["approval_id"]
        assert (asked["method"], asked["object"]) == ("POST", "/api/projects")
        assert b"hunter2hunter2" not in asked["arguments"]
        assert case.ran(mark) == 0
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        other, _, _ = await send(case, "POST", "/api/projects", body.replace(b'"id": 1', b'"id": 2'))
        assert (other, case.ran(mark)) == (202, 0)
        status, _, _ = await send(case, "POST", "/api/projects", body)
    assert (status, case.ran(mark)) == (200, 1)


async def test_reviewers_see_no_secret_in_the_path_of_what_is_held(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark, token = uuid4().hex, "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3eF5"
    async with api(kafka, tmp_path) as case:
        status, _, _ = await send(case, "POST", f"/api/projects/{token}", json.dumps({"note": mark}).encode())
        asked = await case.requested(mark)
    assert status == 202
    assert token not in str(asked)
    assert asked["object"].startswith("/api/projects/[masked:")


async def test_what_was_denied_gets_403_and_does_not_run(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    async with api(kafka, tmp_path) as case:
        await send(case, "DELETE", f"/api/projects/{mark}")
        (asked,) = [each for each in await case.all_requested(mark, 1) if each["object"].endswith(mark)]
        await case.decide(asked, verb="deny", comment="it is in use")
        await case.settled(asked["approval_id"], "denied")
        status, headers, said = await send(case, "GET", "/admin/users")
    assert (status, json.loads(said)["reason"]) == (403, "policy_denied")
    assert "application/problem+json" in headers["content-type"]
    assert case.ran(mark) == 0


@pytest.mark.parametrize("path", ["/api/../admin", "/api//x", "/api/%2e%2e/admin"])
async def test_a_path_that_could_be_read_in_two_ways_is_refused(
    kafka: KafkaAddress, tmp_path: Path, path: str
) -> None:
    async with api(kafka, tmp_path) as case:
        host, port = "127.0.0.1", case.gate.port
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(
            f"GET /http/demo{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
        )
        head = await reader.readline()
        writer.close()
        seen = len(case.upstream.heads)
    assert head.split()[1] == b"400"
    assert seen == 0
