"""A sealed original on its way: sealed as a gateway does, through a real topic into the store, opened by command."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from pyrage.x25519 import Identity  # type: ignore[import-untyped]

from gateway.edge.originals import TOPIC, sealed_originals
from gateway.settings import Sealing
from masking.sealed import fingerprint
from schemas.sealed import PIECE_BYTES_MAX, SealedHead
from sluicegate.embedded.datadir import read_state
from tests.flow.stack import Running, echo, stack

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine

STORED_S = 120.0
EXCHANGE = str(uuid4())
BODIES = {
    str(uuid4()): b'{"password":"Zq8vK2mN4xT7wR1p"}',
    str(uuid4()): b"\x00\xff" * (PIECE_BYTES_MAX // 2 + 9),
}
IDENTITY = Identity.generate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A stack whose store has the originals of one exchange, and one that has expired."""
    with echo() as upstream, stack(tmp_path_factory.mktemp("sealed"), upstream) as up:
        asyncio.run(_send(read_state(up.data).bootstrap))
        until = time.monotonic() + STORED_S
        while len(up.rows("SELECT piece FROM v_sealed")) < 3:
            assert time.monotonic() < until
        yield up


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file."""
    path = tmp_path_factory.mktemp("keys") / "audit-key.txt"
    path.write_text(f"# public key: {IDENTITY.to_public()}\n{IDENTITY}\n")
    return path


async def _send(bootstrap: str) -> None:
    sealing = Sealing(str(IDENTITY.to_public()), retention_hours=1)
    now = time.time_ns() // 1_000
    frames = [(name, body, now + place) for place, (name, body) in enumerate(BODIES.items())]
    frames.append((str(uuid4()), b"long ago", now - 2 * 3_600_000_000))
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4 * 1024 * 1024) as producer:
        for name, body, at in frames:
            head = SealedHead(
                frame_id=name,
                exchange_id=EXCHANGE,
                session_id=str(uuid4()),
                connection="demo",
                recorded_at=at,
            )
            for value in sealed_originals(head, body, sealing):
                await producer.send_and_wait(TOPIC, value, key=head["session_id"].encode())


def acts(running: Running, target: str) -> list[tuple[object, ...]]:
    """What stands in the trail about opening this."""
    until = time.monotonic() + STORED_S
    while True:
        rows = running.rows(
            "SELECT outcome, reason, detail FROM v_admin"
            f" WHERE action = 'sealed.open' AND target = '{target}' ORDER BY at"
        )
        if len(rows) % 2 == 0 and rows:
            return [(row["outcome"], row["reason"], json.loads(str(row["detail"]))) for row in rows]
        assert time.monotonic() < until, rows


def test_a_frame_is_opened_as_it_was_and_the_trail_says_who_and_why(running: Running, keys: Path) -> None:
    name, body = next(iter(BODIES.items()))
    done = running.run("unseal", name, "--identity", str(keys), "--reason", "INC-1042")
    assert done.exit_code == 0, done.stderr
    assert done.stdout_bytes == body
    detail = {"recipients": [fingerprint(str(IDENTITY.to_public()))], "save": False}
    assert acts(running, name) == [("asked", "INC-1042", detail), ("done", "INC-1042", detail)]


def test_an_exchange_is_a_line_for_each_frame_and_what_expired_is_gone(running: Running, keys: Path) -> None:
    done = running.run("unseal", EXCHANGE, "--identity", str(keys), "--reason", "INC-1043")
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame_id"] for line in lines] == list(BODIES)
    assert lines[0]["body"] == next(iter(BODIES.values())).decode()


def test_what_is_saved_is_opened_elsewhere_without_any_stack(
    running: Running, keys: Path, tmp_path: Path
) -> None:
    done = running.run("unseal", EXCHANGE, "--save", str(tmp_path), "--reason", "off-line")
    assert done.exit_code == 0, done.stderr
    for name, body in BODIES.items():
        path = tmp_path / f"{name}.age"
        assert path.stat().st_mode & 0o777 == 0o600
        opened = running.run("unseal", "--file", str(path), "--identity", str(keys))
        assert opened.exit_code == 0, opened.stderr
        assert opened.stdout_bytes == body


def test_a_wrong_key_opens_nothing_and_the_attempt_is_on_record(running: Running, tmp_path: Path) -> None:
    name = list(BODIES)[1]
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(str(Identity.generate()))
    done = running.run("unseal", name, "--identity", str(wrong), "--reason", "curious")
    assert done.exit_code == 1
    assert not done.stdout_bytes
    assert "no identity of the key file opens it" in done.stderr
    assert [outcome for outcome, _, _ in acts(running, name)] == ["asked", "failed"]


def test_what_was_never_sealed_is_told(running: Running, keys: Path) -> None:
    done = running.run("unseal", str(uuid4()), "--identity", str(keys), "--reason", "?")
    assert done.exit_code == 1
    assert "nothing sealed is stored" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("unseal", "no-id", "--reason", "x"),
        ("unseal", EXCHANGE, "--identity", "/nonexistent", "--reason", "x"),
        ("unseal", EXCHANGE, "--save", "/tmp"),
        ("unseal", "--file", "x.age"),
    ],
)
def test_half_a_command_is_refused_before_anything_is_asked(running: Running, words: tuple[str, ...]) -> None:
    assert running.run(*words).exit_code == 2


def test_no_topic_and_no_table_holds_the_body(running: Running) -> None:
    body = next(iter(BODIES.values()))
    for path in running.data.rglob("*"):
        assert not path.is_file() or body not in path.read_bytes(), path
