"""A stream of server-sent events, cut anywhere by the network, is cut at its events and nowhere else."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.frames.sse import EventSplitter, EventTooLongError, fields

LIMIT = 1_000_000

line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
texts = st.sampled_from([b"data: x", b"id: 1", b": ping", b"", b"retry: 5", b"data", "data: é€".encode()])
streams = st.lists(st.tuples(texts, line_ends), max_size=12).map(lambda lines: b"".join(map(b"".join, lines)))
cuts = st.lists(st.integers(0, 200), max_size=10)


def blocks_of(stream: bytes, places: list[int]) -> tuple[list[bytes], bytes]:
    """(blocks, rest) of a stream that comes in pieces."""
    splitter = EventSplitter(LIMIT)
    borders = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    blocks = [
        block for start, end in itertools.pairwise(borders) for block in splitter.feed(stream[start:end])
    ]
    return blocks, splitter.rest()


def dispatched(stream: bytes) -> list[bytes]:
    """The data of each event, as the WHATWG algorithm dispatches them: slow, line by line, whole stream."""
    events: list[bytes] = []
    data: list[bytes] = []
    for line in stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]:
        if not line:
            events += [b"\n".join(data)] if data else []
            data = []
        elif line.partition(b":")[0] == b"data":
            data.append(line.partition(b":")[2].removeprefix(b" "))
    return events


@settings(deadline=None)
@given(streams, cuts)
def test_however_a_stream_is_cut_its_blocks_are_the_same(stream: bytes, places: list[int]) -> None:
    assert blocks_of(stream, places) == blocks_of(stream, [])
    assert blocks_of(stream, list(range(len(stream)))) == blocks_of(stream, [])


@settings(deadline=None)
@given(streams, cuts)
def test_no_byte_is_lost_added_or_changed(stream: bytes, places: list[int]) -> None:
    blocks, rest = blocks_of(stream, places)
    assert b"".join(blocks) + rest == stream


@settings(deadline=None)
@given(streams)
def test_each_block_holds_what_a_client_would_dispatch_at_once(stream: bytes) -> None:
    blocks, rest = blocks_of(stream, [])
    assert [fields(block).data for block in blocks if fields(block).data] == [
        event for event in dispatched(b"".join(blocks)) if event
    ]
    assert len(dispatched(b"".join(blocks))) >= len(dispatched(stream)) - (1 if rest else 0)
    assert all(len(dispatched(block)) <= 1 for block in blocks)


@pytest.mark.parametrize(
    ("stream", "blocks", "rest"),
    [
        (b"data: a\n\ndata: b\n\n", [b"data: a\n\n", b"data: b\n\n"], b""),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"data: a\r\n\r\n", b"data: b\r\n\r\n"], b""),
        (b"data: a\r\rdata: b\r\r", [b"data: a\r\r", b"data: b\r\r"], b""),
        (b"data: a\r\n\n", [b"data: a\r\n\n"], b""),
        (b"data: a\n\r\n:x", [b"data: a\n\r\n"], b":x"),
        (b": ping\n\n", [b": ping\n\n"], b""),
        (b"data: a\ndata: b", [], b"data: a\ndata: b"),
    ],
)
def test_every_line_ending_ends_an_event(stream: bytes, blocks: list[bytes], rest: bytes) -> None:
    assert blocks_of(stream, []) == (blocks, rest)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\r\n\n"])
def test_an_event_is_released_with_its_last_byte(end: bytes) -> None:
    splitter = EventSplitter(LIMIT)
    assert splitter.feed(b"data: a" + end[:-1]) == []
    assert splitter.feed(end[-1:]) == [b"data: a" + end]


@pytest.mark.parametrize(
    ("block", "event_id", "data"),
    [
        (b"id: 5\ndata: a\n\n", "5", b"a"),
        (b"id:5\r\ndata:a\r\ndata:  b\r\n\r\n", "5", b"a\n b"),
        (b": comment\n\n", "", b""),
        (b"event: message\nretry: 10\n\n", "", b""),
        (b"data\n\n", "", b""),
        (b"data: a: b\n\n", "", b"a: b"),
        (b"id: \xff\n\n", "\ufffd", b""),
    ],
)
def test_fields_of_a_block(block: bytes, event_id: str, data: bytes) -> None:
    assert fields(block) == (event_id, data)


@pytest.mark.parametrize("tail", [b"", b"\n\n"])
def test_g12_an_event_over_the_limit_is_refused_whether_it_has_ended_or_not(tail: bytes) -> None:
    splitter = EventSplitter(100)
    assert splitter.feed(b"data: " + b"x" * 90 + b"\n\n")
    with pytest.raises(EventTooLongError):
        splitter.feed(b"data: " + b"x" * 100 + tail)


def seconds_for(megabytes: int) -> float:
    """Time to take one event in small pieces."""
    splitter = EventSplitter(100 * LIMIT)
    piece = (b"data: " + b"x" * 1000 + b"\r\n")[:1000]
    started = time.process_time()
    for _ in range(megabytes * 1000):
        splitter.feed(piece)
    return time.process_time() - started


def test_a_long_event_takes_time_in_proportion_to_its_length() -> None:
    assert seconds_for(16) < 1.5  # measured 0.03; a search from the start each time takes a minute
