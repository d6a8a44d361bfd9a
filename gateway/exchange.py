"""The life of one exchange, as a pure state machine: it is sent facts and yields effects.

    look ─▶ refuse?  ─▶ Record, Answer
     └▶ judge ─▶ deny, hold ─▶ Record, Answer
         └▶ Record(request) ─▶ Forward ─▶ Head ─┬▶ ReadBody ─▶ mask ─▶ Record ─▶ Answer
                                                └▶ OpenStream, then for each chunk: cut at events, mask, Record, Send

Every path ends in one frame whose outcome is not `pending`; when what follows shows it to be wrong (the answer
was recorded but could not be released), a later `end` frame says so, and the last one counts.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from gateway.answers import own_answer, own_event
from gateway.drafting import (
    BESIDE_BODY,
    Drafting,
    MaskingFailedError,
    MaskText,
    answer_facts,
    quiet_look,
    verdict_facts,
)
from gateway.effects import (
    Alert,
    Answer,
    Broken,
    Claim,
    CloseStream,
    Conceal,
    Concealed,
    CutStream,
    Draft,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    Listed,
    Note,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Reply,
    Request,
    Send,
)
from gateway.frames import headers as header_rules
from gateway.frames import modern, sse, strict_json
from gateway.frames.encoded import PLAIN, Decoder, EncodedError
from gateway.frames.headers import first
from gateway.frames.jsonrpc import NOTHING, TooDeepError, look
from gateway.law import OPEN, Case, Law, Opened, Passage, Ruling
from gateway.refusals import AUDIT_UNAVAILABLE, REFUSALS, RESULT_WITHHELD, Refused
from gateway.sessions import Principal
from gateway.settings import Limits
from gateway.tools.denials import denied
from gateway.tools.tasks import task_of
from schemas.frames import Redaction

Life = Generator[Effect, Fact, None]
Mask = Callable[[bytes], tuple[bytes, list[Redaction]]]
SESSION = b"mcp-session-id"
ASIDE_BYTES = 256 * 1024  # a larger body takes so long to mask that others would notice
OF_OTHERS = frozenset({"session_not_yours", "request_state_invalid", "task_not_yours"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every exchange of a connection. `masks` gives the mask of another profile, by its name."""

    connection: str
    mask: Mask
    mask_text: MaskText
    limits: Limits
    masks: Callable[[str], Mask]
    law: Law = OPEN
    keeps_originals: bool = False


