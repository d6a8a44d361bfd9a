"""Upstream's answer on its way to the client: read, masked, judged, recorded, and only then released (G2)."""

from collections.abc import Generator

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
    Head,
    Listed,
    ReadBody,
    Record,
    Send,
)
from gateway.endings import Life
from gateway.frames.encoded import PLAIN, Decoder, EncodedError
from gateway.frames.forms import Form, form_of_http, form_of_kubernetes, form_of_mcp
from gateway.frames.headers import Headers, first
from gateway.kubernetes import RequestInfo, answers
from gateway.refusals import RESULT_WITHHELD
from gateway.settings import ConnectionKind
from gateway.streaming import Streaming, standing
from schemas.frames import Redaction

_BODILESS = frozenset({204, 304})


class Relaying(Streaming):
    """An exchange whose request is with upstream."""

    def _forward(self) -> Life:
        request = self._request
        fact = yield Forward(
            str(self.base["session_id"]),
            request.method,
            request.query,
            self._asking(),
            self._opened.body,
            request.target,
        )
        if not isinstance(fact, Head):
            yield from self._unanswered(fact)
            return
        self._rehome(fact)
        form = self._form_of(fact)
        if form is Form.UNCLEAR:
            why = "its content type can be read in two ways"
            yield from self._unanswered(Broken("upstream_failed", "upstream_broke", why))
        elif self._info is not None and answers.hidden_form(self._info, fact.headers):
            yield from self._withhold("upstream_encoded", "protobuf and CBOR cannot be masked")
        else:
            yield from self._relay(fact, form)

    def _relay(self, head: Head, form: Form) -> Life:
        try:
            if form is Form.BODY:
                yield from self._relay_body(head, decoder_of(head, self._terms.limits.response_bytes_max))
            else:
                yield from self._relay_stream(head, decoder_of(head, None), form)
        except EncodedError as exc:  # nothing was released yet: within a stream it is withheld there
            yield from self._withhold(exc.reason_code, str(exc))

    def _asking(self) -> Headers:
        """The request's headers for upstream; an API server is asked for what masking can look into."""
        headers = self._headers_up()
        return headers if self._info is None else answers.asked_in_json(headers, self._info)

    @property
    def _info(self) -> RequestInfo | None:
        """What an API server takes the request for."""
        return None if self._kube is None else self._kube.info

    def _form_of(self, head: Head) -> Form:
        kind, info = self._terms.kind, self._info
        if kind == ConnectionKind.MCP:
            return form_of_mcp(head.headers)
        if self._request.method == "HEAD" or head.status in _BODILESS:
            return Form.BODY
        if info is not None and not answers.is_unreadable(first(head.headers, b"content-type")):
            return form_of_kubernetes(info.verb, info.subresource, head.status, head.headers)
        return form_of_http(head.headers) if info is None else Form.BODY

    # -- a whole body

    def _relay_body(self, head: Head, decoder: Decoder | None) -> Life:
        body = yield ReadBody()
        if not isinstance(body, bytes):
            yield from self._unanswered(body)
            return
        if decoder is not None:
            body = decoder.feed(body)
        if self._too_large(len(body)):
            yield from self._withhold("result_too_large")
            return
        try:
            masked, redactions = yield from self._seen(body, head)
        except MaskingFailedError:
            yield from self._withhold("masking_failed")
            return
        if self._terms.kind == ConnectionKind.MCP:
            yield from self._give_message(head, body, masked, redactions)
        else:
            yield from self._give_body(head, body, masked, redactions)

    def _seen(self, body: bytes, head: Head) -> Generator[Effect, Fact, tuple[bytes, list[Redaction]]]:
        """The body masked, but for what describes the API: nothing in it is anybody's (decision 0010)."""
        if self._describes(head):
            return body, []
        return (yield from self._masked(body))

    def _describes(self, head: Head) -> bool:
        """Whether the answer only describes the API."""
        return self._info is not None and head.status == 200 and answers.is_metadata(self._info)

    def _give_message(self, head: Head, body: bytes, masked: bytes, redactions: list[Redaction]) -> Life:
        """An answer of an MCP server: the rules have their say about what it asks and lists."""
        said = quiet_look(masked)
        passage = self._pass(masked)
        if passage.listed:
            yield Listed(masked, event=False)
        answer = Draft("response", passage.body, len(body), standing(redactions, passage, masked))
        self._keeping(answer, body)
        answer.facts = answer_facts(said if passage.body is masked else quiet_look(passage.body))
        if passage.denied is not None:
            answer.facts |= verdict_facts(passage.denied)
        yield from self._give(head, answer, passage.body)

    def _give_body(self, head: Head, body: bytes, masked: bytes, redactions: list[Redaction]) -> Life:
        """An answer of an API; what only describes that API is recorded without its body."""
        answer = Draft("response", masked, len(body), redactions)
        if self._describes(head):
            self._drafting.add(answers.digest_of(body))
            answer = Draft("response", b"", len(body))
        yield from self._give(head, self._keeping(answer, body), masked)

    def _give(self, head: Head, answer: Draft, body: bytes) -> Life:
        self._drafting.head(answer, head)
        self._drafting.finish(answer, "completed")
        if not (yield Record([answer])):
            yield from self._withhold(RESULT_WITHHELD)
            return
        yield from self._release(head, body)

    def _release(self, head: Head, body: bytes) -> Life:
        """The whole answer; on a stream that was opened while the call was held it is the last event."""
        if not self._opened_early:
            headers = self._headers_down(head)
            if self._request.method == "HEAD":  # its length is that of the body which is not there
                headers += [pair for pair in head.headers if pair[0] == b"content-length"]
            yield Answer(head.status, headers, body)
            return
        yield Send(waiting.wrapped(self.look, head.status, head.headers, body))
        yield CloseStream()


def decoder_of(head: Head, bytes_max: int | None) -> Decoder | None:
    """What takes the encoding off an answer; None when it has none. Raises EncodedError."""
    encoding = first(head.headers, b"content-encoding")
    return None if encoding in PLAIN else Decoder(encoding, bytes_max)
