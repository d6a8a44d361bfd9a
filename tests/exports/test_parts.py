"""Exports into folders and buckets: every row once, whatever stops it, and nothing that was not asked for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from sinks.exports.events import Kind, Place
from sinks.exports.places import Bucket, Folder, PlaceError
from sinks.exports.progress import Progress, ProgressError
from sinks.exports.run import Export
from sinks.exports.source import PAGE_BYTES, Window
from sinks.exports.source import Trail as Source
from sinks.sql_reader import SqlReader
from tests.exports.conftest import EXCHANGES, Stretch, iso
from tests.sinks.filling import fill
from tests.sinks.records import START_US, Trail
from tests.sinks.shared_store import embedded_store

ASKED = {"format": "jsonl"}


def found(folder: Path, pattern: str) -> list[Path]:
    """What lies there, in order."""
    return sorted(folder.glob(pattern))


def contents(folder: Path) -> dict[str, bytes]:
    """Every part by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jsonl")}


def rows_in(folder: Path) -> list[str]:
    """The ids in all parts, in the order of their days and names."""
    parts = found(folder, "exchanges/day=*/*.jsonl")
    return [json.loads(line)["exchange_id"] for part in parts for line in part.read_text().splitlines()]


class Breaking(Folder):
    """Takes so many parts and then no more."""

    def __init__(self, root: Path, parts: int) -> None:
        super().__init__(root)
        self.left = parts

    async def put(self, name: str, content: bytes) -> None:
        """As a folder, while there is room."""
        if not self.left:
            raise PlaceError("no room left")
        self.left -= 1
        await super().put(name, content)


async def test_each_exchange_that_ended_is_given_once_in_parts_by_day(
    stretch: Stretch, tmp_path: Path
) -> None:
    progress = Progress.open(None, ASKED)
    await Export(stretch.source(), ["exchanges"], progress).to_shelf(Folder(tmp_path), "jsonl")
    assert sorted(rows_in(tmp_path)) == sorted(stretch.ids)
    assert len(found(tmp_path, "exchanges/day=*")) == 2
    assert progress.counts == {"exchanges": EXCHANGES}
    assert found(tmp_path, "**/.*") == []


async def test_what_lies_outside_the_window_is_not_given(stretch: Stretch) -> None:
    events = await stretch.events()
    narrow = replace(stretch.window, since=events[3].at, until=events[7].at)
    given = await replace(stretch, window=narrow).events()
    assert [event.id for event in given] == [event.id for event in events[3:7]]


@pytest.mark.parametrize("parts", range(5))
async def test_an_export_that_broke_off_goes_on_and_gives_the_same_parts(
    stretch: Stretch, tmp_path: Path, parts: int
) -> None:
    whole, state = tmp_path / "whole", tmp_path / "state.json"
    await Export(stretch.source(), ["exchanges"], Progress.open(None, ASKED)).to_shelf(Folder(whole), "jsonl")
    with pytest.raises(PlaceError, match="no room"):
        await Export(stretch.source(), ["exchanges"], Progress.open(state, ASKED)).to_shelf(
            Breaking(tmp_path / "made", min(parts, 3)), "jsonl"
        )
    again = Progress.open(state, ASKED)
    await Export(stretch.source(), ["exchanges"], again).to_shelf(Folder(tmp_path / "made"), "jsonl")
    assert contents(tmp_path / "made") == contents(whole)
    assert again.counts == {"exchanges": EXCHANGES}


async def test_a_page_may_end_anywhere_among_rows_of_one_moment(stretch: Stretch) -> None:
    seen: list[str] = []
    source, place = stretch.source(rows=1), Place()
    while page := await source.page("exchanges", place):
        place = page[-1].place
        seen += [event.id for event in page]
    assert len(seen) == len(set(seen)) == EXCHANGES


async def test_frames_of_more_bytes_than_one_answer_may_have_are_all_given() -> None:
    store, name = embedded_store(), f"export-{uuid4().hex[:12]}"
    trail = Trail(lane=f"gw/{uuid4()}/0/0")
    sizes = [900_000] * 75 + [PAGE_BYTES + 1, 10]  # about 84 MB: the store answers with 64 at most
    for size in sizes:
        trail.frame(b"x" * size, connection=name)
    fill(store.client, trail.values)
    reader = SqlReader(store.address)
    source = Source(reader, Window(iso(START_US), iso(START_US + 86_400_000_000), (name,)))
    seen, place = [], Place()
    try:
        while page := await source.page("frames", place):
            place = page[-1].place
            seen.append([len(event.row["body"]) for event in page])
    finally:
        await reader.close()
    assert [size for page in seen for size in page] == sizes
    assert all(sum(page) <= PAGE_BYTES or len(page) == 1 for page in seen)


def test_the_progress_of_another_export_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    Progress.open(state, ASKED).arrived("exchanges", Place("2026-01-01", "x"), 1)
    with pytest.raises(ProgressError, match="differs in format"):
        Progress.open(state, {"format": "ocsf"})
    state.write_text("{}")
    with pytest.raises(ProgressError, match="no progress of an export"):
        Progress.open(state, ASKED)


TYPES = """
import sys, chdb
print(chdb.query(f"DESCRIBE file('{sys.argv[1]}', 'Parquet')", "TSV"))
print(chdb.query(f"SELECT count(), max(ended_at) FROM file('{sys.argv[1]}', 'Parquet')", "TSV"))
"""


def read_back(part: Path) -> str:
    """What a Parquet file says of itself, to an engine that knows nothing of it."""
    done = subprocess.run(
        [sys.executable, "-c", TYPES, str(part)], capture_output=True, text=True, check=True
    )
    return done.stdout


async def test_parquet_has_the_columns_of_the_view_with_their_types(stretch: Stretch, tmp_path: Path) -> None:
    kinds: list[Kind] = ["exchanges", "frames"]
    export = Export(stretch.source(100), kinds, Progress.open(None, ASKED))
    await export.to_shelf(Folder(tmp_path), "parquet")
    assert len(found(tmp_path, "frames/day=*/*.parquet")) >= 2
    parts = found(tmp_path, "exchanges/day=*/*.parquet")
    assert len(parts) == 2
    said = [await asyncio.to_thread(read_back, part) for part in parts]
    assert "latency_ms\tFloat64" in said[0]
    assert "DateTime64" in said[0]
    counts = [int(text.strip().splitlines()[-1].split("\t")[0]) for text in said]
    assert sum(counts) == EXCHANGES


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3-compatible store on this machine, with a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    yield f"http://{host}:{port}"
    server.stop()


async def test_a_bucket_takes_the_same_parts(stretch: Stretch, tmp_path: Path, s3: str) -> None:
    bucket = Bucket("s3://trail/prod", s3)
    with pytest.raises(PlaceError, match="s3://trail/prod/exchanges/day="):
        await Export(stretch.source(), ["exchanges"], Progress.open(None, ASKED)).to_shelf(bucket, "ocsf")
    bucket._client.create_bucket(Bucket="trail")
    await Export(stretch.source(), ["exchanges"], Progress.open(None, ASKED)).to_shelf(bucket, "jsonl")
    keys = [each["Key"] for each in bucket._client.list_objects_v2(Bucket="trail")["Contents"]]
    given: list[str] = []
    for key in keys:
        body = bucket._client.get_object(Bucket="trail", Key=key)["Body"].read().decode()
        given += [json.loads(line)["exchange_id"] for line in body.splitlines()]
    assert all(key.startswith("prod/exchanges/day=") for key in keys)
    assert sorted(given) == sorted(stretch.ids)
    bucket._client.close()
