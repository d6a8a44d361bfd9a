"""The demo around the story: the parts it needs of the configuration, and the trail it waits for."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from sinks.readers import Frame, FrameFilter, Reader, Session, SessionFilter
from sluicegate.demo.config import CONFIG, POLICY, POLICY_FILE
from sluicegate.demo.parts import server_part
from sluicegate.demo.run import Demo, demo
from sluicegate.demo.seed import seeded
from sluicegate.demo.story import Chapter, Story
from sluicegate.demo.trail import TrailIncompleteError, one_line, replay, telling, wait_for_trail
from sluicegate.embedded.part import Part
from sluicegate.embedded.ports import free_port
from sluicegate.embedded.up import Listen
from tests.demo.configured import settings
from tests.demo.shown import lines_in, lines_shown_in_readme
from tests.support.ports import free_addresses


async def test_the_server_part_is_ready_when_it_accepts_connections() -> None:
    part = server_part("127.0.0.1", free_port())
    process = await asyncio.create_subprocess_exec(*part.argv, stdout=subprocess.PIPE)
    try:
        await part.ready(30.0)
        assert process.stdout
        assert b"demo MCP server on http://127.0.0.1:" in await process.stdout.readline()
    finally:
        process.terminate()
        await process.wait()


def test_a_taken_port_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sluicegate.demo.server", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert (
        f"port {port} of 127.0.0.1 cannot be used (Address already in use); give another --port"
        in ended.stderr
    )


async def test_a_stack_that_does_not_come_up_ends_the_demo_with_its_code(tmp_path: Path) -> None:
    asked: list[tuple[Sequence[Part], Sequence[Listen]]] = []

    async def run_stack(first: Sequence[Part], listens: Sequence[Listen]) -> int:
        asked.append((first, listens))
        return 3

    it = Demo(settings(tmp_path), tmp_path, run_stack, lambda: cast(Reader, None), print, Console())
    assert await demo(it, leave=True) == 3
    ((parts, listens),) = asked
    assert [part.name for part in parts] == ["demo-server", "demo-people"]
    assert [(listen.host, listen.port) for listen in listens] == [("127.0.0.1", 9000), ("127.0.0.1", 9001)]


def chapter(calls: int) -> Chapter:
    return Chapter("2026-07-28", {"pods_list": calls}, 0, 0, 0, 0, 0, ())


class FilledStepByStep:
    """A reader whose store has one more call at every look, and ends its exchanges at the last."""

    def __init__(self, steps: int) -> None:
        self.stored, self.steps = 0, steps

    async def sessions(self, wanted: SessionFilter, _limit: int) -> Sequence[Session]:
        assert wanted.connection == "demo"
        self.stored = min(self.stored + 1, self.steps)
        return [cast(Session, {"session_id": "s", "pending": int(self.stored < self.steps)})]

    async def frames(self, _wanted: FrameFilter, _limit: int) -> Sequence[Frame]:
        return [frame(number) for number in range(self.stored)]


def frame(number: int, **facts: Any) -> Frame:
    at = f"2026-11-21T05:00:0{number}.000000Z"
    fields: dict[str, Any] = {"frame_id": str(number), "recorded_at": at, "parts": 1, "parts_stored": 1}
    return cast(Frame, {**fields, "protocol": "mcp", "attributes": {}, "tool": "pods_list", **facts})


async def test_the_trail_is_whole_when_every_call_is_stored_and_none_is_pending() -> None:
    reader = FilledStepByStep(3)
    sessions = await wait_for_trail(cast(Reader, reader), "", Story((chapter(3),)))
    assert reader.stored == 3
    assert [session["session_id"] for session in sessions] == ["s"]


async def test_a_trail_that_stays_incomplete_is_told_with_what_it_lacks() -> None:
    with pytest.raises(TrailIncompleteError, match="lacks 2 of 5 tool calls"):
        await wait_for_trail(cast(Reader, FilledStepByStep(3)), "", Story((chapter(5),)), seconds_max=0.6)


async def test_a_call_that_took_two_requests_does_not_stand_for_another() -> None:
    story = Story((Chapter("2026-07-28", {"pods_list": 3, "pods_log": 1}, 0, 0, 0, 0, 0, ()),))
    with pytest.raises(TrailIncompleteError, match="lacks 1 of 4 tool calls"):
        await wait_for_trail(cast(Reader, FilledStepByStep(4)), "", story, seconds_max=3.0)


async def test_a_replay_shows_frames_in_order_with_their_bodies_on_one_line() -> None:
    facts = {"direction": "request", "method": "tools/call", "tool": "pods_list", "resource": "", "status": 0}
    facts |= {"outcome": "pending", "jsonrpc_error": None, "tool_is_error": None, "reason_code": ""}
    facts |= {"body_base64": False}
    frames = [frame(0, body="a\nb", **facts), frame(1, body="", **facts)]

    class Two:
        async def frames(self, wanted: FrameFilter, _limit: int) -> Sequence[Frame]:
            assert wanted.session == "s"
            return frames

    session = {"session_id": "s", "started_at": frames[0]["recorded_at"], "last_at": frames[0]["recorded_at"]}
    lines: list[str] = []
    assert await replay(cast(Reader, Two()), cast(Session, session), lines.append) == 2
    assert [line.split("  ", 1)[1] for line in lines if "tools/call" in line] == [
        "→  tools/call pods_list"
    ] * 2
    assert "    a\\nb" in lines


def test_the_session_that_is_replayed_is_one_with_a_denial() -> None:
    quiet, denied = [cast(Session, {"session_id": str(n), "denied": n}) for n in range(2)]
    assert telling([quiet, denied]) is denied
    assert telling([quiet]) is quiet


def test_a_body_that_is_no_text_is_named_by_its_size() -> None:
    assert one_line(frame(0, body="AAAA", body_base64=True, body_bytes=3)) == "(3 bytes that are no text)"
    assert len(one_line(frame(0, body="x" * 1000, body_base64=False))) == 160


TOLD = (
    r"alice \(sre\): checkout is failing in prod-us \(MCP 2026-07-28\)",
    r"secret_read prod-eu checkout-db .*\[masked:",
    r"bob \(developers\): .* in prod-eu \(MCP 2025-11-25\)",
    r"not shown: rollout_restart, resources_delete|not shown: .*deployment_scale",
    r"secret_read waits; alice \(sre\) sees the exact call and approves +look at the host only",
    r"secret_read prod-us checkout-db .*Not executed: denied: the password was rotated",
    r"deployment_scale prod-us checkout 3 .*developers look and do not change",
    r"alice with a session token: confirm that checkout is healthy again",
    r"bob +deny +developers-change-nothing +4",
    r"bob +hold +kubernetes/secret-tool +2",
)


@pytest.mark.timeout(400)
def test_the_whole_demo_records_the_story_and_leaks_no_credential(tmp_path: Path) -> None:
    """The main job with every part real: `sluicegate demo --exit` in an empty folder."""
    usual = ("8080", "8081", "8082", "9000", "9001")
    ports = dict(zip(usual, free_addresses(len(usual)), strict=True))
    text = re.sub(r":(\d{4})\b", lambda found: f":{ports[found[1]].rpartition(':')[2]}", CONFIG)
    (tmp_path / "sluicegate.yaml").write_text(text)
    (tmp_path / POLICY_FILE).write_text(POLICY)
    command = [sys.executable, "-m", "sluicegate", "demo", "--exit"]
    ended = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "COLUMNS": "160"}, capture_output=True, text=True, timeout=380,
        check=False,
    )  # fmt: skip
    logs = {log.name: log.read_text() for log in (tmp_path / "var" / "logs").iterdir()}
    tails = "\n".join(f"--- {name}\n{text[-2_000:]}" for name, text in logs.items())
    assert ended.returncode == 0, "\n".join((ended.stdout, ended.stderr, tails))
    for line in TOLD:
        assert re.search(line, ended.stdout), (line, ended.stdout)
    assert "where to look next" in ended.stdout
    assert not lines_shown_in_readme() - lines_in(ended.stdout)
    kept = "\n".join((ended.stdout, ended.stderr, *logs.values()))
    assert not [place for place, value in seeded().credentials.items() if value in kept]
    assert "eyJ" not in kept, "a token is in the logs"
