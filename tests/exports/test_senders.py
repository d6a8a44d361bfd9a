"""Events on their way to a collector and to a syslog server that are real on the other end of a socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from sinks.exports.places import PlaceError
from sinks.exports.progress import Progress
from sinks.exports.run import Export
from sinks.exports.senders import OtlpSender, SyslogSender
from tests.exports.conftest import EXCHANGES, Stretch

ASKED = {"format": "otlp"}


class Collector:
    """Takes OTLP over HTTP. `answers` are given first, status by status; -1 takes all but one record."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []
        self.headers: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its URL."""
        app = web.Application()
        app.router.add_post("/v1/logs", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/logs"
        await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        answer = self.answers.pop(0) if self.answers else 200
        if answer > 200:
            return web.Response(status=answer)
        self.headers.append(request.headers.get("authorization", ""))
        said = ExportLogsServiceResponse()
        if answer < 0:
            said.partial_success.rejected_log_records = 1
            said.partial_success.error_message = "too old"
        else:
            for record in _records(await request.read()):
                named = {pair.key: pair.value.string_value for pair in record.attributes}
                self.ids.append(named["sluicegate.exchange_id"])
        return web.Response(body=said.SerializeToString(), content_type="application/x-protobuf")


def _records(body: bytes) -> list[object]:
    (resource,) = ExportLogsServiceRequest.FromString(body).resource_logs
    return list(resource.scope_logs[0].log_records)


async def sent(stretch: Stretch, sender: OtlpSender | SyslogSender, progress: Progress) -> None:
    """The whole stretch."""
    try:
        await Export(stretch.source(), ["exchanges"], progress).to_sender(sender)
    finally:
        await sender.close()


async def test_a_collector_gets_every_exchange_and_is_asked_again_when_it_is_busy(stretch: Stretch) -> None:
    collector = Collector(503, 429)
    async with collector.running() as url:
        sender = OtlpSender(url, {"Authorization": "Bearer x"})
        await sent(stretch, sender, Progress.open(None, ASKED))
    assert sorted(collector.ids) == sorted(stretch.ids)
    assert set(collector.headers) == {"Bearer x"}


@pytest.mark.parametrize(("answer", "told"), [(400, "HTTP 400"), (-1, "refuses some.*1 records: too old")])
async def test_what_a_collector_refuses_ends_the_export_with_what_it_said(
    stretch: Stretch, answer: int, told: str
) -> None:
    collector = Collector(200, answer)
    progress = Progress.open(None, ASKED)
    async with collector.running() as url:
        with pytest.raises(PlaceError, match=told):
            await sent(stretch, OtlpSender(url), progress)
        assert progress.counts == {"exchanges": 10}  # the first page alone counts as arrived
        await sent(stretch, OtlpSender(url), progress)
    assert len(set(collector.ids)) == EXCHANGES


async def test_syslog_over_tcp_is_framed_by_octet_counts(stretch: Stretch) -> None:
    got = bytearray()
    ended = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(4096):
            got.extend(piece)
        writer.close()
        ended.set()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await sent(stretch, SyslogSender(f"syslog+tcp://127.0.0.1:{port}"), Progress.open(None, ASKED))
        await asyncio.wait_for(ended.wait(), 10)
    messages = []
    while got:
        length, _, rest = bytes(got).partition(b" ")
        messages.append(rest[: int(length)].decode())
        got = bytearray(rest[int(length) :])
    assert [re.search(r"externalId=(\S+)", each)[1] for each in messages] == [  # type: ignore[index]
        event.id for event in await stretch.events()
    ]


async def test_a_syslog_server_that_is_away_is_told(stretch: Stretch) -> None:
    with pytest.raises(PlaceError, match=r"syslog\+tcp://127.0.0.1:9 does not take"):
        await sent(stretch, SyslogSender("syslog+tcp://127.0.0.1:9"), Progress.open(None, ASKED))
    with pytest.raises(ValueError, match="must name a host and a port"):
        SyslogSender("syslog+udp://collector")


async def test_syslog_over_udp_sends_a_datagram_each(stretch: Stretch) -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
            got.put_nowait(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Receiver, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    await sent(stretch, SyslogSender(f"syslog+udp://127.0.0.1:{port}"), Progress.open(None, ASKED))
    async with asyncio.timeout(10):
        messages = [await got.get() for _ in range(EXCHANGES)]
    transport.close()
    assert all(message.startswith(b"<110>1 ") for message in messages)
