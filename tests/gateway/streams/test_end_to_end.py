"""Streams through a real gateway: broker, uvicorn, and an HTTP server behind it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.settings import ConnectionKind, Limits
from schemas.kafka import KafkaAddress
from tests.gateway.streams.conftest import frames_at, gate_to, serving
from tests.support.tcp_proxy import TcpProxy

K8S, HTTP = ConnectionKind.KUBERNETES, ConnectionKind.HTTP
SECRET = base64.b64encode(b"plain words of no form").decode()
TOKEN = b"ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def event(kind: str, name: str, **fields: object) -> bytes:
    """One line of a watch."""
    meta = {"name": name, "namespace": "prod"}
    return (
        json.dumps({"type": kind, "object": {"kind": "Secret", "metadata": meta, **fields}}).encode() + b"\n"
    )


async def streamed(request: web.Request, content_type: str, *pieces: bytes) -> web.StreamResponse:
    """An answer without a length, in these pieces."""
    response = web.StreamResponse(headers={"content-type": content_type})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
    return response


async def test_g2_each_event_of_a_watch_of_secrets_comes_as_it_happens_masked_and_recorded(
    kafka: KafkaAddress, mark: str
) -> None:
    async def watch(request: web.Request) -> web.StreamResponse:
        response = await streamed(
            request, "application/json", event("ADDED", "db", data={"password": SECRET})
        )
        await api.may_end.wait()
        await response.write(event("DELETED", "db", data={"password": SECRET}))
        return response

    async with serving(watch) as api, gate_to(kafka, api, K8S) as (_, url), aiohttp.ClientSession() as client:
        path = f"{url}/api/v1/namespaces/{mark}/secrets?watch=true"
        accept = {"accept": "application/vnd.kubernetes.protobuf;stream=watch,application/json"}
        async with client.get(path, headers=accept) as response:
            first = await asyncio.wait_for(response.content.readline(), 10)
            before = await frames_at(kafka, mark, until=2)
            api.may_end.set()
            rest = await asyncio.wait_for(response.read(), 10)
        frames = await frames_at(kafka, mark, until=4)
    assert SECRET.encode() not in first + rest
    assert json.loads(first)["object"]["data"]["password"] not in (SECRET, "")
    assert json.loads(rest)["type"] == "DELETED"
    assert before[1]["body"] == first
    assert [frame["outcome"] for frame in frames] == ["pending", "pending", "pending", "completed"]
    assert frames[1]["attributes"]["k8s.verb"] == "watch"
    assert api.asked[0].headers["accept"] == "application/json"


async def test_a_log_that_is_followed_comes_line_by_line_and_half_a_line_within_a_moment(
    kafka: KafkaAddress, mark: str
) -> None:
    async def log(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, "text/plain", b"one\n", b"token " + TOKEN + b"\nmore: ")
        await api.may_end.wait()
        return response

    async with serving(log) as api, gate_to(kafka, api, K8S) as (_, url), aiohttp.ClientSession() as client:
        async with client.get(f"{url}/api/v1/namespaces/prod/pods/{mark}/log?follow=true") as response:
            start = time.monotonic()
            got = await asyncio.wait_for(response.content.readuntil(b"more: "), 10)
            took = time.monotonic() - start
            api.may_end.set()
            assert await response.read() == b""
        frames = await frames_at(kafka, mark, until=4)
    assert got.startswith(b"one\ntoken [masked:")
    assert TOKEN not in got
    assert took < 5
    assert b"".join(frame["body"] for frame in frames) == got
    assert frames[-1]["outcome"] == "completed"


async def test_g4_a_watch_ends_with_a_status_when_its_records_cannot_be_written(
    kafka: KafkaAddress, network: TcpProxy, mark: str
) -> None:
    async def watch(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, "application/json", event("ADDED", "a"))
        await api.may_end.wait()
        await response.write(event("MODIFIED", "a"))
        await asyncio.Event().wait()
        return response

    async with serving(watch) as api, gate_to(kafka, api, K8S) as (_, url), aiohttp.ClientSession() as client:
        async with client.get(f"{url}/api/v1/namespaces/{mark}/secrets?watch=true") as response:
            await asyncio.wait_for(response.content.readline(), 10)
            network.stall()
            api.may_end.set()
            error = json.loads(await asyncio.wait_for(response.content.readline(), 20))
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        network.release()
        frames = await frames_at(kafka, mark, until=4)
    assert (error["type"], error["object"]["kind"], error["object"]["code"]) == ("ERROR", "Status", 502)
    assert frames[-1]["outcome"] == "withheld"
    assert frames[-1]["reason_code"] == "result_withheld"


async def test_g6_a_watch_that_upstream_cuts_is_cut_for_the_client_too(
    kafka: KafkaAddress, mark: str
) -> None:
    async def watch(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, "application/json", event("ADDED", "a"))
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(watch) as api, gate_to(kafka, api, K8S) as (_, url), aiohttp.ClientSession() as client:
        async with client.get(f"{url}/api/v1/namespaces/{mark}/secrets?watch=true") as response:
            await asyncio.wait_for(response.content.readline(), 10)
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        frames = await frames_at(kafka, mark, until=3)
    assert frames[-1]["outcome"] == "upstream_failed"


async def test_a_large_download_passes_in_pieces_of_bounded_size_byte_for_byte(
    kafka: KafkaAddress, mark: str
) -> None:
    blob = b"".join(sha256(b"%d" % number).digest() for number in range(200_000))

    async def download(request: web.Request) -> web.StreamResponse:
        return web.Response(body=blob, content_type="application/octet-stream")

    async with (
        serving(download) as api,
        gate_to(kafka, api, HTTP) as (_, url),
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{url}/files/{mark}") as response:
            assert await asyncio.wait_for(response.read(), 60) == blob
        frames = await frames_at(kafka, mark, until=3)
    pieces = [frame for frame in frames if frame["direction"] == "response"]
    assert sum(frame["body_bytes"] for frame in pieces) == len(blob)
    assert max(frame["body_bytes"] for frame in pieces) < 1_000_000
    assert b"".join(frame["body"] for frame in pieces) == blob


async def test_lines_of_json_over_http_come_one_by_one(kafka: KafkaAddress, mark: str) -> None:
    async def lines(request: web.Request) -> web.StreamResponse:
        response = await streamed(request, "application/x-ndjson", b'{"n":1}\n{"n":', b"2}\n")
        await api.may_end.wait()
        return response

    async with (
        serving(lines) as api,
        gate_to(kafka, api, HTTP) as (_, url),
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{url}/lines/{mark}") as response:
            assert await asyncio.wait_for(response.content.readline(), 10) == b'{"n":1}\n'
            assert await asyncio.wait_for(response.content.readline(), 10) == b'{"n":2}\n'
            api.may_end.set()
            assert await response.read() == b""
        frames = await frames_at(kafka, mark, until=4)
    assert [frame["body"] for frame in frames if frame["body"]] == [b'{"n":1}\n', b'{"n":2}\n']


async def test_g12_an_upload_goes_up_to_the_limit_and_one_beyond_is_told_so_before_upstream_sees_it(
    kafka: KafkaAddress, mark: str
) -> None:
    async def take(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=201)

    limits = Limits(body_bytes_max=3_000_000)
    largest = b"\x01" * 3_000_000
    async with (
        serving(take) as api,
        gate_to(kafka, api, HTTP, limits=limits) as (_, url),
        aiohttp.ClientSession() as client,
    ):
        async with client.put(f"{url}/up/{mark}", data=BytesIO(largest)) as response:
            assert response.status == 201
        for data in (BytesIO(largest + b"\x01"), _pieces(largest + b"\x01")):
            async with client.put(f"{url}/up/{mark}", data=data) as response:
                assert response.status == 413
                said = await response.json(content_type="application/problem+json")
                assert said["reason"] == "body_too_large"
        assert [len(body) for body in api.bodies] == [3_000_000]


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data[:1_000_000]
    yield data[1_000_000:]


async def test_head_says_the_length_of_what_get_would_give(kafka: KafkaAddress, mark: str) -> None:
    async def describe(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 5000 if request.method == "GET" else b"", headers={"etag": '"7"'})

    async def object_head(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "5000", "etag": '"7"'})
        await response.prepare(request)
        return response

    async with (
        serving(object_head) as api,
        gate_to(kafka, api, HTTP) as (_, url),
        aiohttp.ClientSession() as client,
    ):
        for _ in range(3):
            async with client.head(f"{url}/object/{mark}") as response:
                assert (response.status, response.headers["content-length"]) == (200, "5000")
                assert response.headers["etag"] == '"7"'
        api.serve = describe
        async with client.get(f"{url}/object/{mark}") as response:
            assert len(await response.read()) == 5000


async def test_the_operation_of_a_request_is_on_the_record_and_rules_see_it(
    kafka: KafkaAddress, tmp_path: Path, mark: str
) -> None:
    async def say(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True})

    document, policy = tmp_path / "api.json", tmp_path / "policy.yaml"
    paths = {
        "/pets/{id}": {"get": {"operationId": "getPet"}, "delete": {"operationId": "deletePet"}},
    }
    document.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    policy.write_text(
        "default: allow\nrules:\n  - name: no-deleting\n    when: http.operation == 'deletePet'\n    deny: never\n"
    )
    more = {"openapi_file": document, "policy_file": policy}
    async with (
        serving(say) as api,
        gate_to(kafka, api, HTTP, **more) as (_, url),
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{url}/pets/{mark}") as response:
            assert response.status == 200
        async with client.delete(f"{url}/pets/{mark}") as response:
            assert response.status == 403
        frames = await frames_at(kafka, mark, until=3)
        assert [request.method for request in api.asked] == ["GET"]
    told = [
        (frame["attributes"].get("http.operation"), frame["attributes"].get("http.route")) for frame in frames
    ]
    assert told == [("getPet", "/pets/{id}")] * 2 + [("deletePet", "/pets/{id}")]
    assert frames[-1]["rule"] == "no-deleting"
