"""The overview: figures, charts with a table behind each, times in the URL."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from console.web.pages.overview_charts import Numbers, lines, nice, ranking, stacked
from console.web.pages.overview_range import RangeError, range_of
from tests.console.web_inbox.conftest import Desk
from tests.processors.trail import fill, until
from tests.sinks.records import Trail

NOW = datetime(2026, 7, 28, 12, 0, tzinfo=UTC)
AT = [f"2026-07-28T{hour:02}:00:00Z" for hour in range(24)]


async def recorded(desk: Desk, count: int, **fields: str) -> str:
    """So many calls over a connection of their own, which the store has; the connection."""
    connection = f"over-{uuid4().hex[:8]}"
    trail = Trail(lane=f"{connection}/0/0", started_us=time.time_ns() // 1_000 - 60_000_000)
    session = str(uuid4())
    last = [trail.exchange(connection=connection, session_id=session, **fields) for _ in range(count)][-1]
    await fill(desk.floor.broker, "audit", [(1, session.encode(), value) for value in trail.values])

    async def stored() -> bool:
        found = await desk.reader.exchange(last)
        return found is not None and found["outcome"] != "pending"

    await until(stored, 60)
    return connection


async def test_calls_tools_and_refusals_of_the_last_hour_are_shown(desk: Desk) -> None:
    tool = f"tool-{uuid4().hex[:8]}"
    await recorded(desk, 30, tool=tool)
    await recorded(desk, 20, tool=f"{tool}-denied", verdict="deny")
    page = await desk.as_("ann", "owners").get("/overview?range=1h")
    assert page.status == 200
    for part in (f">{tool}</a>", f">{tool}-denied</a>", "Calls by verdict", "Latency in milliseconds"):
        assert part in page.text, part


async def test_each_chart_has_a_title_a_description_and_a_table_of_its_numbers(desk: Desk) -> None:
    await recorded(desk, 2)
    text = (await desk.as_("ann", "owners").get("/overview?range=1h")).text
    pictures = [f"<svg{part.split('</svg>')[0]}</svg>" for part in text.split("<svg")[1:]]
    charts = [ElementTree.fromstring(each) for each in pictures if 'role="img"' in each]
    assert len(charts) == 3
    for chart in charts:
        titles = [chart.find("title"), chart.find("desc")]
        assert all(title is not None and title.text for title in titles)
        assert chart.get("aria-labelledby", "").split() == [t.get("id") for t in titles if t is not None]
    assert text.count(" as a table</summary>") == 3
    assert " style=" not in text


async def test_a_time_in_the_url_is_kept_and_one_that_cannot_be_meant_is_refused(desk: Desk) -> None:
    ann = desk.as_("ann", "owners")
    page = await ann.get("/overview?since=2020-01-01T00:00Z&until=2020-01-02T00:00Z")
    assert (page.status, "Nothing was recorded in this time" in page.text) == (200, True)
    for query in ("range=9y", "since=yesterday", "since=2026-01-02&until=2026-01-01", "since=1990-01-01"):
        assert (await ann.get(f"/overview?{query}")).status == 400, query


async def test_who_may_not_look_at_the_trail_sees_no_overview(desk: Desk) -> None:
    assert (await desk.as_("zoe", "others").get("/overview")).status == 403


HOSTILE = "".join(
    (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "=cmd|' /C calc'!A0",
        "\x1b[31mred\x1b[0m",
        "user\u202egnp.exe",
        "{{ 7*7 }}{% raw %}",
    )
)


async def test_abuse_84_what_somebody_wrote_into_a_name_does_nothing_on_any_page(desk: Desk) -> None:
    words = dict.fromkeys(("tool", "object", "reason", "client_id"), HOSTILE)
    approval = await desk.floor.ask(**words, arguments=HOSTILE.encode(), principal_aliases=[])
    facts = dict.fromkeys(("explanation", "odd", "tool", HOSTILE), HOSTILE)
    rule = f"rule-{uuid4().hex[:8]}"
    finding = await desk.raised(rule, title=HOSTILE, evidence=[HOSTILE], attributes=facts)
    await recorded(desk, 40, tool=HOSTILE)

    async def known() -> bool:
        return desk.served.console.desk.standing(approval) is not None

    await until(known, 60)
    ann = desk.as_("ann", "owners", "admins")
    paths = (
        "/approvals",
        f"/approvals/{approval}",
        "/findings",
        f"/findings/{finding['finding_id']}",
        f"/findings/silences?rule={quote(HOSTILE)}",
        f"/findings?rule={quote(HOSTILE)}",
        "/overview?range=1h",
    )
    for path in paths:
        page = await ann.get(path)
        assert (page.status, "alert(1)" in page.text) == (200, True), path
        for live in ("<script>alert", "<img src=x", "\x1b", "\u202e", ">49"):
            assert live not in page.text, (path, live)
        assert page.header("Content-Security-Policy").startswith("default-src 'none'; script-src 'self';")


# -- pure


def test_a_range_is_by_name_or_by_its_ends() -> None:
    assert range_of({}, NOW).since == "2026-07-27T12:00:00Z"
    assert range_of({"range": "7d"}, NOW).query == {"range": "7d"}
    typed = range_of({"since": "2026-07-28T10:00+02:00", "until": "2026-07-28T10:00"}, NOW)
    assert (typed.since, typed.until, typed.span) == ("2026-07-28T08:00:00Z", "2026-07-28T10:00:00Z", "")
    with pytest.raises(RangeError):
        range_of({"range": "0h"}, NOW)


def test_the_bars_of_a_bucket_stand_on_each_other_and_fill_the_height_of_the_most() -> None:
    chart = stacked(Numbers("c", "Calls", "calls", AT[:2], {"allowed": [6, 1], "denied": [4, 0]}))
    low, high, other = chart.bars
    assert (low.name, high.name, other.name) == ("allowed", "denied", "allowed")
    assert high.y + high.height == pytest.approx(low.y)
    assert low.y + low.height == pytest.approx(chart.base)
    assert high.y == 8
    assert chart.summary == "11 calls in all, at most 10 at once."
    assert chart.rows[0] == [AT[0], "6", "4"]


def test_a_line_breaks_where_nothing_is_known_and_a_lone_value_is_a_dot() -> None:
    chart = lines(Numbers("l", "Latency", "ms", AT[:5], {"p50": [1.0, 2.0, None, 4.0, None]}))
    (line,) = chart.lines
    assert (len(line.pieces), len(line.dots)) == (1, 1)
    assert chart.rows[2] == [AT[2], ""]
    assert "p50 at most 4 ms" in chart.summary


def test_nothing_is_a_chart_that_says_so() -> None:
    chart = stacked(Numbers("c", "Calls", "calls", AT, {"allowed": [0] * 24}))
    assert (chart.empty, chart.bars, chart.summary) == (True, [], "There is nothing in this time.")
    assert len(chart.across) <= 6


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (3, 4), (7, 10), (11, 20), (0.13, 0.2), (999, 1000)]
)
def test_the_scale_ends_at_a_round_number(most: float, top: float) -> None:
    assert nice(most) == pytest.approx(top)


def test_a_ranking_measures_against_its_longest() -> None:
    assert [row.part for row in ranking([("a", 40), ("b", 10)])] == [100, 25]
    assert ranking([]) == []
