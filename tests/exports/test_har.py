"""A session as an HTTP archive and as JSON lines: valid, whole, and nothing made up."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from sinks.exports.har import by_exchange, har
from sinks.exports.jsonl import json_line
from sinks.readers import Frame

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_PAIRS = {
    "type": "array",
    "items": {"type": "object", "required": ["name", "value"], "properties": {"name": _TEXT, "value": _TEXT}},
}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Fields that begin with an underscore are anybody's own; all others are those of the specification."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {}), "comment": _TEXT},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


# After the HAR 1.2 specification, field by field.
_BODY = _object({"mimeType": _TEXT, "text": _TEXT, "params": {"type": "array"}})
_SHARED = {
    "httpVersion": _TEXT,
    "cookies": {"type": "array"},
    "headers": _PAIRS,
    "headersSize": {"type": "integer"},
    "bodySize": {"type": "integer"},
}
_REQUEST = _object(
    {"method": _TEXT, "url": {"type": "string", "pattern": "^http"}, "queryString": _PAIRS, **_SHARED},
    {"postData": _BODY},
)
_CONTENT = _object(
    {"size": {"type": "integer"}, "mimeType": _TEXT},
    {"compression": _NUMBER, "text": _TEXT, "encoding": _TEXT},
)
_RESPONSE = _object(
    {"status": {"type": "integer"}, "statusText": _TEXT, "content": _CONTENT, "redirectURL": _TEXT, **_SHARED}
)
_TIMINGS = _object(
    {"send": _NUMBER, "wait": _NUMBER, "receive": _NUMBER},
    {"blocked": _NUMBER, "dns": _NUMBER, "connect": _NUMBER, "ssl": _NUMBER},
)
_ENTRY = _object(
    {
        "startedDateTime": _TEXT,
        "time": _NUMBER,
        "request": _REQUEST,
        "response": _RESPONSE,
        "cache": {"type": "object"},
        "timings": _TIMINGS,
    },
    {"pageref": _TEXT, "serverIPAddress": _TEXT, "connection": _TEXT},
)
HAR = {
    "type": "object",
    "required": ["log"],
    "properties": {
        "log": _object(
            {
                "version": {"const": "1.2"},
                "creator": _object({"name": _TEXT, "version": _TEXT}),
                "entries": {"type": "array", "items": _ENTRY},
            },
            {"browser": {}, "pages": {}},
        )
    },
}


def frame(body: bytes = b"", **fields: Any) -> Frame:
    """A frame as the reader gives it."""
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = b64encode(body).decode(), True
    usual: dict[str, Any] = {
        "frame_id": str(uuid4()),
        "exchange_id": "x",
        "session_id": "s",
        "recorded_at": "2026-11-21T10:00:00.123456Z",
        "elapsed_us": 0,
        "direction": "request",
        "protocol": "mcp",
        "connection": "prod",
        "principal": "ann",
        "principal_issuer": "",
        "user_agent": "c/1",
        "http_method": "POST",
        "http_path": "/mcp/prod?a=1&b=&c=%20",
        "http_status": 0,
        "status": 0,
        "content_type": "application/json",
        "method": "tools/call",
        "tool": "get_pod",
        "verdict": "allow",
        "rule": "",
        "outcome": "pending",
        "redactions": [],
        "attributes": {},
        "body_bytes": len(body),
        "body": text,
        "body_base64": encoded,
    }
    known: Any = {**usual, **fields}
    return known  # type: ignore[no-any-return]


def answer(body: bytes, **fields: Any) -> Frame:
    return frame(
        body,
        **{
            "direction": "response",
            "http_status": 200,
            "outcome": "completed",
            "elapsed_us": 2_500,
            **fields,
        },
    )


def archive(*exchanges: list[Frame]) -> dict[str, Any]:
    """Valid, or this fails."""
    found = json.loads("".join(har(exchanges, version="1")))
    Draft202012Validator(HAR).validate(found)
    log: dict[str, Any] = found["log"]
    for each in log["entries"]:
        assert datetime.fromisoformat(each["startedDateTime"])
        timings = each["timings"]
        assert abs(sum(timings[name] for name in ("send", "wait", "receive")) - each["time"]) < 0.01
    return log


def test_a_call_is_an_entry_with_what_was_asked_and_answered() -> None:
    headers = "content-type: application/json\r\nx-a: b: c\r\n"
    (entry,) = archive([frame(b'{"a":1}', http_headers=headers), answer(b'{"b":"\xc3\xa9"}')])["entries"]
    assert entry["startedDateTime"] == "2026-11-21T10:00:00.123Z"
    assert entry["time"] == 2.5
    assert entry["request"]["url"] == "http://gateway.invalid/mcp/prod?a=1&b=&c=%20"
    assert entry["request"]["queryString"] == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": ""},
        {"name": "c", "value": " "},
    ]
    assert entry["request"]["headers"] == [
        {"name": "content-type", "value": "application/json"},
        {"name": "x-a", "value": "b: c"},
    ]
    assert entry["request"]["postData"] == {"mimeType": "application/json", "text": '{"a":1}', "params": []}
    assert entry["response"]["status"] == 200
    assert entry["response"]["statusText"] == "OK"
    assert entry["response"]["content"] == {"size": 10, "mimeType": "application/json", "text": '{"b":"é"}'}
    assert entry["_sluicegate"]["outcome"] == "completed"


def test_a_stream_is_one_answer_of_all_its_frames() -> None:
    frames = [
        frame(b"{}"),
        *(
            answer(b"data: %d\n\n" % number, elapsed_us=1_000 * number, outcome="pending")
            for number in (1, 2)
        ),
        frame(direction="end", outcome="completed", elapsed_us=9_000),
    ]
    (entry,) = archive(frames)["entries"]
    assert entry["response"]["content"]["text"] == "data: 1\n\ndata: 2\n\n"
    assert entry["timings"] == {"send": 0, "wait": 1.0, "receive": 8.0}


def test_bytes_that_are_no_text_stand_in_base64() -> None:
    (entry,) = archive([frame(b"\xff"), answer(b"\xfe\x00")])["entries"]
    assert entry["request"]["postData"]["_encoding"] == "base64"
    assert entry["response"]["content"]["encoding"] == "base64"
    assert entry["response"]["content"]["text"] == b64encode(b"\xfe\x00").decode()


def test_messages_of_a_terminal_stand_beside_the_handshake() -> None:
    frames = [
        frame(),
        frame(b"ls\r", attributes={"k8s.channel": "stdin"}),
        answer(b"a\r\n", attributes={"k8s.channel": "stdout"}, http_status=101),
    ]
    (entry,) = archive(frames)["entries"]
    assert [(each["type"], each["data"]) for each in entry["_webSocketMessages"]] == [
        ("send", "ls\r"),
        ("receive", "a\r\n"),
    ]
    assert entry["response"]["status"] == 101
    assert "text" not in entry["response"]["content"]


def test_what_was_never_answered_has_no_status() -> None:
    (entry,) = archive([frame(b"{}")])["entries"]
    assert (entry["response"]["status"], entry["response"]["statusText"]) == (0, "")
    assert archive()["entries"] == []


@given(st.lists(st.binary(max_size=20), max_size=6), st.text(max_size=20))
def test_an_archive_is_valid_whatever_was_recorded(bodies: list[bytes], path: str) -> None:
    path = path.encode("utf-8", "replace").decode()
    frames = [
        frame(
            body,
            http_path="/" + path,
            exchange_id=str(number % 2),
            direction="request" if number < 2 else "response",
        )
        for number, body in enumerate(bodies)
    ]
    exchanges = by_exchange(frames)
    assert len(archive(*exchanges)["entries"]) == len(exchanges)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_frame_is_one_line_of_json_whatever_it_holds(text: str) -> None:
    line = json_line({"body": text, "none": None})
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    assert json.loads(line) == {"body": text, "none": None}