class Exchange:
    """One request and its answers."""

    def __init__(self, exchange_id: str, request: Request, principal: Principal, terms: Terms) -> None:
        self.id = exchange_id
        self.look = NOTHING
        self.principal = principal
        self._request = request
        self._terms = terms
        self._law = terms.law
        self._mask = terms.mask
        self._ruling = Ruling()
        self._opened = Opened(request.body, request.headers)
        self._case: Case | None = None
        self._drafting = Drafting(exchange_id, request, principal, terms.connection, terms.mask_text)
        claimed = first(request.headers, SESSION).decode("latin-1")
        own = self._law.unbind(claimed, principal) if claimed else ""
        self._stranger = own is None
        self._drafting.in_session(claimed if own is None else own)

    @property
    def base(self) -> dict[str, object]:
        """The fields that all its frames share."""
        return self._drafting.base

    @property
    def outcome(self) -> str:
        """How it ended, `pending` until then."""
        return self._drafting.outcome

    @property
    def refused_for(self) -> str:
        """Reason code, where the gateway refused the request or withheld the answer."""
        return self._drafting.refused_for

    def unheard(self, reason_code: str, status: int, reason: str) -> Draft:
        """The only frame of a request that was refused before it was one."""
        frame = Draft("request")
        frame.facts |= {"reason_code": reason_code, "http_status": status, "reason": reason}
        return self._drafting.finish(frame, "refused")

    def life(self, refused: Refused | None = None) -> Life:
        """The whole life; `refused` when the edge has already found a fault."""
        refused = refused or self._fault()
        asked, failed = yield from self._asked()
        self._drafting.asked(asked, self.look)
        refused = refused or failed
        if refused is None:
            yield from self._judged(asked)
        else:
            yield from self._refuse(asked, refused)

    def fallen(self, sent: bool) -> tuple[Draft, Answer]:
        """The gateway itself has failed in the midst of it: what the trail says of its end (G6), and the client
        gets where it has got nothing yet. `sent`: upstream may have seen the request."""
        refused = Refused("gateway_failed", late=sent)
        outcome, status = "withheld" if sent else "refused", REFUSALS[refused.reason_code].status
        end = self._drafting.end(outcome, refused.reason_code, status, late=sent)
        return end, own_answer(self.id, self.look, refused)

    # -- before upstream

    def _fault(self) -> Refused | None:
        """What is wrong with the request itself."""
        request = self._request
        if self._stranger:
            return Refused("session_not_yours")
        if first(request.headers, b"content-encoding") not in (b"", b"identity"):
            return Refused("content_encoding")
        if not header_rules.in_utf8(first(request.headers, b"content-type")):
            return Refused("charset_not_utf8")
        return self._fault_of_body() if request.body else None

    def _fault_of_body(self) -> Refused | None:
        body, limits = self._request.body, self._terms.limits
        unlike = strict_json.fault(body, limits.json_depth_max)
        if unlike and unlike != strict_json.INVALID:  # that is for upstream or policy to refuse
            return Refused(unlike)
        try:
            self.look = look(body, limits.batch_members_max)
        except TooDeepError:
            return Refused("too_deep")
        if len(self.look.members) > limits.batch_members_max:
            return Refused("batch_too_large")
        contradiction = modern.mismatch(self._request.headers, self.look, task_of(body))
        if contradiction:
            return Refused("header_mismatch", contradiction)
        opened = self._law.opened(self._request, self.principal)
        if isinstance(opened, Refused):
            # whoever asks in a way that no longer is learns only that
            gone = self.look.method == "tasks/result" and modern.is_modern(self.look.meta_version or "")
            return Refused("unknown_method") if gone else opened
        self._opened = opened
        return None

    def _asked(self) -> Generator[Effect, Fact, tuple[Draft, Refused | None]]:
        """The request frame, masked; without a body, and with the reason, where that cannot be done."""
        whole = len(self._request.body)
        try:
            body, redactions = yield from self._masked(self._request.body)
        except MaskingFailedError:
            return Draft("request", b"", whole), Refused("request_masking_failed")
        asked = Draft("request", body, whole, redactions)
        return self._keeping(asked, self._request.body), None

    def _masked(self, body: bytes) -> Generator[Effect, Fact, tuple[bytes, list[Redaction]]]:
        """The body masked; a large one is masked aside. Raises MaskingFailedError."""
        if len(body) <= ASIDE_BYTES:
            return self._mask(body)
        concealed = yield Conceal(self._mask, body)
        if not isinstance(concealed, Concealed):
            raise MaskingFailedError("it could not be masked aside")
        return concealed.body, concealed.redactions

    def _judged(self, asked: Draft) -> Life:
        """Policy has its say. What it adds for an allowed call is in force from here on."""
        session_id, protocols_own, version = (
            str(self.base[name]) for name in ("session_id", "mcp_session_id", "mcp_protocol_version")
        )
        secrets = sum(1 for found in asked.redactions if found["path"] not in BESIDE_BODY)
        self._case = Case(
            self._request, self.look, self.principal, session_id, protocols_own, version, self.id, secrets
        )
        ruling = self._law.judge(self._case)
        if isinstance(ruling, Refused):
            yield from self._refuse(asked, ruling)
            return
        self._ruling = ruling
        self._drafting.judged(ruling)
        verdict = self._ruling.verdict
        if verdict.mask is not None:
            self._mask = self._terms.masks(verdict.mask)
            again, failed = yield from self._asked()
            if failed:
                yield from self._refuse(asked, failed)
                return
            asked.body, asked.redactions = again.body, [*again.redactions, *_beside_body(asked.redactions)]
            asked.original = again.original
        if verdict.action != "allow":
            yield from self._deny(asked)
            return
        if verdict.rate is not None:
            wait = yield Claim(verdict.rule, verdict.rate)
            if isinstance(wait, float) and wait > 0:
                yield from self._refuse(asked, too_often(f"rule {verdict.rule}", wait))
                return
        if not (yield Record([asked])):
            yield from self._fail_closed()
            return
        yield from self._forward()

    def _deny(self, asked: Draft) -> Life:
        """In the form that the client can use: a tool result, a JSON-RPC error, one for each member of a batch."""
        verdict = self._ruling.verdict
        version = str(self.base["mcp_protocol_version"])
        status, headers, body = denied(self.look, verdict, self.id, body=self._request.body, version=version)
        asked.facts |= {"http_status": status, "reason_code": verdict.reason_code, "reason": verdict.reason}
        self._drafting.finish(asked, "refused")
        if (yield Record([asked])):
            yield Answer(status, headers, body)
        else:
            yield from self._fail_closed()

    def _refuse(self, asked: Draft, refused: Refused) -> Life:
        self._drafting.refused(asked, refused)
        if refused.reason_code in OF_OTHERS:
            yield self._alert(refused)
        if (yield Record([asked])):
            yield own_answer(self.id, self.look, refused)
        else:
            yield from self._fail_closed()

    def _alert(self, refused: Refused) -> Alert:
        """Somebody shows what was given to somebody else."""
        who = f"{self.principal.issuer}|{self.principal.subject}"
        evidence = (f"exchange {self.id}", f"connection {self._terms.connection}", f"principal {who}")
        return Alert(
            refused.reason_code.replace("_", "-"), f"{who} used what was given to another principal", evidence
        )

    def _fail_closed(self) -> Life:
        """The trail cannot be written (G3): the client is told so, and the trail will say that it was."""
        yield Note([self._drafting.end("refused", AUDIT_UNAVAILABLE, 503)])
        yield own_answer(self.id, self.look, Refused(AUDIT_UNAVAILABLE))

    # -- towards upstream and back

    def _forward(self) -> Life:
        request = self._request
        fact = yield Forward(
            str(self.base["session_id"]), request.method, request.query, self._headers_up(), self._opened.body
        )
        if not isinstance(fact, Head):
            yield from self._unanswered(fact)
            return
        self._rehome(fact)
        form = header_rules.answer_form(fact.headers)
        if not form:
            why = "its content type can be read in two ways"
            yield from self._unanswered(Broken("upstream_failed", "upstream_broke", why))
            return
        try:
            decoder = _decoder(fact, None if form == "stream" else self._terms.limits.response_bytes_max)
            yield from (self._relay_stream if form == "stream" else self._relay_body)(fact, decoder)
        except EncodedError as exc:  # nothing was released yet: within a stream it is withheld there
            yield from self._withhold(exc.reason_code, str(exc))

    def _headers_up(self) -> header_rules.Headers:
        """The request's headers for upstream, with the session id that is upstream's own."""
        own = str(self.base["mcp_session_id"]).encode("latin-1")
        headers = header_rules.towards_upstream(self._opened.headers)
        return [(name, own) if name == SESSION else (name, value) for name, value in headers]

    def _relay_body(self, head: Head, decoder: Decoder | None) -> Life:
        body = yield ReadBody()
        if not isinstance(body, bytes):
            yield from self._unanswered(body)
            return
        if decoder is not None:
            body = decoder.feed(body)
        if self._too_large(body):
            yield from self._withhold("result_too_large")
            return
        try:
            masked, redactions = yield from self._masked(body)
        except MaskingFailedError:
            yield from self._withhold("masking_failed")
            return
        said = quiet_look(masked)
        passage = self._pass(masked)
        if passage.listed:
            yield Listed(masked, event=False)
        answer = Draft("response", passage.body, len(body), _standing(redactions, passage, masked))
        self._keeping(answer, body)
        answer.facts = answer_facts(said if passage.body is masked else quiet_look(passage.body))
        if passage.denied is not None:
            answer.facts |= verdict_facts(passage.denied)
        self._drafting.head(answer, head)
        self._drafting.finish(answer, "completed")
        if not (yield Record([answer])):
            yield from self._withhold(RESULT_WITHHELD)
            return
        yield Answer(head.status, self._headers_down(head), passage.body)

    def _relay_stream(self, head: Head, decoder: Decoder | None) -> Life:
        """Each event is recorded, then released. The head goes with the first event, or alone when that is late."""
        splitter = sse.EventSplitter(self._terms.limits.event_bytes_max)
        chunk = yield ReadReady()
        opened = False
        while True:
            if isinstance(chunk, Broken | Gone):
                yield from self._break_off(chunk, opened)
                return
            effects: list[Effect] = []
            try:
                plain = decoder.feed(chunk) if decoder is not None and isinstance(chunk, bytes) else chunk
                drafts = self._drafts(splitter, plain, effects, ended=chunk == b"")
            except (_WithheldError, EncodedError) as exc:
                yield from self._break_off(Broken("withheld", exc.reason_code, str(exc)), opened)
                return
            yield from effects
            if not opened:
                drafts = drafts or [Draft("response")]
                self._drafting.head(drafts[0], head)
            if drafts and not (yield Record(drafts)):
                yield from self._break_off(Broken("withheld", RESULT_WITHHELD, ""), opened)
                return
            if not opened:
                yield OpenStream(head.status, self._headers_down(head))
                opened = True
            data = b"".join([draft.body if draft.sent is None else draft.sent for draft in drafts])
            if data:
                yield Send(data)
            if chunk == b"":
                yield CloseStream()
                return
            chunk = yield ReadChunk()

    def _drafts(
        self, splitter: sse.EventSplitter, chunk: Fact, effects: list[Effect], *, ended: bool
    ) -> list[Draft]:
        """Frames of the blocks that `chunk` completes, and of the end when the stream has `ended`; None is nothing
        yet."""
        if not isinstance(chunk, bytes):
            return []
        try:
            if not ended:
                return [self._event(block, effects) for block in splitter.feed(chunk)]
            rest = splitter.rest()
        except sse.EventTooLongError as exc:
            raise _WithheldError("response_too_large", str(exc)) from exc
        end = self._drafting.finish(Draft("end"), "completed")
        return [*([self._event(rest, effects)] if rest else []), end]

    def _event(self, block: bytes, effects: list[Effect]) -> Draft:
        """The frame of one event; what the rules ask for beside it goes into `effects`."""
        if self._too_large(block):
            raise _WithheldError("result_too_large", "")
        try:
            masked, redactions = self._mask(block)
        except MaskingFailedError as exc:
            raise _WithheldError("masking_failed", str(exc)) from exc
        fields = sse.fields(masked)
        said = quiet_look(fields.data)
        passage = self._pass(masked, event=True)
        if passage.listed:
            effects.append(Listed(masked, event=True))
        if passage.denied is None:
            event = Draft("response", passage.body, len(block), _standing(redactions, passage, masked))
            event.facts = {"sse_event_id": fields.id, **answer_facts(said)}
            return self._keeping(event, block)
        effects += [Reply(self._headers_up(), reply) for reply in passage.replies]
        asked = Draft("response", masked, len(block), redactions, sent=passage.body)
        asked.facts = {"sse_event_id": fields.id, **answer_facts(said), **verdict_facts(passage.denied)}
        return self._keeping(asked, block)

    def _keeping(self, draft: Draft, original: bytes) -> Draft:
        """The frame with its body as it was before masking, where the connection keeps those sealed."""
        if self._terms.keeps_originals and draft.redactions:
            draft.original = original
        return draft

    def _pass(self, raw: bytes, *, event: bool = False) -> Passage:
        if self._case is None:
            return Passage(raw)
        passage = self._law.passage(self._case, raw, event)
        if passage.attributes:
            self._drafting.add(passage.attributes)
        return passage

    def _too_large(self, body: bytes) -> bool:
        bytes_max = self._ruling.verdict.result_bytes_max
        return bytes_max is not None and len(body) > bytes_max

    # -- ends

    def _unanswered(self, fact: Fact) -> Life:
        """No answer, or none that can be passed on, and the client has seen nothing yet."""
        if not isinstance(fact, Broken):
            yield Note([self._drafting.end("client_gone", "client_gone", 0)])
            return
        status = REFUSALS[fact.reason_code].status
        outcome = "refused" if fact.outcome == "withheld" and not fact.sent else fact.outcome
        end = self._drafting.end(outcome, fact.reason_code, status, fact.reason, late=fact.sent)
        if (yield Record([end])) or not fact.sent:
            yield own_answer(self.id, self.look, Refused(fact.reason_code, fact.reason, late=fact.sent))
        else:
            yield from self._withhold(RESULT_WITHHELD)

    def _withhold(self, reason_code: str, detail: str = "") -> Life:
        status = REFUSALS[reason_code].status
        yield Note([self._drafting.end("withheld", reason_code, status, detail, late=True)])
        yield own_answer(self.id, self.look, Refused(reason_code, detail, late=True))

    def _break_off(self, fact: Broken | Gone, opened: bool) -> Life:
        """A stream ends before its end."""
        if isinstance(fact, Gone):
            yield Note([self._drafting.end("client_gone", "client_gone", 0)])
        elif not opened and fact.outcome == "withheld":
            yield from self._withhold(fact.reason_code, fact.reason)
        elif not opened:
            yield from self._unanswered(fact)
        else:
            yield Note([self._drafting.end(fact.outcome, fact.reason_code, 0, fact.reason, late=True)])
            if fact.outcome == "withheld":
                yield Send(own_event(self.id, self.look, Refused(fact.reason_code, fact.reason, late=True)))
            yield CutStream()

    # -- the session

    def _rehome(self, head: Head) -> None:
        """From here on the frames carry the answer's status, and the session that an initialize has opened."""
        self._drafting.answered(head)
        opened = first(head.headers, SESSION).decode("latin-1")
        if opened and opened != self.base["mcp_session_id"]:
            self._drafting.in_session(opened)

    def _headers_down(self, head: Head) -> header_rules.Headers:
        """The headers of an answer as the client gets them; its length is another once it was masked."""
        return [
            (name, self._law.bind(value.decode("latin-1"), self.principal).encode("latin-1"))
            if name == SESSION
            else (name, value)
            for name, value in header_rules.towards_client(head.headers)
        ]


def _decoder(head: Head, bytes_max: int | None) -> Decoder | None:
    """What takes the encoding off an answer; None when it has none. Raises EncodedError."""
    encoding = first(head.headers, b"content-encoding")
    return None if encoding in PLAIN else Decoder(encoding, bytes_max)


class _WithheldError(Exception):
    """An event cannot be passed on."""

    def __init__(self, reason_code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason_code = reason_code


def too_often(what: str, wait_seconds: float) -> Refused:
    """A refusal that says when to come back (RFC 9110, 10.2.3: whole seconds)."""
    seconds = max(1, -int(-wait_seconds // 1))
    return Refused("rate_limited", what, ((b"retry-after", b"%d" % seconds),))


def _beside_body(redactions: list[Redaction]) -> list[Redaction]:
    """Those of header lines and the path, which another mask of the body leaves as they are."""
    return [each for each in redactions if each["path"] in BESIDE_BODY]


def _standing(redactions: list[Redaction], passage: Passage, message: bytes) -> list[Redaction]:
    """The redactions as they stand in what is recorded: without places where other bytes were taken out."""
    if passage.body is message:
        return redactions
    return [{**each, "start": -1, "end": -1} for each in redactions]
