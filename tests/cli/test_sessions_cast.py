"""A recorded terminal session becomes an asciicast that follows its format, with its timing, size and text."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from sinks.exports.asciicast import Wanted, cast
from sinks.readers import Frame
from tests.cli.conftest import Asked
from tests.sinks.records import Trail

PATH = (
    "/k8s/prod/api/v1/namespaces/prod/pods/web-1/exec?command=sh&command=-l&stdin=true&stdout=true&tty=true"
)
SAID = (
    (0.0, "", b""),
    (0.1, "resize", b'{"Width":120,"Height":40}'),
    (0.2, "stdout", b"$ "),
    (1.0, "stdin", b"ls\r"),
    (1.5, "stdout", b"ls\r\na\r\n"),
    (2.0, "resize", b'{"Width":100,"Height":30}'),
    (2.5, "stdout", "100 €".encode()[:-1]),
    (2.6, "stdout", "€".encode()[-1:] + b"\r\n"),
    (3.0, "error", b'{"status":"Success"}'),
    (3.0, "", b""),
)


def frame(at: float, channel: str, body: bytes, path: str = PATH) -> Frame:
    """A frame as a reader gives it, as far as a cast looks at it."""
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        from base64 import b64encode  # noqa: PLC0415

        text, encoded = b64encode(body).decode(), True
    attributes = {"k8s.objectRef.namespace": "prod", "k8s.objectRef.name": "web-1"}
    known: Any = {
        "recorded_at": f"2026-11-21T10:00:{at:09.6f}Z",
        "http_path": path,
        "connection": "prod",
        "principal": "alice",
        "attributes": attributes | ({"k8s.channel": channel} if channel else {}),
        "body": text,
        "body_base64": encoded,
    }
    return known  # type: ignore[no-any-return]


def film(frames: list[Frame], wanted: Wanted | None = None) -> tuple[dict[str, Any], list[list[Any]]]:
    """Header and events, after a look at whether they follow the format."""

    async def all_of() -> list[str]:
        async def given() -> AsyncIterator[Frame]:
            for each in frames:
                yield each

        return [line async for line in cast(given(), wanted or Wanted())]

    header, *events = map(json.loads, asyncio.run(all_of()))
    follows_the_format(header, events)
    return header, events


def follows_the_format(header: dict[str, Any], events: list[list[Any]]) -> None:
    """The rules of asciicast v2."""
    assert header["version"] == 2
    assert all(type(header[side]) is int and header[side] > 0 for side in ("width", "height"))
    assert type(header["timestamp"]) is int
    assert all(type(name) is type(value) is str for name, value in header["env"].items())
    assert set(header) <= {
        "version",
        "width",
        "height",
        "timestamp",
        "title",
        "env",
        "command",
        "idle_time_limit",
    }
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert all(at >= 0 for at in times)
    for _, code, said in events:
        assert code in ("o", "i", "r")
        assert code != "r" or re.fullmatch(r"[1-9]\d*x[1-9]\d*", said)


def test_a_session_plays_with_its_times_and_its_size() -> None:
    header, events = film([frame(*said) for said in SAID])
    assert (header["width"], header["height"], header["command"]) == (120, 40, "sh -l")
    assert header["title"] == "prod prod/web-1 alice"
    assert header["timestamp"] == 1795255200
    assert events == [
        [0.2, "o", "$ "],
        [1.5, "o", "ls\r\na\r\n"],
        [2.0, "r", "100x30"],
        [2.5, "o", "100 "],
        [2.6, "o", "€\r\n"],
    ]


def test_what_was_typed_is_in_it_where_it_is_wanted() -> None:
    _, events = film([frame(*said) for said in SAID], Wanted(typed=True))
    assert [1.0, "i", "ls\r"] in events


def test_a_player_may_shorten_pauses() -> None:
    header, _ = film([frame(*said) for said in SAID], Wanted(idle_seconds=1.5))
    assert header["idle_time_limit"] == 1.5


def test_without_a_terminal_lines_end_as_a_player_needs_them() -> None:
    path = PATH.replace("&tty=true", "")
    header, events = film(
        [frame(0, "", b"", path), frame(1, "stdout", b"a\nb\n", path), frame(2, "stderr", b"c\r\n", path)]
    )
    assert (header["width"], header["height"]) == (80, 24)
    assert events == [[1.0, "o", "a\r\nb\r\n"], [2.0, "o", "c\r\n"]]


def test_frames_whose_clock_went_back_do_not_play_backwards() -> None:
    _, events = film([frame(5, "stdout", b"a"), frame(4, "stdout", b"b")])
    assert [at for at, _, _ in events] == [0.0, 0.0]


def test_an_exchange_without_a_terminal_has_no_film() -> None:
    async def lines() -> list[str]:
        async def given() -> AsyncIterator[Frame]:
            yield frame(0, "", b"{}")

        return [line async for line in cast(given(), Wanted())]

    assert asyncio.run(lines()) == []


@pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine
def test_a_stored_session_is_cast_and_replayed_by_command(trail: Asked) -> None:
    exchange, session = stored(trail)
    result = trail.run("sessions", "cast", exchange)
    assert result.exit_code == 0
    header, *events = map(json.loads, result.stdout.splitlines())
    follows_the_format(header, events)
    assert "".join(text for _, code, text in events if code == "o") == "$ ls\r\na\r\n100 €\r\n"
    shown = trail.run("sessions", "replay", session, "--no-wait").stdout
    assert "→  stdin" in shown
    assert "\n    ls\n    a\n" in shown
    none = trail.run("sessions", "cast", trail.exchange)
    assert none.exit_code == 1


def stored(trail: Asked) -> tuple[str, str]:
    """Puts the session into the trail, and waits until it is there: the ids of exchange and session."""
    made, exchange, session = Trail(lane=f"cast/{uuid4().hex[:8]}/0/0"), str(uuid4()), str(uuid4())
    for at, channel, body in SAID:
        made.frame(
            body,
            exchange_id=exchange,
            session_id=session,
            recorded_at=made.started_us + int(at * 1e6),
            direction="request" if channel in ("stdin", "resize") else "response",
            protocol="kubernetes",
            http_path=PATH,
            attributes={"k8s.channel": channel} if channel else {},
        )

    trail.send(made)
    trail.stored(session, len(SAID))
    return exchange, session
