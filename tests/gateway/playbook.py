"""The life of an exchange told as a play: `<<` is the effect that it must ask for next, `>>` the fact it is sent.

    assert (
        Playbook(request())
        << recorded(frame("request", outcome="pending"))
        >> True
        << forwarded(body=CALL)
        >> Gone()
        << noted(frame("end", outcome="client_gone"))
    )

A play is true when the life has ended with its last effect. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.drafting import MaskingFailedError
from gateway.effects import Answer, Draft, Effect, Fact, Forward, Note, Record, Request
from gateway.endings import Terms
from gateway.exchange import Exchange
from gateway.frames.headers import Headers
from gateway.law import Law, Open
from gateway.refusals import REFUSALS, Refused
from gateway.sessions import Principal
from gateway.settings import ConnectionKind, Holding, Limits
from schemas.frames import Redaction

ID = "01926f00-0000-7000-8000-000000000001"
CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pods_list","arguments":{}}}'
JSON: Headers = [(b"content-type", b"application/json")]
EVENTS: Headers = [(b"content-type", b"text/event-stream")]
ALICE = Principal("https://issuer.example", "alice", "jti-1")

SECRET, PSEUDONYM = b"hunter2-secret", b"[masked]"
UNMASKABLE = b'"unmaskable"'


def mask(body: bytes) -> tuple[bytes, list[Redaction]]:
    """Replaces one known secret; fails on one known body."""
    if UNMASKABLE in body:
        raise MaskingFailedError("too hard")
    start = body.find(SECRET)
    if start < 0:
        return body, []
    found = Redaction(
        path="", rule="test", start=start, end=start + len(PSEUDONYM), pseudonym=PSEUDONYM.decode()
    )
    return body.replace(SECRET, PSEUDONYM), [found]


def mask_text(text: str) -> tuple[str, list[Redaction]]:
    """`mask` for header lines."""
    masked, redactions = mask(text.encode("latin-1"))
    return masked.decode("latin-1"), redactions


def terms(
    limits: Limits | None = None,
    law: Law | None = None,
    holding: Holding | None = None,
    kind: ConnectionKind = ConnectionKind.MCP,
) -> Terms:
    """Terms of a connection called demo."""
    return Terms(
        "demo",
        mask,
        mask_text,
        limits or Limits(),
        lambda _: mask,
        law or Open(),
        holding=holding or Holding(),
        kind=kind,
    )


def request(body: bytes = CALL, headers: Headers | None = None, method: str = "POST") -> Request:
    """A request to `/mcp/demo`."""
    pairs = [*(headers or []), *(JSON if body else [])]
    return Request(method, "/mcp/demo", "", pairs, body, peer="127.0.0.1:5000", user_agent="tests")


@dataclass(frozen=True)
class Saw:
    """An effect as a play expects it: its kind, what its frames say, what its own fields are."""

    kind: type
    frames: tuple[Mapping[str, object], ...] = ()
    fields: Mapping[str, object] | None = None


def frame(direction: str, **facts: object) -> Mapping[str, object]:
    """A frame that says at least this."""
    return {"direction": direction, **facts}


def recorded(*frames: Mapping[str, object]) -> Saw:
    """Record with exactly these frames."""
    return Saw(Record, frames)


def noted(*frames: Mapping[str, object]) -> Saw:
    """Note with exactly these frames."""
    return Saw(Note, frames)


def forwarded(**fields: object) -> Saw:
    """Forward with at least these fields."""
    return Saw(Forward, fields=fields)


@dataclass(frozen=True)
class Told:
    """The gateway's own answer for a reason code."""

    reason_code: str


class Playbook:
    """One exchange under test. After `>>` the life stands at its next effect."""

    def __init__(
        self,
        asked: Request,
        limits: Limits | None = None,
        refused: str = "",
        law: Law | None = None,
        holding: Holding | None = None,
        kind: ConnectionKind = ConnectionKind.MCP,
    ) -> None:
        self.exchange = Exchange(ID, asked, ALICE, terms(limits, law, holding, kind))
        self._life = self.exchange.life(Refused(refused) if refused else None)
        self.effect: Effect | None = next(self._life)
        self._seen = False

    def __rshift__(self, fact: Fact) -> Playbook:
        """Answers the effect that was seen last."""
        self._next(fact)
        return self

    def __lshift__(self, expected: Saw | Told | Effect) -> Playbook:
        """Checks the next effect; one that is answered by nothing needs no `>>`."""
        if self._seen:
            self._next(None)
        effect = self.effect
        assert effect is not None, f"the life has ended, expected {expected}"
        if isinstance(expected, Saw):
            self._check(effect, expected)
        elif isinstance(expected, Told):
            self._check_told(effect, expected.reason_code)
        else:
            assert effect == expected
        self._seen = True
        return self

    def __bool__(self) -> bool:
        if self._seen:
            self._next(None)
        assert self.effect is None, f"the life goes on with {self.effect}"
        return True

    def _next(self, fact: Fact) -> None:
        try:
            self.effect = self._life.send(fact)
        except StopIteration:
            self.effect = None
        self._seen = False

    def _check(self, effect: Effect, expected: Saw) -> None:
        assert type(effect) is expected.kind, f"expected {expected}, got {effect}"
        if isinstance(effect, Record | Note):
            facts = [self.facts(draft) for draft in effect.frames]
            got = [
                {name: fact.get(name) for name in want}
                for fact, want in zip(facts, expected.frames, strict=True)
            ]
            assert got == [dict(want) for want in expected.frames]
        for name, value in (expected.fields or {}).items():
            assert getattr(effect, name) == value

    def _check_told(self, effect: Effect, reason_code: str) -> None:
        assert isinstance(effect, Answer), f"expected an answer, got {effect}"
        assert effect.status == REFUSALS[reason_code].status
        assert f'"reason":"{reason_code}"'.encode() in effect.body
        assert ID.encode() in effect.body

    def facts(self, draft: Draft) -> dict[str, object]:
        """All that a frame would say if it were stamped now."""
        return {
            **self.exchange.base,
            **draft.facts,
            "direction": draft.direction,
            "body": draft.body,
            "body_bytes": draft.body_bytes,
            "redactions": draft.redactions,
        }
