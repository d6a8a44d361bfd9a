"""Looking for secrets where none may be: in files, topics, tables and metrics, in every spelling they could have."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.kafka_view import KafkaView
from schemas.kafka import KafkaAddress
from tests.flow.stack import Running

ZEROS = bytes(4096)


def spellings(secret: str) -> set[bytes]:
    """Plain, hex, Base64 at any place of a longer text, percent-encoded, with JSON escapes."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(secret, safe="").encode()}
    found |= {json.dumps(secret)[1:-1].encode(), "".join(f"%{byte:02X}" for byte in raw).encode()}
    found.add("".join(f"\\u{ord(sign):04x}" for sign in secret).encode())
    for lead in range(
        3
    ):  # what stands before it shifts its letters; those it shares with others are left out
        for encode in (b64encode, urlsafe_b64encode):
            coded = encode(bytes(lead) + raw).rstrip(b"=")
            found.add(coded[(lead * 4 + 2) // 3 : len(coded) - (1 if (lead + len(raw)) % 3 else 0)])
    return found


class Needles:
    """All spellings of all secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._of = {spelling: secret for secret in secrets for spelling in spellings(secret)}

    def within(self, hay: bytes) -> set[str]:
        """The secrets that stand in `hay`."""
        return {secret for spelling, secret in self._of.items() if spelling in hay}


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below, without long runs of zeros (Kafka makes its indexes large beforehand)."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path, path.read_bytes().replace(ZEROS, b"")


async def records(bootstrap: str) -> dict[str, list[bytes]]:
    """Keys, values and headers of every record of every topic but Kafka's own, whose files are searched."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        exclude_internal_topics=False,
    )
    await consumer.start()
    async with KafkaView(KafkaAddress(bootstrap, embedded=True)) as view:
        partitions = {topic: await view.partitions(topic) for topic in sorted(await consumer.topics())}
    found: dict[str, list[bytes]] = {}
    try:
        for topic, numbers in partitions.items():
            places = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            found[topic] = []
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for rows in (await consumer.getmany(timeout_ms=500)).values():
                    for row in rows:
                        found[topic] += [row.key or b"", row.value or b"", repr(row.headers).encode()]
    finally:
        await consumer.stop()
    return found


def tables(running: Running) -> dict[str, bytes]:
    """Every row of every table of the store, as JSON."""
    names = [
        str(row["name"]) for row in running.rows("SELECT name FROM system.tables WHERE database = 'audit'")
    ]
    return {
        name: json.dumps(running.rows(f"SELECT * FROM {name}"), ensure_ascii=False).encode() for name in names
    }


def metrics(running: Running) -> dict[str, bytes]:
    """What every part tells about itself."""
    ports = [path.read_text().strip() for path in (running.data / "run").glob("processors-*.port")]
    hosts = [running.gateway, running.console, *(f"127.0.0.1:{port}" for port in ports)]
    found = {}
    for host in hosts:
        with urlopen(f"http://{host}/metrics", timeout=10) as answer:
            found[f"metrics of {host}"] = answer.read()
    return found
