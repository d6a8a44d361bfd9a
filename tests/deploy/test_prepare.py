"""The preparing job and the containers' health checks, against real parts."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import topics

DEPLOY = Path(__file__).parents[2] / "deploy"
PREPARE = f"""
import asyncio, sys
sys.path.insert(0, {str(DEPLOY)!r})
from pathlib import Path
from prepare import prepare
from schemas.kafka import KafkaAddress
from sinks.clickhouse import ClickHouseAddress
bootstrap, embedded, folder = sys.argv[1:]
kafka = KafkaAddress(bootstrap, embedded=embedded == "yes")
asyncio.run(prepare(kafka, ClickHouseAddress("embedded", Path(folder)), 1.0))
"""


def prepare(bootstrap: str, embedded: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since an embedded store is open in one process only."""
    (folder / "clickhouse").mkdir(exist_ok=True)
    command = [sys.executable, "-c", PREPARE, bootstrap, embedded, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_it_makes_the_topics_and_the_schema_and_may_run_again(broker: str, tmp_path: Path) -> None:
    first = prepare(broker, "yes", tmp_path)
    assert first.returncode == 0, first.stderr
    assert f"topics: {', '.join(topics())}" in first.stdout
    assert f"migrations applied to embedded store in {tmp_path}/clickhouse: [1" in first.stdout
    second = prepare(broker, "yes", tmp_path)
    assert second.returncode == 0, second.stderr
    assert "none lacked" in second.stdout


def test_a_cluster_whose_topics_could_lose_records_is_refused(broker: str, tmp_path: Path) -> None:
    """One broker cannot hold three replicas, whether the topics are there already or not."""
    refused = prepare(broker, "no", tmp_path)
    assert refused.returncode == 1
    assert "NotPreparedError" in refused.stderr
    assert "replica" in refused.stderr.lower()


def test_a_kafka_that_is_away_is_waited_for_and_named_in_the_end(tmp_path: Path, silent_port: int) -> None:
    refused = prepare(f"127.0.0.1:{silent_port}", "yes", tmp_path)
    assert refused.returncode == 1
    assert "waiting for Kafka" in refused.stdout
    assert "NotPreparedError: Kafka does not answer" in refused.stderr


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        well = self.path == "/well"
        self.send_response(200 if well else 503)
        self.end_headers()
        self.wfile.write(b"" if well else b"Kafka is away")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def probe(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DEPLOY / "probe.py"), url]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_health_check_is_0_for_200_alone_and_tells_what_else_was_answered(port: int) -> None:
    assert probe(f"http://127.0.0.1:{port}/well").returncode == 0
    ill = probe(f"http://127.0.0.1:{port}/ill")
    assert ill.returncode == 1
    assert "503: Kafka is away" in ill.stderr


def test_a_health_check_of_a_port_is_0_when_it_accepts(port: int, silent_port: int) -> None:
    assert probe(f"tcp://127.0.0.1:{port}").returncode == 0
    closed = probe(f"tcp://127.0.0.1:{silent_port}")
    assert closed.returncode == 1
    assert "refused" in closed.stderr
