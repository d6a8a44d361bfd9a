"""Seals: what upstream gives a client to hand back is bound to the one it was given to.

A sealed text is the text and, behind it, `~sg1.UNTIL.MAC`: when it ends (Unix seconds, empty for never) and 128 bits
of HMAC-SHA-256 over its purpose, the connection, the principal, UNTIL and the text. Deterministic, so that each
replica with the same key opens what another has sealed, and one text has one seal.
"""

import base64
import hmac
import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from gateway.tools import spans
from gateway.tools.spans import Span, UnreadableError
from gateway.tools.splices import Edit, edited, spliced

Purpose = Literal["session", "state", "task"]
STATE_INVALID = "request_state_invalid"
_SEALED = re.compile(r"(.*)~sg1\.([0-9]{0,12})\.([A-Za-z0-9_-]{22})", re.DOTALL)


class Fault(NamedTuple):
    """Why a request is refused: a reason code, and what is particular to this case."""

    reason_code: str
    detail: str


class Seal(NamedTuple):
    """The seal of one principal on one connection. `key`: secret, 32 bytes, the same on every replica."""

    key: bytes
    connection: str
    issuer: str
    subject: str

    def close(self, text: str, purpose: Purpose, until: int = 0) -> str:
        """`text` with the seal behind it. `until`: Unix seconds, 0 for no end."""
        return text + self._mark(text, purpose, str(until or ""))

    def open(self, text: str, purpose: Purpose, now: float = 0.0) -> str | None:
        """What this seal closed; None for what it did not, or what has ended by `now`."""
        found = _SEALED.fullmatch(text)
        if not found:
            return None
        inner, until, _ = found.groups()
        mark = self._mark(inner, purpose, until)
        good = hmac.compare_digest(text[len(inner) :].encode(), mark.encode())
        return inner if good and not (until and now > int(until)) else None

    def closing(self, place: Span, text: str, purpose: Purpose, until: int = 0) -> Edit:
        """The edit that puts the seal behind the string `text` at `place`."""
        at = place.end - 1
        return Edit(at, at, self._mark(text, purpose, str(until or "")).encode())

    def opening(self, data: bytes, place: Span, purpose: Purpose, now: float = 0.0) -> Edit | None:
        """The edit that takes the seal off the string at `place`; None when it is not this one."""
        text = spans.text_at(data, place)
        inner = None if text is None else self.open(text, purpose, now)
        if text is None or inner is None:
            return None
        tail = text[len(inner) :].encode()
        start = place.end - 1 - len(tail)
        if data[start : place.end - 1] == tail:
            return Edit(start, place.end - 1)
        return Edit(*place, json.dumps(inner).encode())  # the client has written the seal with escapes

    def _mark(self, text: str, purpose: Purpose, until: str) -> str:
        said = json.dumps([purpose, self.connection, self.issuer, self.subject, until, text]).encode()
        mac = base64.urlsafe_b64encode(hmac.digest(self.key, said, "sha256")[:16]).decode().rstrip("=")
        return f"~sg1.{until}.{mac}"


def is_sealed(text: str) -> bool:
    """Whether it has the form of a sealed text; says nothing of whose."""
    return _SEALED.fullmatch(text) is not None


def bind_session(session: str, seal: Seal) -> str:
    """An `Mcp-Session-Id` as the client gets it: visible ASCII, as the protocol asks for."""
    return seal.close(session, "session")


def unbind_session(session: str, seal: Seal) -> str | None:
    """The id that upstream knows; None when it was not given to this principal."""
    return seal.open(session, "session")


def seal_states(raw: bytes, seal: Seal, *, event: bool = False, until: int = 0) -> bytes:
    """A body (or an SSE event's block) whose results hold their `requestState` sealed; else byte for byte."""

    def edits(data: bytes) -> list[Edit]:
        found = _strings(data, "result", "requestState")
        return [seal.closing(place, text, "state", until) for place, text in found]

    return edited(raw, event, edits) if spans.may_have(raw, b"requestState") else raw


def open_states(body: bytes, seal: Seal, now: float) -> bytes | Fault:
    """A request whose `requestState` is as upstream gave it; a Fault when it was not given to this principal."""
    if not spans.may_have(body, b"requestState"):
        return body
    try:
        places = [
            place
            for message in spans.messages(body)
            for place in spans.at_path(body, message, "params", "requestState")
        ]
        edits = [seal.opening(body, place, "state", now) for place in places if not _is_null(body, place)]
    except UnreadableError as exc:
        return Fault(STATE_INVALID, str(exc))
    if len(places) > 1 or None in edits:
        return Fault(STATE_INVALID, "the requestState was not given to this principal, or has ended")
    return spliced(body, [edit for edit in edits if edit])


def _strings(data: bytes, *keys: str) -> Iterator[tuple[Span, str]]:
    """The strings behind `keys` of every message; none in what cannot be read."""
    try:
        for message in spans.messages(data):
            for place in spans.at_path(data, message, *keys):
                text = spans.text_at(data, place)
                if text is not None:
                    yield place, text
    except UnreadableError:
        return


def _is_null(data: bytes, place: Span) -> bool:
    return data[place.start : place.end] == b"null"
