"""A recorded MCP session as a server that answers as it was answered then: for tests of clients.

A request is found by its method and parameters (what a client makes up anew each time is left out), else by its
method and tool alone, which the answer says. The same request asked again gets the next of its recorded answers, and
the last one from then on. Secrets stand in the answers as the trail has them: as pseudonyms.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sinks.readers import Frame

EVENT_STREAM = "text/event-stream"
_INVALID_PARAMS, _METHOD_NOT_FOUND = -32602, -32601


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was answered: `bodies` are one JSON body, or events as they passed."""

    status: int
    content_type: str
    id: str
    bodies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An answer for a client. `exact`: its parameters were recorded; else the method and the tool alone."""

    status: int
    content_type: str
    body: bytes
    exact: bool = True


@dataclass(slots=True)
class Fixture:
    """One session; the next of several answers is told by how often the same was asked.

    `requests` counts those that were recorded with an answer.
    """

    _exact: dict[str, list[Recorded]] = field(default_factory=lambda: defaultdict(list))
    _alike: dict[str, list[Recorded]] = field(default_factory=lambda: defaultdict(list))
    _asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    requests: int = 0

    @classmethod
    def of(cls, frames: Iterable[Frame]) -> "Fixture":
        """From the frames of a session, in the order of recording; of MCP requests with an answer."""
        made = cls()
        exchanges: dict[str, list[Frame]] = defaultdict(list)
        for frame in frames:
            exchanges[frame["exchange_id"]].append(frame)
        for parts in exchanges.values():
            made._take(parts)
        return made

    def _take(self, frames: Sequence[Frame]) -> None:
        asked = next((frame for frame in frames if frame["direction"] == "request"), None)
        message = None if asked is None else _message(asked["body"])
        answers = [frame for frame in frames if frame["direction"] == "response" and frame["body"]]
        if message is None or "method" not in message or "id" not in message or not answers:
            return
        first = answers[0]
        recorded = Recorded(
            next((frame["http_status"] for frame in answers if frame["http_status"]), 200),
            first["content_type"] or "application/json",
            json.dumps(message["id"]),
            tuple(frame["body"] for frame in answers),
        )
        self.requests += 1
        self._exact[_key(message)].append(recorded)
        self._alike[_name(message)].append(recorded)

    def answer(self, body: bytes) -> Given:
        """What a client that POSTs `body` gets."""
        message = _message(body.decode("utf-8", "replace"))
        if message is None or not isinstance(message.get("method"), str):
            return _error(
                None, -32700 if message is None else -32600, "one JSON-RPC message is expected here", 400
            )
        if "id" not in message:
            return Given(202, "application/json", b"")
        exact, alike = _key(message), _name(message)
        known = self._exact.get(exact) or self._alike.get(alike)
        if not known:
            code = _INVALID_PARAMS if message["method"] in self.methods else _METHOD_NOT_FOUND
            return _error(message["id"], code, f"{alike} was not recorded in this session", 200)
        found = known[min(self._asked[exact], len(known) - 1)]
        self._asked[exact] += 1
        return _given(found, message["id"], exact in self._exact)

    def refusal(self, body: bytes) -> Given:
        """For a client that must ask exactly what was recorded."""
        message = _message(body.decode("utf-8", "replace")) or {}
        told = "these parameters were not recorded in this session"
        return _error(message.get("id"), _INVALID_PARAMS, told, 200)

    @property
    def methods(self) -> set[str]:
        """Those that were asked in the session."""
        return {name.partition(" ")[0] for name in self._alike}


def _given(found: Recorded, asked_id: Any, exact: bool) -> Given:
    if found.content_type.partition(";")[0].strip() == EVENT_STREAM:
        body = "".join(_event(each, found.id, asked_id) for each in found.bodies).encode()
        return Given(found.status, EVENT_STREAM, body, exact)
    answer = _message(found.bodies[-1])
    if answer is not None and "id" in answer:
        answer["id"] = asked_id
        return Given(found.status, "application/json", json.dumps(answer, ensure_ascii=False).encode(), exact)
    return Given(found.status, found.content_type, found.bodies[-1].encode(), exact)


def _event(block: str, recorded_id: str, asked_id: Any) -> str:
    """An event as it passed, but for the id of the request that it answers."""
    lines = block.splitlines()
    data = "\n".join(line[5:].removeprefix(" ") for line in lines if line.startswith("data:"))
    message = _message(data)
    if message is None or "method" in message or json.dumps(message.get("id")) != recorded_id:
        return block if block.endswith("\n\n") else block.rstrip("\n") + "\n\n"
    others = [line for line in lines if line and not line.startswith("data:")]
    answer = json.dumps({**message, "id": asked_id}, ensure_ascii=False)
    return "\n".join([*others, f"data: {answer}"]) + "\n\n"


def _message(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _name(message: dict[str, Any]) -> str:
    params = message.get("params")
    named = params.get("name") or params.get("uri") if isinstance(params, dict) else None
    return f"{message['method']} {named}" if isinstance(named, str) else str(message["method"])


def _key(message: dict[str, Any]) -> str:
    """Method and parameters, without what differs from one run of a client to the next."""
    params = message.get("params")
    if isinstance(params, dict):
        params = {name: value for name, value in params.items() if name != "_meta"}
    if message["method"] == "initialize":
        params = None  # the client's own name and version
    return json.dumps([message["method"], params or None], sort_keys=True)


def _error(asked_id: Any, code: int, text: str, status: int) -> Given:
    body = {"jsonrpc": "2.0", "id": asked_id, "error": {"code": code, "message": text}}
    return Given(status, "application/json", json.dumps(body).encode())
