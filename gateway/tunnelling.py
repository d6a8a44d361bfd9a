"""A WebSocket between a client and upstream: nothing passes before its record is acknowledged (G1, G2).

    Connect ─▶ Joined ─▶ Record(the handshake's answer) ─▶ Accept
     └▶ Head: refused, its status and body pass on          └▶ ReadMessages ─▶ Record ─▶ SendMessage …
                                                                └▶ Ended ─▶ Record(end) ─▶ CloseSocket

What is recorded of a message, and when it may pass, is said by a `Conversation`: it knows the subprotocol, masks, and
may hold back the end of what came while that could be half a secret.
"""

from contextlib import suppress
from typing import Protocol

from gateway.drafting import MaskingFailedError
from gateway.effects import (
    Accept,
    Answer,
    Broken,
    CloseSocket,
    Connect,
    Draft,
    Ended,
    Gone,
    Head,
    Joined,
    Messages,
    Note,
    Quiet,
    ReadMessages,
    Record,
    SendMessage,
)
from gateway.endings import Life
from gateway.frames.encoded import EncodedError
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import NOTHING
from gateway.kubernetes.channels import Conversation, ConversationError, Passing
from gateway.refusals import AUDIT_UNAVAILABLE, REFUSALS, RESULT_WITHHELD, Refused
from gateway.relaying import Relaying, decoder_of

SWITCHING = 101
NORMAL, GOING_AWAY, NO_CODE, ABNORMAL = 1000, 1001, 1005, 1006  # RFC 6455, 7.4.1
POLICY_VIOLATION, INTERNAL_ERROR, RESTARTING = 1008, 1011, 1012
_CODES = {
    "gateway_stopping": RESTARTING,
    "socket_idle": GOING_AWAY,
    RESULT_WITHHELD: INTERNAL_ERROR,
    "masking_failed": INTERNAL_ERROR,
}
_HANDSHAKE = b"sec-websocket-"


class Talk(Protocol):
    """What a conversation is to an exchange."""

    @property
    def quiet_seconds(self) -> float | None: ...
    def take(self, from_client: bool, data: bytes, text: bool) -> list[Passing]: ...
    def quiet(self) -> list[Passing]: ...
    def ended(self) -> list[Passing]: ...


