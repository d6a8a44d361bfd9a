"""What the chaos run tortures: the real masking processor, and a processor with a table."""

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from masking.deep import DeepMasker
from processors.completeness_report import completeness_report
from processors.masking import GROUP as MASKING_GROUP
from processors.masking_step import Audited, step
from processors.masks import Deep, Masks
from processors.memory import Memory
from processors.positions import AUDIT
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.topics import topics
from tests.processors.making import BODY, frame_value
from tests.processors.masking_worker import KEY
from tests.processors.table_worker import counted
from tests.processors.trail import create_topics, read_all

KEYS = 500
TOKEN = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLWhlcmUtMTIz"
SECRET_BODY = BODY[:-1] + b',"note":"Authorization: Bearer ' + TOKEN + b'"}'
RETURNED_BODY = BODY[:-1] + b',"note":"' + TOKEN[::-1] + b'"}'


def one_mask() -> Masks:
    """The deep pass of every connection."""
    deep = Deep(DeepMasker(KEY, "secrets").mask)
    return lambda *_: deep


class Shape(Protocol):
    """One kind of processor under chaos."""

    group: str
    source: str
    partitions: int

    async def prepare(self, bootstrap: str) -> None:
        """Create the topics."""
        ...

    def arguments(self, bootstrap: str, home: Path) -> list[str]:
        """`python -m` arguments of a worker."""
        ...

    def record(self, number: int) -> tuple[bytes, bytes]:
        """Key and value of input record `number`."""
        ...

    async def unsettled(self, bootstrap: str) -> int:
        """What has still to happen after the group has committed everything."""
        ...

    async def figures(self, bootstrap: str) -> dict[str, int]:
        """What came of it: records, outputs, duplicates, and the faults missing, wrong, …"""
        ...


class MaskingShape:
    """The product's worker on `frames` and `audit`."""

    group = MASKING_GROUP
    source = "frames"
    partitions = topics()["frames"].partitions

    async def prepare(self, bootstrap: str) -> None:
        """Create the product's topics."""
        await ensure_topics(KafkaAddress(bootstrap, embedded=True))

    def arguments(self, bootstrap: str, home: Path) -> list[str]:
        """The real worker."""
        return ["tests.processors.masking_worker", bootstrap, str(home)]

    def record(self, number: int) -> tuple[bytes, bytes]:
        """A frame; in every tenth a token that only the deep masking sees, in another tenth it returns hidden."""
        body = {0: SECRET_BODY, 5: RETURNED_BODY}.get((number + number // KEYS) % 10, BODY)
        return b"k%d" % (number % KEYS), frame_value(number, body)

    async def unsettled(self, bootstrap: str) -> int:
        """Frames that the completeness check has not verified yet."""
        report = await completeness_report(KafkaAddress(bootstrap, embedded=True))
        return sum(row.end - row.verified for row in report.partitions)

    async def figures(self, bootstrap: str) -> dict[str, int]:
        """Each frame's audit record, computed again in the order of its session and compared byte for byte."""
        masks = one_mask()
        memories: dict[tuple[int, bytes], Memory] = {}
        wanted, lows = {}, dict[int, int]()
        for row in await read_all(bootstrap, "frames", self.partitions):
            lows.setdefault(row.partition, row.offset)
            memory = memories.setdefault((row.partition, row.key), Memory(row.partition))
            done = step(row.value, row.partition, row.offset, masks, 4_000_000, memory)
            if isinstance(done, Audited):
                wanted[row.partition, sha256(done.value).digest()] = row.offset
        found: Counter[tuple[int, bytes]] = Counter()
        for row in await read_all(bootstrap, "audit", self.partitions):
            if AUDIT.read(row.value)["frames_offset"] >= lows.get(
                row.partition, 0
            ):  # its frame is still there
                found[row.partition, sha256(row.value).digest()] += 1
        rows = (await completeness_report(KafkaAddress(bootstrap, embedded=True))).partitions
        return {
            "records": len(wanted),
            "outputs": found.total(),
            "duplicates": found.total() - len(found),
            "missing": len(wanted.keys() - found.keys()),
            "wrong": len(found.keys() - wanted.keys()),
            "redriven": sum(row.redriven for row in rows),
            "expired": sum(row.expired for row in rows),
            "unverified": sum(row.end - row.verified for row in rows),
        }


class TableShape:
    """A processor that counts by key in a table."""

    def __init__(self, name: str, partitions: int = 8) -> None:
        self.group = name
        self.source = f"{name}-in"
        self.partitions = partitions

    async def prepare(self, bootstrap: str) -> None:
        """Source, output and changelog, with equal partitions."""
        names = (self.source, f"{self.group}-out", f"{self.group}-counts-changelog")
        await create_topics(bootstrap, names, self.partitions)

    def arguments(self, bootstrap: str, home: Path) -> list[str]:
        """The counting worker."""
        return ["tests.processors.table_worker", bootstrap, str(home), self.group, str(self.partitions)]

    def record(self, number: int) -> tuple[bytes, bytes]:
        """A small record of one of the keys."""
        return b"k%d" % (number % KEYS), b"%d" % number

    async def unsettled(self, _bootstrap: str) -> int:
        """Nothing: what is committed is done."""
        return 0

    async def figures(self, bootstrap: str) -> dict[str, int]:
        """Each output carries the right count; the last changelog row of each key is exact."""
        counts: Counter[bytes] = Counter()
        last: dict[bytes, int] = {}
        wanted: dict[bytes, int] = {}
        for row in await read_all(bootstrap, self.source, self.partitions):
            counts[row.key] += 1
            last[row.key] = row.offset
            wanted[counted(row.partition, row.offset, counts[row.key])] = row.partition
        found = Counter(row.value for row in await read_all(bootstrap, f"{self.group}-out", self.partitions))
        kept = await self._changelog(bootstrap)
        return {
            "records": len(wanted),
            "outputs": found.total(),
            "duplicates": found.total() - len(found),
            "missing": len(wanted.keys() - found.keys()),
            "wrong": len(found.keys() - wanted.keys()),
            "keys_wrong": sum(kept.get(key) != [count, last[key]] for key, count in counts.items()),
        }

    async def _changelog(self, bootstrap: str) -> dict[bytes, object]:
        rows = await read_all(bootstrap, f"{self.group}-counts-changelog", self.partitions)
        return {row.key.strip(b'"'): json.loads(row.value) for row in rows}
