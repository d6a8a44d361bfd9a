"""What holds for an exchange whatever happens to it: any request, any sequence of facts, without I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.effects import (
    Answer,
    Broken,
    CutStream,
    Draft,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    Note,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Request,
    Send,
)
from gateway.exchange import Exchange
from gateway.refusals import Refused
from gateway.settings import Limits
from tests.gateway.playbook import (
    ALICE,
    CALL,
    EVENTS,
    ID,
    JSON,
    SECRET,
    UNMASKABLE,
    request,
    terms,
)

LIMITS = Limits(event_bytes_max=60, json_depth_max=8, batch_members_max=2)
STEPS_MAX = 30
many = settings(max_examples=120, deadline=None)

requests = st.one_of(  # weighted, here and below, so that many lives come far
    st.just(request(CALL)),
    st.just(request(CALL)),
    st.sampled_from(
        [
            request(b"", method="GET"),
            request(b"", method="DELETE"),
            request(b"[{},{}]"),
            request(b"[{},{},{}]"),
            request(b"[" * 9 + b"]" * 9),
            request(UNMASKABLE),
            request(CALL, [(b"content-encoding", b"br")]),
        ]
    ),
    st.binary(max_size=20).map(request),
)
broken = st.sampled_from(
    [
        Broken("upstream_failed", "upstream_unreachable", "", sent=False),
        Broken("upstream_failed", "upstream_broke", "it closed"),
        Broken("timed_out", "upstream_timeout", ""),
        Broken("withheld", "response_too_large", ""),
        Broken("upstream_failed", "gateway_stopping", ""),
    ]
)
failures: st.SearchStrategy[Fact] = broken | st.builds(Gone)
heads = st.builds(
    Head,
    st.sampled_from([200, 202, 404, 500]),
    st.sampled_from(
        [
            JSON,
            EVENTS,
            EVENTS,
            [],
            [*JSON, (b"content-encoding", b"br")],
            [*EVENTS, (b"mcp-session-id", b"s")],
        ]
    ),
)
pieces: st.SearchStrategy[bytes] = st.sampled_from(
    [b"", b"data: up", b"\n", b"\r\n", b"\n\n", b": ping\n\n", b"id: 1\ndata: " + SECRET, UNMASKABLE]
) | st.just(b"data: " + b"x" * 61)
bodies = st.sampled_from([b"", b"{}", b'{"result":{"isError":true}}', SECRET, UNMASKABLE])


@dataclass
class Transcript:
    """All that one life did, in order, with the fact that answered each effect."""

    exchange: Exchange
    steps: list[tuple[Effect, Fact]] = field(default_factory=list)

    def frames(self) -> list[Draft]:
        """Every frame that went to the trail, in order."""
        return [
            draft for effect, _ in self.steps if isinstance(effect, Record | Note) for draft in effect.frames
        ]

    def says(self, draft: Draft, name: str) -> object:
        return {**self.exchange.base, **draft.facts}[name]


def mostly(data: st.DataObject, usual: st.SearchStrategy[Fact], rare: st.SearchStrategy[Fact]) -> Fact:
    """Draws so that most lives come far and each step may fail."""
    return data.draw(rare if data.draw(st.integers(0, 7)) == 7 else usual)


def fact_for(data: st.DataObject, effect: Effect, step: int) -> Fact:
    """Any fact that may answer `effect`; streams end after a while."""
    match effect:
        case Record():
            return mostly(data, st.just(True), st.just(False))
        case Forward():
            return mostly(data, heads, failures)
        case ReadBody():
            return mostly(data, bodies, failures)
        case ReadReady():
            return mostly(data, st.none() | pieces, failures)
        case ReadChunk():
            return mostly(data, pieces, failures) if step < STEPS_MAX else b""
    return None


@st.composite
def lives(draw: st.DrawFn) -> Transcript:
    """A whole life of some request under some facts."""
    asked: Request = draw(requests)
    exchange = Exchange(ID, asked, ALICE, terms(LIMITS))
    life = exchange.life(draw(st.sampled_from([None, None, None, None, Refused("unknown_connection")])))
    transcript = Transcript(exchange)
    data = draw(st.data())
    effect = next(life)
    try:
        while True:
            fact = fact_for(data, effect, len(transcript.steps))
            transcript.steps.append((effect, fact))
            effect = life.send(fact)
    except StopIteration:
        return transcript


@many
@given(lives())
def test_g1_a_request_is_forwarded_once_and_only_after_its_record_was_acknowledged(life: Transcript) -> None:
    effects = [effect for effect, _ in life.steps]
    forwards = [number for number, effect in enumerate(effects) if isinstance(effect, Forward)]
    assert len(forwards) <= 1
    for number in forwards:
        record, acknowledged = life.steps[number - 1]
        assert isinstance(record, Record)
        assert acknowledged is True
        assert [draft.direction for draft in record.frames] == ["request"]


@many
@given(lives())
def test_g2_no_byte_of_upstream_is_released_before_its_record_was_acknowledged(life: Transcript) -> None:
    acknowledged = b""
    released = b""
    failed = False
    for effect, fact in life.steps:
        if isinstance(effect, Record):
            acknowledged += b"".join(d.body for d in effect.frames if fact and d.direction == "response")
            failed = failed or not fact
        elif isinstance(effect, Answer | Send):
            given_now = effect.body if isinstance(effect, Answer) else effect.data
            if ID.encode() in given_now:  # the gateway's own words
                continue
            released += given_now
            assert not failed
            assert acknowledged.startswith(released)
    assert SECRET not in released


@many
@given(lives())
def test_g6_every_exchange_ends_in_one_frame_that_tells_the_outcome(life: Transcript) -> None:
    frames = life.frames()
    outcomes = [life.says(draft, "outcome") for draft in frames]
    assert frames[0].direction == "request"
    assert outcomes[-1] == life.exchange.outcome != "pending"
    corrected = [draft for draft, outcome in zip(frames, outcomes, strict=True) if outcome != "pending"][1:]
    assert all(draft.direction == "end" for draft in corrected)


@many
@given(lives())
def test_g6_the_last_frame_tells_the_status_that_the_client_was_given(life: Transcript) -> None:
    given_now = [effect for effect, _ in life.steps if isinstance(effect, Answer | OpenStream)]
    assert len(given_now) <= 1
    for effect in given_now:
        assert life.says(life.frames()[-1], "http_status") == effect.status


@many
@given(lives())
def test_the_client_is_answered_unless_it_has_left(life: Transcript) -> None:
    told = any(isinstance(effect, Answer | OpenStream) for effect, _ in life.steps)
    left = any(isinstance(fact, Gone) for _, fact in life.steps)
    assert told or left


@many
@given(lives())
def test_a_stream_that_does_not_end_well_is_cut_and_so_never_looks_whole(life: Transcript) -> None:
    effects = [effect for effect, _ in life.steps]
    if any(isinstance(effect, OpenStream) for effect in effects):
        cut = isinstance(effects[-1], CutStream)
        assert cut == (life.exchange.outcome not in ("completed", "client_gone"))


@many
@given(lives())
def test_what_could_not_be_masked_is_in_no_frame(life: Transcript) -> None:
    assert all(UNMASKABLE not in draft.body and SECRET not in draft.body for draft in life.frames())


@many
@given(lives())
def test_a_record_is_never_empty_because_nobody_could_acknowledge_it(life: Transcript) -> None:
    assert all(effect.frames for effect, _ in life.steps if isinstance(effect, Record | Note))