class Tunnelling(Relaying):
    """An exchange whose request may be the handshake of a WebSocket."""

    def _forward(self) -> Life:
        offered = self._request.subprotocols
        if offered is None:
            yield from super()._forward()
            return
        request = self._request
        headers = _without_handshake(self._asking())  # a watch comes by WebSocket, too
        session = str(self.base["session_id"])
        fact = yield Connect(session, request.query, headers, request.target, offered)
        if isinstance(fact, Joined):
            yield from self._open(fact)
        elif isinstance(fact, Head):
            yield from self._not_joined(fact)
        else:
            yield from self._unanswered(fact)

    def _not_joined(self, head: Head) -> Life:
        """Upstream refused the handshake: the client gets what it said, as of any request."""
        self._rehome(head)
        try:
            yield from self._relay_body(head, decoder_of(head, self._terms.limits.response_bytes_max))
        except EncodedError as exc:
            yield from self._withhold(exc.reason_code, str(exc))

    def _open(self, joined: Joined) -> Life:
        head = Head(SWITCHING, joined.headers)
        self._drafting.answered(head)
        self._drafting.add({"websocket.subprotocol": joined.subprotocol} if joined.subprotocol else {})
        opened = Draft("response")
        self._drafting.head(opened, head)
        if not (yield Record([opened])):
            yield from self._withhold(RESULT_WITHHELD)
            return
        yield Accept(joined.subprotocol)
        yield from self._talk(self._conversation(joined.subprotocol))

    def _conversation(self, subprotocol: str) -> Talk:
        kube = self._kube
        return Conversation(
            subprotocol,
            self._mask,
            self._terms.mask_text,
            tty=kube is not None and bool(kube.facts.get("tty")),
            bytes_max=self._terms.limits.event_bytes_max,
            subresource="" if kube is None else kube.info.subresource,
        )

    def _talk(self, talk: Talk) -> Life:
        """Until one side has ended, or something ends it."""
        concluded = False  # upstream has said how the command ended
        while True:
            fact = yield ReadMessages(talk.quiet_seconds)
            try:
                passing = _passing(talk, fact)
            except MaskingFailedError:
                yield from self._fell_silent(Broken("withheld", "masking_failed", ""))
                return
            except ConversationError as exc:
                yield from self._fell_silent(Broken("withheld", "socket_broke", str(exc)), exc.code)
                return
            for each in passing:
                self._dress(each.draft)
                concluded = concluded or _concludes(each.draft)
            drafts = [each.draft for each in passing]
            if isinstance(fact, Ended):
                drafts.append(self._farewell(fact, concluded))
            if drafts and not (yield Record(drafts)):
                yield from self._fell_silent(Broken("withheld", RESULT_WITHHELD, ""))
                return
            for each in passing:
                if each.data is not None:
                    yield SendMessage(each.to_client, each.data, each.text)
            if isinstance(fact, Ended):
                yield self._closing(fact, concluded)
                return
            if isinstance(fact, Broken | Gone):
                yield from self._keep_what_is_left(talk)
                yield from self._fell_silent(fact)
                return

    def _keep_what_is_left(self, talk: Talk) -> Life:
        """What came and was held back goes on the record (G6), and no further."""
        with suppress(MaskingFailedError, ConversationError):
            left = [each.draft for each in talk.ended()]
            for draft in left:
                self._dress(draft)
            if left:
                yield Note(left)

    def _dress(self, draft: Draft) -> None:
        """What a frame says of itself beside what all frames of the exchange say."""
        own = draft.facts.get("attributes")
        if isinstance(own, dict):
            draft.facts["attributes"] = dict(sorted({**self._shared(), **own}.items()))

    def _shared(self) -> dict[str, str]:
        return self.base["attributes"]  # type: ignore[return-value]

    def _farewell(self, ended: Ended, concluded: bool) -> Draft:
        """The end as one side made it."""
        outcome, reason_code = _judged(ended, concluded)
        draft = self._drafting.end(outcome, reason_code, SWITCHING, ended.fault, late=not ended.from_client)
        if outcome == "completed":
            draft.facts["reason"] = ""
        reason = self._masked_reason(ended)
        by = "client" if ended.from_client else "upstream"
        said = {"websocket.close.by": by, "websocket.close.code": str(ended.code)}
        said |= {"websocket.close.reason": reason} if reason else {}
        draft.facts["attributes"] = dict(sorted({**self._shared(), **said}.items()))
        return draft

    def _closing(self, ended: Ended, concluded: bool) -> CloseSocket:
        """What the other side is told of the end. No close at all is told as what it means."""
        if ended.fault:
            return CloseSocket(INTERNAL_ERROR, "")
        if ended.code != ABNORMAL:
            return CloseSocket(ended.code, ended.reason if ended.from_client else self._masked_reason(ended))
        if ended.from_client:
            return CloseSocket(GOING_AWAY, "")
        if concluded:
            return CloseSocket(NORMAL, "")
        return CloseSocket(INTERNAL_ERROR, "upstream closed the connection")

    def _masked_reason(self, ended: Ended) -> str:
        return self._terms.mask_text(ended.reason)[0] if ended.reason else ""

    def _fell_silent(self, fact: Broken | Gone, code: int = 0) -> Life:
        """The gateway ends it: an operator, a token, time, or the trail."""
        if isinstance(fact, Gone):
            yield Note([self._drafting.end("client_gone", "client_gone", SWITCHING)])
            yield CloseSocket(GOING_AWAY, "")
            return
        yield Note([self._drafting.end(fact.outcome, fact.reason_code, SWITCHING, fact.reason, late=True)])
        code = code or _CODES.get(fact.reason_code, POLICY_VIOLATION)
        reason = fact.reason_code
        if fact.reason_code == RESULT_WITHHELD:
            reason = AUDIT_UNAVAILABLE
        yield CloseSocket(code, f"{reason}: {REFUSALS[fact.reason_code].told(fact.reason, late=True)}")

    def told_again(self, answer: Answer) -> Life:
        """The life of an SPDY upgrade behind a WebSocket that was refused: kubectl falls back so, and must see what
        that one was told and not that SPDY is not taken."""
        asked = Draft("request")
        self._drafting.asked(asked, NOTHING)
        self._drafting.refused(asked, Refused("spdy_not_taken"))
        asked.facts["http_status"] = answer.status
        yield from self._recorded(asked, answer)


def _passing(talk: Talk, fact: object) -> list[Passing]:
    """What the fact lets pass. Raises MaskingFailedError."""
    match fact:
        case Messages(messages):
            return [each for m in messages for each in talk.take(m.from_client, m.data, m.text)]
        case Quiet():
            return talk.quiet()
        case Ended():
            return talk.ended()
    return []


def _concludes(draft: Draft) -> bool:
    own = draft.facts.get("attributes")
    return isinstance(own, dict) and draft.direction == "response" and own.get("k8s.channel") == "error"


def _judged(ended: Ended, concluded: bool) -> tuple[str, str]:
    """Outcome and reason code of an end that a side made."""
    if ended.fault:
        return ("client_gone" if ended.from_client else "upstream_failed"), "socket_broke"
    if ended.code != ABNORMAL or concluded:
        return "completed", ""
    return ("client_gone", "client_gone") if ended.from_client else ("upstream_failed", "upstream_broke")


def _without_handshake(headers: Headers) -> Headers:
    """Upstream gets a handshake of the gateway's own."""
    return [pair for pair in headers if not pair[0].startswith(_HANDSHAKE)]
