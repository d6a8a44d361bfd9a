"""The courier: compares what was told with what holds, and tells nobody twice that can be spared it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from console.integrations.courier import Courier, backoff
from console.integrations.settings import Retries
from console.integrations.showing import said
from console.integrations.vendor import DeliveryError, wait_of
from console.standing import Standing
from schemas.deliveries import ApprovalDelivery
from tests.console.integrations.conftest import QUICK, Stage, until
from tests.processors.approvals.making import SECOND

DAY = 86_400 * SECOND


@dataclass
class Board:
    """A channel in this process: `notes` by name, `faults` that come first."""

    name: str = "board"
    notes: dict[str, str] = field(default_factory=dict)
    changes: int = 0
    faults: list[Exception] = field(default_factory=list)

    def place(self, standing: Standing) -> str | None:
        return "here" if standing.request["connection"] != "elsewhere" else None

    async def find(self, standing: Standing, place: str) -> str:
        assert (standing.request["connection"], place) == ("prod", "here")
        return ""

    async def tell(self, standing: Standing, place: str) -> str:
        assert place == "here"
        if self.faults:
            raise self.faults.pop(0)
        name = f"note-{len(self.notes)}"
        self.notes[name] = said(standing)
        return name

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:
        assert place == "here"
        if self.faults:
            raise self.faults.pop(0)
        self.notes[external_id] = said(standing)
        self.changes += 1


@asynccontextmanager
async def delivering(stage: Stage, board: Board, retries: Retries = QUICK) -> AsyncIterator[None]:
    """A courier at work."""
    courier = Courier(board, stage.desk, stage.means(retries))
    task = asyncio.create_task(courier.run())
    try:
        yield
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)


async def test_each_change_is_told_and_an_end_is_struck_from_the_book(stage: Stage) -> None:
    board = Board()
    ann, eve = (stage.desk.people.person_of("slack", f"T1/{name}") for name in ("UANN", "UEVE"))
    assert ann
    assert eve
    async with delivering(stage, board):
        approval = stage.desk.ask(quorum=[{"reviewers": ["owners"], "people": 2}])
        await until(lambda: board.notes == {"note-0": "pending:0"})
        await stage.desk.decide(approval, "approve", ann)
        await until(lambda: board.notes == {"note-0": "pending:1"})
        await stage.desk.decide(approval, "approve", eve)
        await until(lambda: board.notes == {"note-0": "approved:2"})
        assert stage.book.rows
        await stage.desk.decide(approval, "revoke", eve)
        await until(lambda: board.notes == {"note-0": "revoked:2"})
        await until(lambda: not stage.book.rows)


async def test_what_was_told_but_not_written_down_is_not_told_again(stage: Stage) -> None:
    board = Board()

    async def tell_and_lose(standing: Standing, place: str) -> str:
        stage.book.away = True
        return await Board.tell(board, standing, place)

    board.tell = tell_and_lose  # type: ignore[method-assign]
    async with delivering(stage, board):
        stage.desk.ask()
        await until(lambda: stage.findings)
        assert stage.book.entries("board")[0]["external_id"] == ""
        stage.book.away = False
        await until(lambda: stage.book.entries("board")[0]["external_id"] == "note-0")
    assert len(board.notes) == 1


async def test_nobody_is_told_before_it_is_written_down_that_somebody_will_be(stage: Stage) -> None:
    board = Board()
    stage.book.away = True
    async with delivering(stage, board):
        stage.desk.ask()
        await until(lambda: stage.findings)
        assert board.notes == {}


async def test_a_poisonous_approval_holds_nobody_up_and_a_busy_vendor_everybody(stage: Stage) -> None:
    slow = replace(QUICK, first_seconds=30.0, longest_seconds=30.0)
    board = Board(faults=[DeliveryError("it is no good")])
    async with delivering(stage, board, slow):
        stage.desk.ask()
        stage.desk.ask()
        await until(lambda: board.notes)
        board.faults = [DeliveryError("too much", after_seconds=0.5)]
        began = time.monotonic()
        stage.desk.ask()
        stage.desk.ask()
        await until(lambda: len(board.notes) == 3)
        assert time.monotonic() - began >= 0.5


async def test_one_outage_is_one_finding_and_the_next_is_another(stage: Stage) -> None:
    board = Board()
    async with delivering(stage, board):
        for outage in (1, 2):
            board.faults = [DeliveryError("away")] * 5
            stage.desk.ask()
            await until(lambda number=outage: len(board.notes) == number)  # type: ignore[misc]
    assert len(stage.findings) == 2
    assert len({finding["finding_id"] for finding in stage.findings}) == 2


async def test_what_ended_a_day_ago_need_not_be_told_any_more(stage: Stage) -> None:
    old = time.time_ns() // 1_000 - 3 * DAY
    approval = stage.desk.ask(requested_at=old, expires_at=old + 900 * SECOND)
    entry: ApprovalDelivery = {
        "approval_id": approval,
        "integration": "board",
        "at": old,
        "place": "here",
        "external_id": "note-0",
        "told": "pending:0",
    }
    await stage.book.write(entry)
    stage.desk.tick(approval)
    assert stage.desk.state(approval) == "expired"
    board = Board(faults=[DeliveryError("gone")] * 1_000)
    async with delivering(stage, board):
        await until(lambda: not stage.book.rows)


async def test_entries_that_the_desk_knows_nothing_of_are_forgotten_when_they_are_old(stage: Stage) -> None:
    now = time.time_ns() // 1_000
    for number, at in (("1", now), ("2", now - 62 * DAY)):
        entry: ApprovalDelivery = {
            "approval_id": f"0190a8c0-0000-7000-8000-00000000000{number}",
            "integration": "board",
            "at": at,
            "place": "here",
            "external_id": "x",
            "told": "pending:0",
        }
        await stage.book.write(entry)
    async with delivering(stage, Board()):
        await until(lambda: len(stage.book.rows) == 1)
    assert stage.book.entries("board")[0]["at"] == now


async def test_nothing_is_concluded_from_a_desk_that_has_not_read_everything(stage: Stage) -> None:
    board = Board()
    stage.desk.ready = False
    stage.desk.ask()
    async with delivering(stage, board):
        await asyncio.sleep(0)
        assert board.notes == {}
        stage.desk.ready = True
        await until(lambda: board.notes)


def test_pauses_grow_to_a_bound() -> None:
    retries = Retries(first_seconds=1.0, longest_seconds=60.0)
    for failed, most in ((1, 1), (2, 2), (5, 16), (10, 60), (10_000, 60)):
        assert 0.8 * most <= backoff(retries, failed) <= most


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("0", 1), ("-5", 1), ("999999", 3_600), ("soon", 30), ("nan", 30), ("inf", 3_600)],
)
def test_a_vendors_word_for_later_is_bounded(text: str, seconds: float) -> None:
    assert wait_of(text) == seconds


def test_a_vendors_date_for_later_is_read() -> None:
    assert 1 <= wait_of("Wed, 21 Oct 2015 07:28:00 GMT") <= 1
    assert wait_of("Fri, 31 Dec 2100 23:59:59 GMT") == 3_600
