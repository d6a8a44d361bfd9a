"""The trail over the store process's API: the same check as at the store itself, behind the token."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import pytest

from sinks.access import write_token
from sinks.clickhouse import ClickHouseAddress, StoreAwayError
from sinks.metrics import SinkMetrics
from sinks.server import QueryApi, QueryServer, listen
from sinks.settings import SinkSettings
from sinks.sql_reader import SqlReader
from sinks.verify.check import check
from sinks.verify.findings import Verdict
from sinks.verify.live import LiveTrail, OverHttp, TooMuchError, horizons
from sinks.verify.pages import BEFORE_ALL, Part
from sinks.verify.selection import Selection
from sinks.verify.server import ProofApi
from sinks.verify.straight import Straight
from tests.sinks.shared_store import embedded_store
from tests.verify.recorded import SOURCE, policy, source


@dataclass(frozen=True)
class Served:
    """A running API over the honest trail."""

    settings: SinkSettings
    port: int
    token: str

    def status(self, path: str, token: str | None = None) -> int:
        """The answer to one request."""
        http = HTTPConnection("127.0.0.1", self.port, timeout=20)
        head = {"Authorization": f"Bearer {self.token if token is None else token}"}
        http.request("GET", path, headers=head)
        status = http.getresponse().status
        http.close()
        return status


class _Address:
    """The embedded store of this process, with the trail's database as its own."""

    database = SOURCE

    def connect(self, settings: dict[str, object] | None = None, *, database: str | None = None) -> object:
        """A further client of the same store."""
        return embedded_store().address.connect(settings, database=database)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The API, in a thread of its own."""
    source()
    socket = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    settings = SinkSettings(ClickHouseAddress("embedded", tmp_path), tmp_path, port=port)
    token = write_token(settings.token_path)
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        reader, proof = SqlReader(embedded_store().address), ProofApi(_Address())  # type: ignore[arg-type]
        api = QueryApi(reader, SinkMetrics(), lambda: None, lambda: "")
        server = QueryServer(api.app(token, frozenset(), proof.routes()), socket)
        serving = asyncio.create_task(server.run_until_asked())
        started.set()
        await asyncio.to_thread(stop.wait)
        server.should_exit = True
        await serving
        await proof.close()
        await reader.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(20)
    try:
        yield Served(settings, port, token)
    finally:
        stop.set()
        thread.join(20)
        socket.close()


def test_a_check_over_http_finds_what_one_at_the_store_finds(served: Served) -> None:
    far, near = OverHttp(served.settings), Straight(source().client, SOURCE)

    seen = horizons(far, 0.0, iter(count()).__next__, lambda: None)
    over_http, at_the_store = (check(LiveTrail(way, seen), policy()) for way in (far, near))

    assert over_http == at_the_store
    assert over_http.verdict is Verdict.SOUND
    far.close()


def test_rows_of_a_page_that_is_too_large_are_read_in_smaller_ones(served: Served) -> None:
    far = OverHttp(served.settings)
    asked: list[int] = []

    class Narrow:
        """Refuses pages of more than five rows, as a store without memory does."""

        def page(self, part: Part, partition: int, after: int, limit: int, wanted: Selection) -> bytes:
            asked.append(limit)
            if limit > 5:
                raise TooMuchError("memory limit exceeded")
            return far.page(part, partition, after, limit, wanted)

        def __getattr__(self, name: str) -> object:
            return getattr(far, name)

    seen = horizons(far, 0.0, iter(count()).__next__, lambda: None)

    rows = list(LiveTrail(Narrow(), seen).rows(1))  # type: ignore[arg-type]

    assert [row["k_offset"] for row in rows] == list(range(24))
    assert max(limit for limit in asked if limit <= 5) >= 1
    far.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/proof/partitions", 200),
        (f"/api/proof/rows?partition=0&after={BEFORE_ALL}&limit=10", 200),
        ("/api/proof/rows?partition=0&after=0&limit=1000000", 400),
        ("/api/proof/rows?partition=x&after=0&limit=1", 400),
        ("/api/proof/rows?partition=0&after=0&limit=1&session=%27%20OR%201", 400),
        ("/api/proof/offsets?partition=0&connection=%27", 400),
        ("/api/proof/ends?partition=", 400),
        ("/api/proof/secrets?partition=0&after=0&limit=1", 404),
    ],
)
def test_the_api_answers_what_is_asked_for_rightly_and_refuses_the_rest(
    served: Served, path: str, status: int
) -> None:
    assert served.status(path) == status


def test_without_the_token_nothing_is_handed_out(served: Served) -> None:
    assert served.status("/api/proof/partitions", token="wrong") == 401


def test_a_store_process_that_does_not_run_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(StoreAwayError, match="is `sluicegate up` running"):
        OverHttp(SinkSettings(ClickHouseAddress("embedded", tmp_path), tmp_path, port=1))
