"""Frames as gateways and processors leave them on topic `audit`: batch by batch, each the same for its number.

Callers of some teams talk over a dozen connections for a month; most sessions have tens of frames, one in a few
hundred has a thousand. Digests and salts are random bytes, as hashes are to whoever compresses them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from benchmarks.trail.words import TOOLS, Bodies
from schemas.codec import codec

BATCH = 10_000
DAYS = 30
LONG = 1_000
"""Frames of the longest sessions."""

CONNECTIONS = (
    *(f"mcp-{name}" for name in ("orders", "billing", "wiki", "github", "jira", "grafana", "mail")),
    *("prod-eu", "prod-us", "staging", "lab"),
)
PRINCIPALS = 400
_VERBS = ("get", "get", "list", "list", "watch", "create", "patch", "delete")
_OBJECTS = ("pods", "pods", "services", "configmaps", "secrets", "deployments", "events")
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Rare:
    """A word that only every so many frames have."""

    word: str
    every: int


RARE = (Rare("quaggazanzibar", 250_000), Rare("okapisavanna", 20_000))


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames: how many, and when the last one was recorded (microseconds)."""

    frames: int
    until_us: int

    @property
    def batches(self) -> int:
        """In how many pieces they are drawn."""
        return -(-self.frames // BATCH)

    def size(self, number: int) -> int:
        """How many frames piece `number` has."""
        return min(BATCH, self.frames - number * BATCH)

    def starts_us(self, number: int) -> int:
        """When the first frame of piece `number` is recorded."""
        return self.until_us - DAYS * _DAY_US + number * (DAYS * _DAY_US // self.batches)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One piece: values in writing order, and ids to ask for later."""

    values: list[bytes]
    session: str
    long_session: str
    exchange: str


def draw(plan: Plan, number: int) -> Drawn:
    """Piece `number` of `plan`."""
    return _Piece(plan, number).drawn()


class _Piece:
    def __init__(self, plan: Plan, number: int) -> None:
        self._chance = random.Random(number)
        self._bodies = Bodies(self._chance)
        self._first = number * BATCH
        self._size = plan.size(number)
        self._start_us = plan.starts_us(number)
        self._step_us = max(1, DAYS * _DAY_US // plan.batches // BATCH)
        self._encode = codec("audit").encode
        self._frames: list[tuple[int, dict[str, Any], bytes]] = []
        self._noise = random.Random(number + 1).randbytes

    def drawn(self) -> Drawn:
        long_one = ""
        session = ""
        while len(self._frames) < self._size:
            is_long = not long_one and self._chance.random() < 0.003
            session = self._session(LONG if is_long else self._chance.randint(6, 70))
            long_one = long_one or (session if is_long else "")
        self._frames.sort(key=lambda frame: frame[0])
        kept = self._frames[: self._size]
        values = [self._value(at, *frame) for at, frame in enumerate(kept)]
        if sum(frame[1]["session_id"] == long_one for frame in kept) < LONG:
            long_one = ""
        return Drawn(values, kept[len(kept) // 2][1]["session_id"], long_one, kept[-1][1]["exchange_id"])

    def _session(self, frames: int) -> str:
        chance = self._chance
        caller = chance.randrange(PRINCIPALS)
        facts: dict[str, Any] = {
            "session_id": _uuid(chance.getrandbits(128), 5),
            "connection": chance.choice(CONNECTIONS),
            "principal_subject": f"person{caller}@example.com",
            "principal_groups": [f"team-{caller % 20}", "staff"],
            "client_id": f"client-{caller % 7}",
            "peer": f"10.{caller % 250}.{chance.randrange(250)}.7:{chance.randrange(40_000, 60_000)}",
            "mcp_session_id": f"{chance.getrandbits(128):032x}",
        }
        moment = self._start_us  # the long ones: so that none of them is cut off
        if frames < LONG:
            moment += chance.randrange(max(1, self._step_us * self._size))
        for exchange in range(frames // 2):
            moment += chance.randrange(50_000, 4_000_000)
            self._exchange(exchange, moment, facts)
        return str(facts["session_id"])

    def _exchange(self, number: int, moment_us: int, facts: dict[str, Any]) -> None:
        chance = self._chance
        is_kubernetes = not facts["connection"].startswith("mcp-")
        tool = "" if is_kubernetes else chance.choice(TOOLS)
        verdict = "deny" if chance.random() < (0.2 if tool.startswith("delete") else 0.01) else "allow"
        common = {
            **facts,
            "exchange_id": _uuid7(moment_us, chance),
            "protocol": "kubernetes" if is_kubernetes else "mcp",
            "tool": tool,
            "method": "" if is_kubernetes else "tools/call",
            "jsonrpc_id": "" if is_kubernetes else str(number),
            "verdict": verdict,
            "rule": "defaults/read" if verdict == "allow" else "production/delete",
            "attributes": self._attributes(is_kubernetes),
        }
        latency = int(chance.lognormvariate(11, 1))
        asked = self._bodies.request(number, tool or "kubectl")
        answered = self._bodies.answer(number, self._rare())
        self._frames.append((moment_us, {**common, "direction": "request"}, asked))
        ended = {
            "direction": "response",
            "elapsed_us": latency,
            "http_status": 403 if verdict == "deny" else 200,
            "outcome": "refused" if verdict == "deny" else "completed",
            "jsonrpc_type": "response",
            "jsonrpc_error": -32_000 if chance.random() < 0.02 else None,
            "redactions": [_SECRET] if chance.random() < 0.03 else [],
        }
        self._frames.append((moment_us + latency, {**common, **ended}, answered))

    def _attributes(self, is_kubernetes: bool) -> dict[str, str]:
        trace = {"trace.id": f"{self._chance.getrandbits(128):032x}"}
        if not is_kubernetes:
            return trace
        return {
            **trace,
            "k8s.verb": self._chance.choice(_VERBS),
            "k8s.objectRef.resource": self._chance.choice(_OBJECTS),
            "k8s.objectRef.namespace": f"ns-{self._chance.randrange(60)}",
        }

    def _rare(self) -> str:
        """As a body stands for two frames, twice as often."""
        return next((rare.word for rare in RARE if self._chance.random() < 2 / rare.every), "")

    def _value(self, at: int, moment_us: int, facts: dict[str, Any], body: bytes) -> bytes:
        partition = facts["session_id"][0] in "01234567"
        noise = self._noise
        return self._encode(
            {
                **_BLANK,
                **facts,
                "frame_id": _uuid7(moment_us, self._chance),
                "lane": f"gateway-0/boot/0/{int(partition)}",
                "lane_seq": self._first + at + 1,
                "recorded_at": moment_us,
                "body": body,
                "body_bytes": len(body),
                "prev_digest": noise(32),
                "body_commitment": noise(32),
                "digest": noise(32),
                "audit_digest": noise(32),
                "body_salt": noise(16),
                "frames_offset": self._first + at,
            }
        )


_SECRET = {
    "path": "/result/content/0/text",
    "rule": "email",
    "start": 10,
    "end": 24,
    "pseudonym": "EMAIL_1f2e",
}
_BLANK: dict[str, Any] = {
    "part": 1,
    "parts": 1,
    "elapsed_us": 0,
    "principal_issuer": "https://idp.example.com",
    "user_agent": "python-mcp/2.1",
    "http_method": "POST",
    "http_path": "/mcp/x",
    "http_status": 0,
    "http_headers": "content-type: application/json\r\naccept: application/json, text/event-stream\r\n",
    "content_type": "application/json",
    "mcp_protocol_version": "2025-11-25",
    "jsonrpc_type": "request",
    "resource": "",
    "sse_event_id": "",
    "policy_version": "5f0c7a9b",
    "reason": "",
    "reason_code": "",
    "jsonrpc_error": None,
    "tool_is_error": None,
    "outcome": "pending",
    "redactions": [],
    "deep_redactions": [],
    "frames_partition": 0,
}


def _uuid7(moment_us: int, chance: random.Random) -> str:
    return _uuid(moment_us // 1_000 << 80 | chance.getrandbits(80), 7)


def _uuid(bits: int, version: int) -> str:
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{version}{text[13:16]}-{'89ab'[bits >> 62 & 3]}{text[17:20]}-{text[20:]}"
