"""A real embedded broker for the whole test session; no sync to disk, because tests cut no power."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from sluicegate.embedded.guard import Guard, signal_group
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say

READY_S = 60.0
QUICK_START = ("-XX:TieredStopAtLevel=1",)  # a test session is too short for the optimising compiler
STOP_S = 20.0


def wait_ready(broker: KafkaBroker, timeout_s: float = READY_S) -> None:
    """Wait for a broker from code that is not async, whatever loop the calling test may run in."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(broker.ready(timeout_s))).result()


@contextmanager
def running(broker: KafkaBroker) -> Iterator[subprocess.Popen[bytes]]:
    """Run a prepared broker until the block ends; it also ends when the test process is killed."""
    guard = Guard()
    log = (broker.home / "broker.log").open("ab")
    process = subprocess.Popen(
        broker.argv, env=broker.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    guard.watch(process.pid)
    try:
        wait_ready(broker)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            signal_group(process.pid, signal.SIGKILL)
            process.wait(STOP_S)
        guard.forget(process.pid)
        guard.close()
        log.close()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a running broker. Tests share it: use topic and group names of your own."""
    embedded = KafkaBroker(tmp_path_factory.mktemp("kafka"), sync=False, heap_mb=256, extra_flags=QUICK_START)
    embedded.prepare(plain_say)
    with running(embedded):
        yield embedded.bootstrap
