"""What an address looks for, pure: read, written, narrowed; pictures and saved searches that follow from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from console.directory import Person
from console.web.pages.search import FLAGS, SPANS, TEXTS, search_of
from console.web.pages.sessions_histogram import HEIGHT, histogram
from console.web.pages.sessions_kept import Kept, standing
from sinks.readers import AdminAct, SessionCounts

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
WORDS = st.dictionaries(
    st.sampled_from(TEXTS),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(str.strip).filter(bool),
)


@given(WORDS, st.sets(st.sampled_from(FLAGS)), st.sampled_from(["", *SPANS]))
def test_an_address_reads_back_as_the_search_it_was_written_for(
    words: dict[str, str], flags: set[str], last: str
) -> None:
    given_ = [*words.items(), *((flag, "1") for flag in flags), ("last", last)]
    search = search_of(given_, "UTC")
    if not search.faults:
        again = search_of(parse_qsl(urlsplit(search.address()).query), "Asia/Tokyo")
        assert again == search


def test_a_search_reaches_back_a_week_unless_it_says_otherwise() -> None:
    wanted = search_of([], "UTC").wanted(NOW, ("prod",))
    assert (wanted.since, wanted.until, wanted.connections) == ("2026-11-14T17:00:00Z", "", ("prod",))
    wanted = search_of([("last", "1h")], "UTC").wanted(NOW, None)
    assert (wanted.since, wanted.connections) == ("2026-11-21T16:00:00Z", None)
    wanted = search_of([("last", "1h"), ("since", "2026-01-01")], "UTC").wanted(NOW, None)
    assert wanted.since == "2026-01-01T00:00:00Z"


def test_a_filter_is_taken_away_by_its_chip_and_nothing_else() -> None:
    search = search_of(
        [("tool", "a b"), ("redacted", "1"), ("last", "30d"), ("before", "2026-01-01T00:00:00Z")], "UTC"
    )
    assert search.chips == [
        ("Tool", "a b", "/sessions?redacted=1&last=30d"),
        ("With something masked", "", "/sessions?tool=a+b&last=30d"),
    ]


def test_times_that_cannot_be_meant_are_faults_and_not_ignored() -> None:
    assert search_of([("since", "2026-13-01")], "UTC").faults
    assert search_of([("since", "2026-01-02"), ("until", "2026-01-01")], "UTC").faults
    assert search_of([("text", "x" * 501)], "UTC").faults
    assert search_of([("since", "9999-12-31T23:59")], "America/New_York").faults


def test_a_picture_has_a_bar_for_whatever_happened_and_each_narrows_to_its_time() -> None:
    buckets = [
        {
            "at": f"2026-11-21T{hour:02}:00:00.000000Z",
            "sessions": 1,
            "exchanges": count,
            "denied": count // 2,
            "errors": 0,
        }
        for hour, count in enumerate((0, 1, 1_000))
    ]
    counts: Any = {
        "total": 2,
        "more": False,
        "since": "2026-11-21T00:00:00Z",
        "until": "2026-11-21T03:00:00Z",
        "bucket_seconds": 3600,
        "buckets": buckets,
    }
    found = histogram(_counts(counts), search_of([("tool", "x")], "UTC"))
    assert [bar.height for bar in found.bars] == [0.0, 3.0, HEIGHT - 4]
    assert found.bars[2].bad_height == (HEIGHT - 4) / 2
    assert (
        found.bars[1].address
        == "/sessions?tool=x&since=2026-11-21T01%3A00%3A00Z&until=2026-11-21T02%3A00%3A00Z"
    )
    assert found.told == "1,001 exchanges: 500 denied or held, 0 failed; at most 1,000 in one bar."


def _counts(counts: Any) -> SessionCounts:
    return counts  # type: ignore[no-any-return]


def act(at: int, action: str, target: str, query: str = "", **over: str) -> AdminAct:
    """Ann saves or forgets."""
    row: Any = {
        "admin_id": str(at),
        "at": f"2026-11-21T00:00:{at:02}Z",
        "actor_kind": "console",
        "actor": "ann",
        "actor_issuer": "i",
        "action": action,
        "target": target,
        "reason": "",
        "outcome": "done",
        "detail": '{"query": "%s"}' % query,
        **over,
    }
    return row  # type: ignore[no-any-return]


def test_the_last_act_on_a_name_counts_and_only_that_of_the_person_through_the_console() -> None:
    acts = [
        act(3, "search.save", "b", "tool=b2"),
        act(1, "search.save", "b", "tool=b"),
        act(1, "search.save", "a", "tool=a"),
        act(2, "search.forget", "a"),
        act(4, "search.save", "c", "tool=c", actor_issuer="another"),
        act(5, "search.save", "d", "tool=d", actor_kind="cli"),
        act(6, "search.save", "e", "tool=e", outcome="refused"),
        act(7, "search.save", "f", "tool=f", detail="left out"),
    ]
    assert standing(acts, Person("i", "ann")) == [Kept("b", "tool=b2")]
