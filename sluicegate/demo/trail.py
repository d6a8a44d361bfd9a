"""The demo's look at the trail: wait until it is whole, list the sessions, replay one.

The cells and lines are those of `sluicegate sessions list` and `sluicegate sessions replay`; here bodies are cut
to one line, for an overview.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sinks.paging import every_frame
from sluicegate.cli.output import inert, print_line, print_table
from sluicegate.cli.pace import Pace
from sluicegate.cli.show import SESSION_COLUMNS, replay_head, session_cells
from sluicegate.demo.config import CONNECTION
from sluicegate.demo.story import Story

if TYPE_CHECKING:
    from sinks.readers import Frame, Reader, Session

TRAIL_SECONDS_MAX: Final = 90.0
POLL_SECONDS: Final = 0.25
REPLAY_SECONDS_MAX: Final = 4.0
BODY_CHARACTERS: Final = 160
SESSIONS_MAX: Final = 1_000
WHO_DID_WHAT: Final = (
    "SELECT principal, verdict, rule, count() AS calls, arraySort(groupUniqArray(tool)) AS tools "
    "FROM v_exchanges WHERE tool != '' GROUP BY ALL ORDER BY ALL"
)


class TrailIncompleteError(Exception):
    """The store does not have everything yet. The message says what is lacking."""


async def wait_for_trail(
    reader: "Reader", since: str, story: Story, seconds_max: float = TRAIL_SECONDS_MAX
) -> "Sequence[Session]":
    """The sessions of the story, the latest first, when every call of it is stored and none is pending.

    `since` is the ISO time at which the story began. Raises TrailIncompleteError after `seconds_max`.
    """
    deadline = time.monotonic() + seconds_max
    while True:
        sessions, lacking = await _look(reader, since, story)
        if not lacking:
            return sessions
        if time.monotonic() > deadline:
            raise TrailIncompleteError(f"after {seconds_max:g} s the trail still lacks {lacking}")
        await asyncio.sleep(POLL_SECONDS)


async def _look(reader: "Reader", since: str, story: Story) -> "tuple[Sequence[Session], str]":
    """(the sessions so far, what they still lack or '')."""
    from sinks.readers import FrameFilter, SessionFilter  # noqa: PLC0415 (the demo's server needs no store)

    sessions = await reader.sessions(SessionFilter(connection=CONNECTION, since=since), SESSIONS_MAX)
    if pending := sum(session["pending"] for session in sessions):
        return sessions, f"the end of {pending} exchanges"
    wanted = FrameFilter(connection=CONNECTION, since=since, method="tools/call", direction="request")
    stored = Counter([frame["tool"] async for frame in every_frame(reader, wanted)])
    missing = (story.tools - stored).total()  # by tool: one call may take several requests
    return sessions, f"{missing} of {story.calls} tool calls" if missing else ""


def print_sessions(sessions: "Sequence[Session]") -> None:
    """The table of `sluicegate sessions list`."""
    print_table(SESSION_COLUMNS, map(session_cells, sessions), empty="no sessions")


async def print_who_did_what(reader: "Reader", since: str) -> None:
    """The table of `sluicegate query` for WHO_DID_WHAT, of what happened since then."""
    moment = _time(since).strftime("%Y-%m-%d %H:%M:%S.%f")
    sql = WHO_DID_WHAT.replace(
        "GROUP BY", f"AND connection = '{CONNECTION}' AND started_at >= '{moment}' GROUP BY"
    )
    table = await reader.query(sql)
    print_table(table.columns, table.rows, empty="no calls")


def telling(sessions: "Sequence[Session]") -> "Session":
    """The session that is replayed: the latest in which something was denied, else the latest."""
    return next((session for session in sessions if session["denied"]), sessions[0])


async def denied_exchange(reader: "Reader", since: str) -> str:
    """The id of an exchange that policy denied since then; '' where there is none."""
    from sinks.readers import FrameFilter  # noqa: PLC0415

    wanted = FrameFilter(connection=CONNECTION, since=since, verdict="deny", newest=True)
    frames = await reader.frames(wanted, 1)
    return frames[-1]["exchange_id"] if frames else ""


async def replay(reader: "Reader", session: "Session", write: Callable[[str], None] = print_line) -> int:
    """Print the session's frames in order, quickened to at most REPLAY_SECONDS_MAX; how many there were."""
    from sinks.readers import FrameFilter  # noqa: PLC0415

    took = (_time(session["last_at"]) - _time(session["started_at"])).total_seconds()
    pace = Pace(max(1.0, took / REPLAY_SECONDS_MAX))
    shown = 0
    async for frame in every_frame(reader, FrameFilter(session=session["session_id"])):
        await asyncio.sleep(pace.seconds_until(_time(frame["recorded_at"])))
        write(replay_head(frame))
        if body := one_line(frame):
            write(f"    {body}")
        shown += 1
    return shown


def one_line(frame: "Frame") -> str:
    """The body of a frame, inert and cut to one line."""
    if frame["body_base64"]:
        return f"({frame['body_bytes']} bytes that are no text)"
    body = inert(frame["body"].strip())
    return body if len(body) <= BODY_CHARACTERS else f"{body[: BODY_CHARACTERS - 1]}…"


def _time(iso_time: str) -> datetime:
    return datetime.fromisoformat(iso_time)
