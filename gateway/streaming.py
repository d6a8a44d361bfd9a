"""An answer that comes frame by frame: each is recorded, then released (G2)."""

from collections.abc import Generator

from gateway.drafting import MaskingFailedError, answer_facts, quiet_look, verdict_facts
from gateway.effects import (
    Broken,
    CloseStream,
    Draft,
    Effect,
    Fact,
    Gone,
    Head,
    Listed,
    OpenStream,
    ReadChunk,
    ReadReady,
    Record,
    Reply,
    Send,
)
from gateway.endings import Ending, Life
from gateway.frames import sse
from gateway.frames.encoded import Decoder, EncodedError
from gateway.frames.forms import Form, Splitter, splitter_of
from gateway.kubernetes.answers import log_notice
from gateway.law import Passage
from gateway.piecewise import PieceMasker
from gateway.refusals import RESULT_WITHHELD, Refused
from gateway.settings import ConnectionKind
from schemas.frames import Redaction

Drafted = Generator[Effect, Fact, list[Draft]]


class WithheldError(Exception):
    """A frame cannot be passed on."""

    def __init__(self, reason_code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason_code = reason_code


class Streaming(Ending):
    """An exchange whose answer is a stream."""

    _form = Form.EVENTS
    _passed = 0  # bytes of the answer, as upstream sent them

    def _relay_stream(self, head: Head, decoder: Decoder | None, form: Form) -> Life:
        """Each frame is recorded, then released. The head goes with the first one, or alone when that is late."""
        self._form = form
        splitter = splitter_of(form, self._terms.limits.event_bytes_max)
        if form in (Form.TEXT, Form.PIECES):
            self._mask = PieceMasker(self._mask).mask
        chunk = yield ReadReady()
        opened, headed = self._opened_early, False
        while True:
            if isinstance(chunk, Broken | Gone):
                yield from self._break_off(chunk, opened)
                return
            effects: list[Effect] = []
            try:
                plain = decoder.feed(chunk) if decoder is not None and isinstance(chunk, bytes) else chunk
                drafts = yield from self._drafts(splitter, plain, effects, ended=chunk == b"")
            except (WithheldError, EncodedError) as exc:
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
            chunk = yield ReadChunk(splitter.quiet_seconds)

    def _drafts(self, splitter: Splitter, chunk: Fact, effects: list[Effect], *, ended: bool) -> Drafted:
        """Frames of what `chunk` completes, and of the end when the stream has `ended`; None is nothing yet."""
        try:
            if not isinstance(chunk, bytes):
                blocks = [splitter.quiet()]
            elif ended:
                blocks = [*splitter.feed(chunk), splitter.rest()]
            else:
                blocks = splitter.feed(chunk)
        except sse.EventTooLongError as exc:
            raise WithheldError("response_too_large", str(exc)) from exc
        drafts: list[Draft] = []
        for block in filter(None, blocks):
            draft = yield from self._drafted(block, effects)
            drafts.append(draft)
        return [*drafts, self._drafting.finish(Draft("end"), "completed")] if ended else drafts

    def _drafted(self, block: bytes, effects: list[Effect]) -> Generator[Effect, Fact, Draft]:
        """The frame of one block; what the rules ask for beside it goes into `effects`."""
        self._passed += len(block)
        whole = self._form in (Form.TEXT, Form.PIECES)  # its frames are one result; else each is one
        if self._too_large(self._passed if whole else len(block)):
            raise WithheldError("result_too_large", "")
        try:
            masked, redactions = yield from self._masked(block)
        except MaskingFailedError as exc:
            raise WithheldError("masking_failed", str(exc)) from exc
        if self._form is Form.EVENTS:
            return self._event(block, masked, redactions, effects)
        return self._keeping(Draft("response", masked, len(block), redactions), block)

    def _event(
        self, block: bytes, masked: bytes, redactions: list[Redaction], effects: list[Effect]
    ) -> Draft:
        """The frame of one server-sent event."""
        fields = sse.fields(masked)
        said = quiet_look(fields.data)
        passage = self._pass(masked, event=True)
        if passage.listed:
            effects.append(Listed(masked, event=True))
        if passage.denied is None:
            event = Draft("response", passage.body, len(block), standing(redactions, passage, masked))
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

    def _too_large(self, size: int) -> bool:
        bytes_max = self._ruling.verdict.result_bytes_max
        return bytes_max is not None and size > bytes_max

    def _own_event(self, refused: Refused) -> bytes:
        """Why the rest is withheld, where the form of the stream has a place for that."""
        kind = self._terms.kind
        if self._form is Form.EVENTS and kind != ConnectionKind.MCP:
            return b"event: error\n" + sse.event(self._own_answer(refused).body).partition(b"\n")[2]
        if self._form is Form.TEXT and kind == ConnectionKind.KUBERNETES:
            return log_notice(self.id, refused)
        return super()._own_event(refused)


def standing(redactions: list[Redaction], passage: Passage, message: bytes) -> list[Redaction]:
    """The redactions as they stand in what is recorded: without places where other bytes were taken out."""
    if passage.body is message:
        return redactions
    return [{**each, "start": -1, "end": -1} for each in redactions]
