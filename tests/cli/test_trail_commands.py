"""The trail is read from a real store, by people and by programs."""

import json
import subprocess
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from tests.cli.conftest import Asked

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine


def frames(trail: Asked, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in trail.run("frames", *words, "--json").stdout.splitlines()]


def test_a_call_through_the_gateway_is_in_the_trail(trail: Asked) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"http://{trail.gateway}/mcp/demo", body, head), timeout=30)
    assert refused.value.code == 502  # nobody is upstream
    refused.value.close()
    found = trail.rows(2, "frames", "--method", "ping")
    assert [(frame["direction"], frame["outcome"]) for frame in found] == [
        ("request", "pending"),
        ("end", "upstream_failed"),
    ]
    assert found[0]["body"] == body.decode()


def test_a_second_stack_on_the_same_data_is_refused(trail: Asked) -> None:
    argv = [sys.executable, "-m", "sluicegate", "up", "--config", str(trail.config)]
    second = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "already runs on" in second.stdout + second.stderr


def test_frames_of_a_session_are_objects_with_what_outside_programs_need(trail: Asked) -> None:
    result = trail.run("frames", "--session", trail.session, "--json")
    assert result.exit_code == 0
    frames = [json.loads(line) for line in result.stdout.splitlines()]
    needed = "frame_id exchange_id session_id direction lane lane_seq method tool status outcome body"
    assert all(set(needed.split()) <= set(frame) for frame in frames)
    assert all({"http_status", "jsonrpc_error", "tool_is_error"} <= set(frame) for frame in frames)
    assert [(f["direction"], f["method"], f["tool"], f["status"], f["lane_seq"]) for f in frames] == [
        ("request", "tools/call", "get_pod", 0, 1),
        ("response", "tools/call", "get_pod", 200, 2),
        ("request", "tools/list", "", 0, 3),
    ]
    assert frames[1]["body"] == '{"text":"\x1b[31mred"}'
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout


def test_sessions_are_found_by_what_happened_in_them(trail: Asked) -> None:
    def found(*words: str) -> list[str]:
        lines = trail.run("sessions", "list", *words, "--json").stdout.splitlines()
        return [json.loads(line)["session_id"] for line in lines]

    assert trail.session in found("--tool", "get_pod", "--outcome", "completed", "--text", "31mred")
    assert trail.session not in found("--tool", "get_pod", "--redacted")
    assert found("--tool", "nobody_calls_this") == []


def test_frames_of_an_exchange_are_its_own(trail: Asked) -> None:
    lines = trail.run("frames", "--exchange", trail.exchange, "--json").stdout.splitlines()
    assert [json.loads(line)["direction"] for line in lines] == ["request", "response"]


def test_frames_can_be_narrowed_down(trail: Asked) -> None:
    def count(*words: str) -> int:
        return len(frames(trail, "--session", trail.session, *words))

    assert count("--direction", "response") == 1
    assert count("--method", "tools/list") == 1
    assert count("--tool", "get_pod") == 2
    assert count("--outcome", "client_gone") == 1
    assert count("--connection", "other") == 0
    assert count("--until", "2001-01-01") == 0
    assert count("--since", "2001-01-01", "--text", "text") == 1


def test_a_table_of_frames_names_them_without_their_bodies(trail: Asked) -> None:
    result = trail.run("frames", "--session", trail.session)
    assert trail.exchange in result.stdout
    assert "red" not in result.stdout


def test_sessions_are_listed_for_people_and_programs(trail: Asked) -> None:
    assert trail.session in trail.run("sessions", "list").stdout
    rows = [json.loads(line) for line in trail.run("sessions", "list", "--json").stdout.splitlines()]
    (row,) = [row for row in rows if row["session_id"] == trail.session]
    assert (row["frames"], row["exchanges"], row["connection"]) == (3, 2, "demo")
    assert trail.session not in trail.run("sessions", "list", "--connection", "other").stdout


def test_a_session_is_shown_with_its_frames(trail: Asked) -> None:
    shown = trail.run("sessions", "show", trail.session)
    assert shown.exit_code == 0
    assert shown.stdout.count("tools/call") == 2
    (line,) = trail.run("sessions", "show", trail.session, "--json").stdout.splitlines()
    assert json.loads(line)["frames"] == 3


def test_a_replay_shows_frames_in_order_and_cannot_act_on_the_terminal(trail: Asked) -> None:
    result = trail.run("sessions", "replay", trail.session, "--no-wait")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split("  ")[1] for line in lines[::2]] == ["→", "←", "→"]
    assert lines[3] == '{"text":"\\x1b[31mred"}'
    again = trail.run("sessions", "replay", trail.session, "--speed", "100", "--json")
    assert [json.loads(line)["lane_seq"] for line in again.stdout.splitlines()] == [1, 2, 3]


@pytest.mark.parametrize("words", [("sessions", "show"), ("sessions", "replay")], ids=" ".join)
def test_an_unknown_session_fails_and_says_where_to_look(trail: Asked, words: tuple[str, ...]) -> None:
    result = trail.run(*words, str(uuid4()))
    assert result.exit_code == 1
    assert "sluicegate sessions list" in result.stderr


def test_an_exchange_that_nothing_caused_is_a_tree_of_its_own(trail: Asked) -> None:
    shown = trail.run("tree", trail.exchange)
    assert "tools/call get_pod" in shown.stdout
    (line,) = trail.run("tree", trail.exchange, "--json").stdout.splitlines()
    found = json.loads(line)
    assert (found["exchange_id"], found["depth"], found["link"]) == (trail.exchange, 0, "")
    assert (found["parent_exchange_id"], found["same_principal"]) == ("", None)
    unknown = trail.run("tree", str(uuid4()))
    assert (unknown.exit_code, "the trail has no exchange" in unknown.stderr) == (1, True)


def test_sql_answers_as_table_and_as_objects(trail: Asked) -> None:
    sql = f"SELECT direction, count() AS n FROM v_frames WHERE session_id = '{trail.session}' GROUP BY 1 ORDER BY 1"
    assert "request" in trail.run("query", sql).stdout
    rows = [json.loads(line) for line in trail.run("query", sql, "--json").stdout.splitlines()]
    assert rows == [{"direction": "request", "n": 2}, {"direction": "response", "n": 1}]


def test_sql_that_would_change_something_is_refused(trail: Asked) -> None:
    result = trail.run("query", "DROP TABLE frames_stored")
    assert result.exit_code == 1
    assert "only reading" in result.stderr


def test_the_wrong_time_is_a_usage_error(trail: Asked) -> None:
    assert trail.run("frames", "--since", "yesterday").exit_code == 2


def test_dead_letters_can_be_listed(trail: Asked) -> None:
    assert trail.run("dead-letters", "list", "--json").exit_code == 0


def test_completeness_accounts_for_every_partition(trail: Asked) -> None:
    rows = [json.loads(line) for line in trail.run("completeness", "--json").stdout.splitlines()]
    assert [row["partition"] for row in rows] == [0, 1, 2, 3]
    assert all({"state", "recorded", "processed", "verified", "missing"} <= set(row) for row in rows)
    assert trail.run("completeness").stdout.splitlines()[-1] in ("complete", "catching-up", "incomplete")
