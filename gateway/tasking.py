"""A held call as a task: its client gets a handle, asks how it stands, and the call runs when it asks after approval.

    tools/call ─▶ Seek, Ask ─▶ kept in memory ─▶ the handle
    tasks/get, tasks/result ─▶ not decided: tell, or wait
                             └▶ approved: Use ─▶ Forward ─▶ the answer, masked, recorded, kept ─▶ tell

Who never asks again is not executed for. A process that has not got the call says so; the same call, sent again,
finds its approval.
"""

from collections.abc import Generator
from dataclasses import replace

from gateway import waiting
from gateway.drafting import MaskingFailedError, answer_facts, quiet_look
from gateway.effects import (
    Answer,
    Await,
    Broken,
    Draft,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Use,
    Withdraw,
)
from gateway.endings import Life
from gateway.frames import headers as header_rules
from gateway.frames import sse
from gateway.frames.encoded import EncodedError
from gateway.frames.headers import Headers
from gateway.held import Approval, HeldCall
from gateway.refusals import Refused
from gateway.relaying import decoder_of
from gateway.tunnelling import Tunnelling
from gateway.waiting import HeldTask, OpenedTask, tasks

LINGER_SECONDS = 3600  # a task can be asked about for so long after its approval has ended


class Tasking(Tunnelling):
    """An exchange that makes a task of a held call, or asks about one."""

    def _as_task(self, approval: Approval, held: HeldCall) -> Generator[Effect, Fact, bool]:
        """Whether the client got a handle; False when there is no room for the call, and it has to wait otherwise."""
        task = self._terms.task_seal.make(
            approval.approval_id, held.principal, held.connection, held.hold.expires_seconds + LINGER_SECONDS
        )
        call = replace(self._request, body=waiting.untasked(self._opened.body), headers=self._opened.headers)
        if not self._terms.held_tasks.put(task, held, call):
            return False
        text = waiting.waiting_text(approval, self._ruling.verdict.reason)
        yield from self._handed(tasks.created(self.look, task, text, version=self._version))
        return True

    def _asks_about(self, asked: Draft, task_id: str) -> Life:
        """A request about a task of ours. Upstream knows nothing of it."""
        refused = tasks.undeclared(self.look, self._request.body, self._version)
        task = self._terms.task_seal.open(task_id, self.principal, self._terms.connection)
        if not (yield Record([asked])):
            yield from self._fail_closed()
            return
        if refused is not None or task is None:
            yield from self._handed(refused or tasks.unknown(self.look))
            return
        self._drafting.add({"approval.id": task.approval_id})
        now = yield from self._stands(task)
        if now is not None and now.step == "run":
            now = yield from self._ran(task)
        if now is None:
            return
        if self.look.method == "tasks/cancel":
            yield from self._cancelled(task)
        told = tasks.told(self.look, task, now, version=self._version)
        yield from self._handed(told or tasks.unknown(self.look))

    def _stands(self, task: OpenedTask) -> Generator[Effect, Fact, waiting.Standing | None]:
        """How it stands; a `tasks/result` waits until there is one. None: the exchange has ended meanwhile."""
        left = self._terms.holding.stream_seconds
        seconds = 0.0
        while True:
            fact = yield Await(task.approval_id, seconds)
            if isinstance(fact, Broken | Gone):
                yield from self._unanswered(fact)
                return None
            approval = fact if isinstance(fact, Approval) else None
            now = self._standing(task, approval)
            if now.step != "wait":
                return now
            if left <= 0:
                return now._replace(step="tell")
            seconds = min(left, self._terms.holding.keep_alive_seconds)
            left -= seconds

    def _standing(self, task: OpenedTask, approval: Approval | None) -> waiting.Standing:
        kept = self._terms.held_tasks.find(task.approval_id)
        reason = kept.held.reason if kept else ""
        return waiting.standing(self.look, task, approval, kept, reason, version=self._version)

    def _ran(self, task: OpenedTask) -> Generator[Effect, Fact, waiting.Standing | None]:
        """How it stands once the call has run. None: the exchange has ended without."""
        kept = self._terms.held_tasks.find(task.approval_id)
        call = self._terms.held_tasks.take(task.approval_id)
        if kept is None or call is None:  # another request about the same task was faster
            return self._standing(task, None)
        approved = Approval(task.approval_id, "approved")
        why = yield Use(task.approval_id, kept.held)
        if why:
            self._terms.held_tasks.cancel(task.approval_id)
            if isinstance(why, Broken | Gone):
                yield from self._unanswered(why)
            else:
                yield from self._turn_down(Refused("approval_used", str(why)))
            return None
        answer = yield from self._executed(call.headers, call.body, kept)
        self._terms.held_tasks.answered(task.approval_id, answer)
        return self._standing(task, approved)

    def _cancelled(self, task: OpenedTask) -> Life:
        kept = self._terms.held_tasks.find(task.approval_id)
        self._terms.held_tasks.cancel(task.approval_id)
        if kept is not None:
            yield Withdraw(task.approval_id, kept.held, "its client has cancelled the task")

    # -- the call itself

    def _executed(self, headers: Headers, body: bytes, kept: HeldTask) -> Generator[Effect, Fact, bytes]:
        """The JSON-RPC answer to the call, masked and recorded; b'' when there is none that can be kept."""
        fact = yield Forward(kept.held.session_id, "POST", "", header_rules.towards_upstream(headers), body)
        try:
            raw = (yield from self._read(fact)) if isinstance(fact, Head) else b""
            masked, redactions = yield from self._masked(raw)
        except (EncodedError, MaskingFailedError, sse.EventTooLongError):
            return b""
        answer = Draft("response", masked, len(raw), redactions)
        answer.facts = answer_facts(quiet_look(masked))
        self._keeping(answer, raw)
        if isinstance(fact, Head):
            self._drafting.answered(fact)
            self._drafting.head(answer, fact)
        return masked if (yield Record([answer])) else b""

    def _read(self, head: Head) -> Generator[Effect, Fact, bytes]:
        """The whole answer: a body, or the event that answers."""
        decoder = decoder_of(head, self._terms.limits.response_bytes_max)
        if header_rules.answer_form(head.headers) != "stream":
            body = yield ReadBody()
            plain = body if isinstance(body, bytes) else b""
            return decoder.feed(plain) if decoder else plain
        splitter = sse.EventSplitter(self._terms.limits.event_bytes_max)
        chunk = yield ReadReady()
        while chunk is None or (isinstance(chunk, bytes) and chunk):
            blocks = splitter.feed(decoder.feed(chunk) if decoder else chunk) if chunk else []
            for block in blocks:
                if (found := waiting.answer_in(block)) is not None:
                    return found
            chunk = yield ReadChunk()
        return b""

    def _handed(self, told: tuple[int, Headers, bytes]) -> Life:
        """An answer of the gateway's own, recorded first."""
        status, headers, body = told
        answer = Draft("response", body, len(body))
        answer.facts = {**answer_facts(quiet_look(body)), "http_status": status}
        self._drafting.finish(answer, "completed")
        yield from self._recorded(answer, Answer(status, headers, body))
