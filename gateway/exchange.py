"""The life of one exchange, as a pure state machine: it is sent facts and yields effects.

    look ─▶ refuse?  ─▶ Record, Answer
         └▶ Record(request) ─▶ Forward ─▶ Head ─┬▶ ReadBody ─▶ mask ─▶ Record ─▶ Answer
                                                └▶ OpenStream, then for each chunk: cut at events, mask, Record, Send

Every path ends in one frame whose outcome is not `pending`; when what follows shows it to be wrong (the answer
was recorded but could not be released), a later `end` frame says so, and the last one counts.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from gateway.effects import (
    Answer,
    Broken,
    CloseStream,
    CutStream,
    Draft,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    Note,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Request,
    Send,
)
from gateway.facts import BLANK
from gateway.frames import headers as header_rules
from gateway.frames import modern, sse
from gateway.frames.headers import first
from gateway.frames.jsonrpc import NOTHING, Look, TooDeepError, error_body, look, too_deep
from gateway.refusals import AUDIT_UNAVAILABLE, REFUSALS, RESULT_WITHHELD, with_detail
from gateway.sessions import Principal, session_id
from gateway.settings import Limits
from schemas.frames import Redaction

Life = Generator[Effect, Fact, None]
Mask = Callable[[bytes], tuple[bytes, list[Redaction]]]
MaskText = Callable[[str], tuple[str, list[Redaction]]]


class MaskingFailedError(Exception):
    """The masking could not do its work on a body. Raised by a `Mask`; the exchange fails closed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every exchange of a connection."""

    connection: str
    mask: Mask
    mask_text: MaskText
    limits: Limits
    policy_version: str


class Exchange:
    """One request and its answers. `base` holds the fields that all its frames share."""

    def __init__(self, exchange_id: str, request: Request, principal: Principal, terms: Terms) -> None:
        self.id = exchange_id
        self.outcome = "pending"
        self.look = NOTHING
        self._request = request
        self._principal = principal
        self._terms = terms
        self.base = self._shared_facts(first(request.headers, b"mcp-session-id").decode("latin-1"))

    def life(self, refused: str = "") -> Life:
        """The whole life; `refused` is a reason code when the edge has already found a fault."""
        reason, detail = (refused, "") if refused else self._fault()
        try:
            body, redactions = self._terms.mask(self._request.body)
        except MaskingFailedError:
            reason = reason or "request_masking_failed"
            body, redactions = b"", []
        asked = Draft("request", body, len(self._request.body), redactions)
        self._add_asked_facts(asked)
        if reason:
            yield from self._refuse(asked, reason, detail)
            return
        asked.facts["verdict"] = "allow"
        self.base["verdict"] = "allow"
        if not (yield Record([asked])):
            yield from self._fail_closed()
            return
        yield from self._forward()

    # -- before upstream

    def _fault(self) -> tuple[str, str]:
        """Reason code and detail of what is wrong with the request itself; ('', '') when nothing is."""
        request = self._request
        if first(request.headers, b"content-encoding") not in (b"", b"identity"):
            return "content_encoding", ""
        if not request.body:
            return "", ""
        if too_deep(request.body, self._terms.limits.json_depth_max):
            return "too_deep", ""
        try:
            self.look = look(request.body, self._terms.limits.batch_members_max)
        except TooDeepError:
            return "too_deep", ""
        if len(self.look.members) > self._terms.limits.batch_members_max:
            return "batch_too_large", ""
        contradiction = modern.mismatch(request.headers, self.look)
        return ("header_mismatch", contradiction) if contradiction else ("", "")

    def _refuse(self, asked: Draft, reason: str, detail: str) -> Life:
        refusal = REFUSALS[reason]
        asked.facts |= {
            "http_status": refusal.status,
            "reason_code": reason,
            "reason": refusal.told(detail),
        }
        self._finish(asked, "refused")
        if (yield Record([asked])):
            yield self._own_answer(reason, detail)
        else:
            yield from self._fail_closed()

    def _fail_closed(self) -> Life:
        """The trail cannot be written (G3): the client is told so, and the trail will say that it was."""
        yield Note([self._end("refused", AUDIT_UNAVAILABLE, 503)])
        yield self._own_answer(AUDIT_UNAVAILABLE)

    # -- towards upstream and back

    def _forward(self) -> Life:
        request = self._request
        headers = header_rules.towards_upstream(request.headers)
        session = str(self.base["session_id"])
        fact = yield Forward(session, request.method, request.query, headers, request.body)
        if not isinstance(fact, Head):
            yield from self._unanswered(fact)
            return
        self._rehome(fact)
        encoding = first(fact.headers, b"content-encoding")
        if encoding not in (b"", b"identity"):
            yield from self._unanswered(
                Broken("upstream_failed", "upstream_encoded", encoding.decode("latin-1"))
            )
        elif first(fact.headers, b"content-type").startswith(b"text/event-stream"):
            yield from self._relay_stream(fact)
        else:
            yield from self._relay_body(fact)

    def _relay_body(self, head: Head) -> Life:
        body = yield ReadBody()
        if not isinstance(body, bytes):
            yield from self._unanswered(body)
            return
        try:
            masked, redactions = self._terms.mask(body)
        except MaskingFailedError:
            yield from self._withhold("masking_failed")
            return
        answer = Draft("response", masked, len(body), redactions)
        answer.facts = self._answer_facts(_quiet_look(masked))
        self._add_head_facts(answer, head)
        self._finish(answer, "completed")
        if not (yield Record([answer])):
            yield from self._withhold(RESULT_WITHHELD)
            return
        yield Answer(head.status, _kept(head), masked)

    def _relay_stream(self, head: Head) -> Life:
        """Each event is recorded, then released. The head goes with the first event, or alone when that is late."""
        splitter = sse.EventSplitter(self._terms.limits.event_bytes_max)
        chunk = yield ReadReady()
        opened = False
        while True:
            if isinstance(chunk, Broken | Gone):
                yield from self._break_off(chunk, opened)
                return
            try:
                drafts = self._drafts(splitter, chunk)
            except (sse.EventTooLongError, MaskingFailedError) as exc:
                code = "masking_failed" if isinstance(exc, MaskingFailedError) else "response_too_large"
                yield from self._break_off(Broken("withheld", code, str(exc)), opened)
                return
            if not opened:
                drafts = drafts or [Draft("response")]
                self._add_head_facts(drafts[0], head)
            if drafts and not (yield Record(drafts)):
                yield from self._break_off(Broken("withheld", RESULT_WITHHELD, ""), opened)
                return
            if not opened:
                yield OpenStream(head.status, _kept(head))
                opened = True
            data = b"".join(draft.body for draft in drafts)
            if data:
                yield Send(data)
            if chunk == b"":
                yield CloseStream()
                return
            chunk = yield ReadChunk()

    def _drafts(self, splitter: sse.EventSplitter, chunk: Fact) -> list[Draft]:
        """Frames of the blocks that `chunk` completes; b"" is the end of the stream, None is nothing yet."""
        if not isinstance(chunk, bytes):
            return []
        if chunk:
            return [self._event(block) for block in splitter.feed(chunk)]
        rest = splitter.rest()
        return [*([self._event(rest)] if rest else []), self._finish(Draft("end"), "completed")]

    def _event(self, block: bytes) -> Draft:
        masked, redactions = self._terms.mask(block)
        event = Draft("response", masked, len(block), redactions)
        fields = sse.fields(masked)
        event.facts = {"sse_event_id": fields.id, **self._answer_facts(_quiet_look(fields.data))}
        return event

    # -- ends

    def _unanswered(self, fact: Fact) -> Life:
        """No answer, or none that can be passed on, and the client has seen nothing yet."""
        if not isinstance(fact, Broken):
            yield Note([self._end("client_gone", "client_gone", 0)])
            return
        end = self._end(fact.outcome, fact.reason_code, REFUSALS[fact.reason_code].status, fact.reason)
        recorded = yield Record([end])
        if recorded or not fact.sent:
            yield self._own_answer(fact.reason_code, fact.reason)
        else:
            yield from self._withhold(RESULT_WITHHELD)

    def _withhold(self, reason_code: str) -> Life:
        yield Note([self._end("withheld", reason_code, REFUSALS[reason_code].status)])
        yield self._own_answer(reason_code)

    def _break_off(self, fact: Broken | Gone, opened: bool) -> Life:
        """A stream ends before its end."""
        if isinstance(fact, Gone):
            yield Note([self._end("client_gone", "client_gone", 0)])
        elif not opened and fact.outcome == "withheld":
            yield from self._withhold(fact.reason_code)
        elif not opened:
            yield from self._unanswered(fact)
        else:
            yield Note([self._end(fact.outcome, fact.reason_code, 0, fact.reason)])
            if fact.outcome == "withheld":
                yield Send(
                    b"event: message\ndata: " + self._own_error(fact.reason_code, fact.reason) + b"\n\n"
                )
            yield CutStream()

    # -- frames

    def _shared_facts(self, mcp_session_id: str) -> dict[str, object]:
        request, principal = self._request, self._principal
        return {
            **BLANK,
            "exchange_id": self.id,
            "session_id": session_id(self._terms.connection, principal, mcp_session_id),
            "connection": self._terms.connection,
            "principal_issuer": principal.issuer,
            "principal_subject": principal.subject,
            "principal_groups": list(principal.groups),
            "client_id": principal.client_id,
            "peer": request.peer,
            "user_agent": request.user_agent,
            "http_method": request.method,
            "http_path": request.path,
            "mcp_protocol_version": first(request.headers, b"mcp-protocol-version").decode("latin-1"),
            "mcp_session_id": mcp_session_id,
            "policy_version": self._terms.policy_version,
        }

    def _add_asked_facts(self, frame: Draft) -> None:
        """Facts of the request frame; method, tool and resource stay on all frames of the exchange."""
        asked = _quiet_look(frame.body) if self.look is not NOTHING and frame.redactions else self.look
        self.base |= {"method": asked.method, "tool": asked.tool, "resource": asked.resource}
        if asked.meta_version and not self.base["mcp_protocol_version"]:
            self.base["mcp_protocol_version"] = asked.meta_version
        frame.facts |= {
            "content_type": first(self._request.headers, b"content-type").decode("latin-1"),
            "jsonrpc_type": asked.kind,
            "jsonrpc_id": asked.id,
        }
        self._add_masked(frame, "http_headers", header_rules.written_down(self._request.headers))
        self._add_masked(frame, "user_agent", self._request.user_agent)
        self.base["user_agent"] = frame.facts["user_agent"]
        if asked.method == "initialize" and not self.base["mcp_session_id"]:
            # the session that it opens has no id yet, and it is no part of the one without id (decision 0002)
            frame.facts["session_id"] = session_id(
                self._terms.connection, self._principal, f"opens {self.id}"
            )
        if self._request.query:
            self._add_masked(frame, "http_path", self._request.path)
            self.base["http_path"] = frame.facts["http_path"]

    def _add_head_facts(self, frame: Draft, head: Head) -> None:
        self._add_masked(frame, "http_headers", header_rules.written_down(head.headers))

    def _add_masked(self, frame: Draft, name: str, text: str) -> None:
        """A field other than the body, masked; its redactions stand on the frame with the field as their path."""
        try:
            frame.facts[name], found = self._terms.mask_text(text)
        except MaskingFailedError:
            frame.facts[name], found = "[not masked, so not kept]", []
        if found:
            hidden: list[Redaction] = [{**each, "path": name, "start": -1, "end": -1} for each in found]
            frame.redactions = [*frame.redactions, *hidden]

    def _answer_facts(self, said: Look) -> dict[str, object]:
        facts: dict[str, object] = {"jsonrpc_type": said.kind, "jsonrpc_id": said.id}
        if said.kind in ("request", "notification"):  # upstream asks or tells the client
            facts |= {"method": said.method, "tool": said.tool, "resource": said.resource}
        else:
            facts |= {"jsonrpc_error": said.error_code, "tool_is_error": said.is_error}
        return facts

    def _rehome(self, head: Head) -> None:
        """From here on the frames carry the answer's status, and the session that an initialize has opened."""
        self.base["http_status"] = head.status
        self.base["content_type"] = first(head.headers, b"content-type").decode("latin-1")
        opened = first(head.headers, b"mcp-session-id").decode("latin-1")
        if opened and opened != self.base["mcp_session_id"]:
            self.base["mcp_session_id"] = opened
            self.base["session_id"] = session_id(self._terms.connection, self._principal, opened)

    def _finish(self, draft: Draft, outcome: str) -> Draft:
        self.outcome = outcome
        draft.facts["outcome"] = outcome
        return draft

    def _end(self, outcome: str, reason_code: str, status: int, detail: str = "") -> Draft:
        refusal = REFUSALS.get(reason_code)
        text = refusal.message if refusal else "the client closed its connection"
        end = self._finish(Draft("end"), outcome)
        end.facts |= {
            "http_status": status or self.base["http_status"],
            "reason_code": reason_code,
            "reason": with_detail(text, detail),
        }
        return end

    # -- the gateway's own words

    def _own_error(self, reason_code: str, detail: str = "") -> bytes:
        refusal = REFUSALS[reason_code]
        request_id = self.look.id if self.look.kind == "request" else ""
        return error_body(
            request_id, refusal.code, refusal.told(detail), reason=reason_code, exchange_id=self.id
        )

    def _own_answer(self, reason_code: str, detail: str = "") -> Answer:
        body = self._own_error(reason_code, detail)
        return Answer(REFUSALS[reason_code].status, [(b"content-type", b"application/json")], body)


def _kept(head: Head) -> header_rules.Headers:
    """The headers of an answer as the client gets them; its length is another once it was masked."""
    return [pair for pair in header_rules.end_to_end(head.headers) if pair[0] != b"content-length"]


def _quiet_look(body: bytes) -> Look:
    """Facts of an answer; one that cannot be looked into has none, and passes as it is."""
    try:
        return look(body) if body else NOTHING
    except TooDeepError:
        return NOTHING
