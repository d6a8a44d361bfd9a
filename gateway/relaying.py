"""Upstream's answer on its way to the client: read, masked, judged, recorded, and only then released (G2)."""

from gateway import waiting
from gateway.drafting import MaskingFailedError, answer_facts, quiet_look, verdict_facts
from gateway.effects import (
    Answer,
    Broken,
    CloseStream,
    Draft,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    Listed,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Reply,
    Send,
)
from gateway.endings import Ending, Life
from gateway.frames import headers as header_rules
from gateway.frames import sse
from gateway.frames.encoded import PLAIN, Decoder, EncodedError
from gateway.frames.headers import first
from gateway.law import Passage
from gateway.refusals import RESULT_WITHHELD
from schemas.frames import Redaction


class Relaying(Ending):
    """An exchange whose request is with upstream."""

    def _forward(self) -> Life:
        request = self._request
        fact = yield Forward(
            str(self.base["session_id"]),
            request.method,
            request.query,
            self._headers_up(),
            self._opened.body,
            request.target,
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
            decoder = decoder_of(fact, None if form == "stream" else self._terms.limits.response_bytes_max)
            yield from (self._relay_stream if form == "stream" else self._relay_body)(fact, decoder)
        except EncodedError as exc:  # nothing was released yet: within a stream it is withheld there
            yield from self._withhold(exc.reason_code, str(exc))

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
        yield from self._release(head, passage.body)

    def _release(self, head: Head, body: bytes) -> Life:
        """The whole answer; on a stream that was opened while the call was held it is the last event."""
        if not self._opened_early:
            yield Answer(head.status, self._headers_down(head), body)
            return
        yield Send(waiting.wrapped(self.look, head.status, head.headers, body))
        yield CloseStream()

    def _relay_stream(self, head: Head, decoder: Decoder | None) -> Life:
        """Each event is recorded, then released. The head goes with the first event, or alone when that is late."""
        splitter = sse.EventSplitter(self._terms.limits.event_bytes_max)
        chunk = yield ReadReady()
        opened, headed = self._opened_early, False
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
            if not headed:
                drafts = drafts or [Draft("response")]
                self._drafting.head(drafts[0], head)
                headed = True
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


def decoder_of(head: Head, bytes_max: int | None) -> Decoder | None:
    """What takes the encoding off an answer; None when it has none. Raises EncodedError."""
    encoding = first(head.headers, b"content-encoding")
    return None if encoding in PLAIN else Decoder(encoding, bytes_max)


class _WithheldError(Exception):
    """An event cannot be passed on."""

    def __init__(self, reason_code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason_code = reason_code


def _standing(redactions: list[Redaction], passage: Passage, message: bytes) -> list[Redaction]:
    """The redactions as they stand in what is recorded: without places where other bytes were taken out."""
    if passage.body is message:
        return redactions
    return [{**each, "start": -1, "end": -1} for each in redactions]
