"""Spans by the MCP conventions reach a collector by OTLP; trace context is taken and passed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.settings import Telemetry
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Upstream, demo, served
from tests.support.trail import read_frames

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "pods_list", "arguments": {"password": "hunter2-is-a-secret"}},
}


class Collector:
    """An OTLP receiver: keeps every span that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response(body=b"", content_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    receiver = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    yield receiver
    await runner.cleanup()


async def test_an_exchange_is_two_spans_of_the_clients_trace_and_tells_no_secret(
    kafka: KafkaAddress, upstream: Upstream, collector: Collector
) -> None:
    telemetry = Telemetry(f"http://127.0.0.1:{collector.port}/v1/traces", "gate")
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    async with served(kafka, demo(upstream), telemetry=telemetry) as gate, aiohttp.ClientSession() as client:
        async with client.post(gate.url(), json=CALL, headers=headers) as response:
            await response.read()
        await asyncio.to_thread(gate.gateway.tracing.stop)
    newest = max(await read_frames(kafka.bootstrap), key=lambda each: each.frame["recorded_at"]).frame
    server = next(span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER)
    within = next(span for span in collector.spans if span.kind == Span.SPAN_KIND_CLIENT)
    facts = {each.key: each.value.string_value or each.value.int_value for each in server.attributes}
    assert server.name == "tools/call pods_list"
    assert server.trace_id.hex() == within.trace_id.hex() == TRACE == newest["attributes"]["trace.id"]
    assert (server.parent_span_id.hex(), within.parent_span_id) == ("00f067aa0ba902b7", server.span_id)
    assert facts["mcp.method.name"] == "tools/call"
    assert facts["gen_ai.tool.name"] == "pods_list"
    assert facts["http.response.status_code"] == 200
    assert facts["sluicegate.exchange.id"] == str(newest["exchange_id"])
    assert f"traceparent: 00-{TRACE}-{within.span_id.hex()}-01".encode() in bytes(upstream.seen)
    assert b"hunter2" not in collector.raw


async def test_without_a_collector_the_clients_context_passes_as_it_came(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    context = f"00-{TRACE}-00f067aa0ba902b7-01"
    async with (
        served(kafka, demo(upstream)) as gate,
        aiohttp.ClientSession() as client,
        client.post(gate.url(), json=CALL, headers={"traceparent": context}) as response,
    ):
        await response.read()
    assert f"traceparent: {context}".encode() in bytes(upstream.seen)
