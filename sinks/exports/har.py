"""A session as an HTTP archive (HAR 1.2), which browsers' developer tools and proxies open. Frames in, JSON out.

Source: the HAR 1.2 specification, http://www.softwareishard.com/blog/har-12-spec/. What the format has no place for
stands in fields that begin with an underscore, as it asks for. Messages of WebSockets stand in `_webSocketMessages`,
as browsers write them.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sinks.readers import Frame

CHANNEL = "k8s.channel"
HOST = "http://gateway.invalid"
"""Frames know the path alone: by which name the gateway was reached is not recorded."""

_COMMENT = "Recorded by Sluicegate. Secrets are masked; the sizes of bodies are those before masking."
_HTTP = "HTTP/1.1"
_TEXT_OPCODE, _BINARY_OPCODE = 1, 2


def har(exchanges: Iterable[Sequence[Frame]], *, version: str, comment: str = _COMMENT) -> Iterator[str]:
    """The archive piece by piece; `exchanges` are the frames of each in order, none without any. `version`: ours."""
    head = {"version": "1.2", "creator": {"name": "Sluicegate", "version": version}, "comment": comment}
    yield '{"log": ' + json.dumps(head)[:-1] + ', "entries": [\n'
    between = ""
    for frames in exchanges:
        yield between + json.dumps(entry(frames), ensure_ascii=False)
        between = ",\n"
    yield "\n]}}\n"


def entry(frames: Sequence[Frame]) -> dict[str, Any]:
    """One exchange as an entry."""
    first = next((frame for frame in frames if frame["direction"] == "request"), frames[0])
    answers = [frame for frame in frames if frame["direction"] == "response"]
    channelled = [frame for frame in frames if CHANNEL in frame["attributes"]]
    wait, whole = _milliseconds(answers[:1]), _milliseconds(frames[-1:])
    found = {
        "startedDateTime": _moment(first["recorded_at"]),
        "time": whole,
        "request": _request(first, [each for each in frames if each["direction"] == "request"]),
        "response": _response([each for each in answers if each not in channelled], answers or frames[-1:]),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": max(0.0, round(whole - wait, 3))},
        "_sluicegate": _facts(first, frames),
    }
    if channelled:
        found["_webSocketMessages"] = [_message(frame) for frame in channelled]
    return found


def by_exchange(frames: Iterable[Frame]) -> list[list[Frame]]:
    """The frames of each exchange, in the order in which these began."""
    found: dict[str, list[Frame]] = {}
    for frame in frames:
        found.setdefault(frame["exchange_id"], []).append(frame)
    return list(found.values())


def _request(first: Frame, requests: Sequence[Frame]) -> dict[str, Any]:
    bodies = [frame for frame in requests if CHANNEL not in frame["attributes"]]
    found: dict[str, Any] = {
        "method": first["http_method"],
        "url": HOST + first["http_path"],
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(first),
        "queryString": _query(first["http_path"]),
        "headersSize": -1,
        "bodySize": sum(frame["body_bytes"] for frame in bodies),
    }
    body = _joined(bodies)
    if body:
        text, encoded = _text(body)
        found["postData"] = {"mimeType": first["content_type"], "text": text, "params": []}
        if encoded:
            found["postData"]["_encoding"] = "base64"
    return found


def _response(bodies: Sequence[Frame], answers: Sequence[Frame]) -> dict[str, Any]:
    status = next((frame["http_status"] for frame in reversed(answers) if frame["http_status"]), 0)
    body = _joined(bodies)
    text, encoded = _text(body)
    content: dict[str, Any] = {
        "size": len(body),
        "mimeType": answers[0]["content_type"] if bodies else "x-unknown",
    }
    if body:
        content["text"] = text
    if encoded:
        content["encoding"] = "base64"
    return {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(bodies[0]) if bodies else [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": sum(frame["body_bytes"] for frame in bodies),
    }


def _facts(first: Frame, frames: Sequence[Frame]) -> dict[str, Any]:
    names = (
        "exchange_id",
        "session_id",
        "connection",
        "protocol",
        "principal",
        "principal_issuer",
        "method",
        "tool",
    )
    judged = next((frame for frame in reversed(frames) if frame["verdict"] != "none"), first)
    told: dict[str, Any] = {name: value for name in names if (value := first.get(name))}
    told |= {"verdict": judged["verdict"], "rule": judged["rule"], "outcome": frames[-1]["outcome"]}
    return told | {"redactions": [item for frame in frames for item in frame["redactions"]]}


def _message(frame: Frame) -> dict[str, Any]:
    return {
        "type": "send" if frame["direction"] == "request" else "receive",
        "time": datetime.fromisoformat(frame["recorded_at"]).timestamp(),
        "opcode": _BINARY_OPCODE if frame["body_base64"] else _TEXT_OPCODE,
        "data": frame["body"],
        "_channel": frame["attributes"][CHANNEL],
    }


def _headers(frame: Frame) -> list[dict[str, str]]:
    """Those on record; of a reader that gave none, what the frame knows of them."""
    lines = str(frame.get("http_headers", "")).splitlines()
    pairs = [line.partition(":")[::2] for line in lines if ":" in line]
    known = [("content-type", frame["content_type"]), ("user-agent", frame["user_agent"])]
    return [
        {"name": name.strip(), "value": value.strip()}
        for name, value in pairs or [pair for pair in known if pair[1]]
    ]


def _query(path: str) -> list[dict[str, str]]:
    pairs = parse_qsl(urlsplit(path).query, keep_blank_values=True)
    return [{"name": name, "value": value} for name, value in pairs]


def _joined(frames: Sequence[Frame]) -> bytes:
    return b"".join(
        b64decode(frame["body"]) if frame["body_base64"] else frame["body"].encode() for frame in frames
    )


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode("ascii"), True


def _milliseconds(frames: Sequence[Frame]) -> float:
    return frames[0]["elapsed_us"] / 1000 if frames else 0.0


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
