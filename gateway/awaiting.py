"""A held call: people are asked, the client is kept waiting in the way its protocol knows, and the call runs once or
never.

    Record(request) ─▶ Seek ─┬▶ joined ─┐
                             └▶ Ask ────┴▶ Await ─┬▶ approved ─▶ judge again ─▶ Use ─▶ Forward
                                  ▲               │                             └▶ taken by another: Ask
                                  │               ├▶ denied, expired, revoked ─▶ refuse
                                  └───────────────┴▶ nothing yet ─▶ keep alive, or say where to look

A call runs only after the settled record that names this very exchange (`Use`). Where that is in doubt it does not.
"""

from collections.abc import Generator
from functools import partial

from gateway import waiting
from gateway.effects import (
    Answer,
    Ask,
    Await,
    Broken,
    Draft,
    Effect,
    Fact,
    Gone,
    OpenStream,
    Record,
    Seek,
    Send,
    Use,
    Withdraw,
)
from gateway.endings import Life
from gateway.held import Approval, HeldCall
from gateway.law import Ruling
from gateway.refusals import Refused
from gateway.settings import ConnectionKind
from gateway.tasking import Tasking

ATTEMPTS = 3  # an approval that was joined may be taken by whom it was asked for


class Awaiting(Tasking):
    """An exchange whose call waits for a person."""

    def _await_approval(self, asked: Draft, held: HeldCall) -> Life:
        """The whole life of a call that was held, from its record on."""
        shown = self._shown_state(held)
        refused = shown if isinstance(shown, Refused) else None
        approval = shown if isinstance(shown, Approval) else None
        if refused is None:
            joined = yield Seek(held)
            if isinstance(joined, Broken):
                refused = Refused(joined.reason_code, joined.reason)
            elif isinstance(joined, Approval):
                approval = approval or joined
        if approval is not None:
            self._names(approval)
        if refused is not None:
            yield from self._refuse(asked, refused)
        elif not (yield Record([asked])):
            yield from self._fail_closed()
        elif self._request.upgrade:
            yield from self._without_waiting(approval, held)
        else:
            yield from self._by_approval(approval, held)

    def _without_waiting(self, approval: Approval | None, held: HeldCall) -> Life:
        """kubectl comes again by SPDY when its WebSocket was refused, and prints only what it is told then. That
        can never run, so nothing is used for it, and it has waited already."""
        approval = approval or (yield from self._asked_for(held))
        if approval is None:
            return
        if approval.state == "approved":
            yield from self._turn_down(Refused("spdy_not_taken"))
        else:
            yield from self._told_of(approval)

    def _by_approval(self, approval: Approval | None, held: HeldCall) -> Life:
        """Ask where nothing was found, wait, take what people gave, and go on; or end."""
        for _ in range(ATTEMPTS):
            if approval is None:
                approval = yield from self._asked_for(held)
            settled = (yield from self._decided(approval, held)) if approval else None
            if settled is None:
                return
            if settled.state != "approved":
                yield from self._told_of(settled)
                return
            refused = yield from self._taken(settled, held)
            if refused is None:
                yield from self._forward()
                return
            if isinstance(refused, Gone):
                yield from self._unanswered(refused)
                return
            if refused.reason_code != "approval_used":
                yield from self._turn_down(refused)
                return
            again = yield Seek(held)  # it may be unused all the same: the answer was late, or a worker died
            approval = again if isinstance(again, Approval) else None
        yield from self._turn_down(Refused("approval_used"))

    def _asked_for(self, held: HeldCall) -> Generator[Effect, Fact, Approval | None]:
        """The approval that people are asked for now; None when the exchange has ended without."""
        fresh = yield Ask(held)
        if isinstance(fresh, Approval):
            self._names(fresh)
            return fresh
        yield from self._turn_down(Refused("approval_unavailable"))
        return None

    def _shown_state(self, held: HeldCall) -> Approval | Refused | None:
        """A client that comes back shows the state that it was given, for this very call: it names an approval that
        may be so new that nobody has heard of it yet."""
        if self._returned is None:
            return None
        seal = self._terms.state_seal
        approval_id = seal.open(self._returned, held.principal, held.connection, held.digest)
        if approval_id is None:
            return Refused("request_state_invalid")
        return Approval(approval_id, "pending")

    def _names(self, approval: Approval) -> None:
        self._drafting.add({"approval.id": approval.approval_id})

    # -- while nobody has decided

    def _decided(self, approval: Approval, held: HeldCall) -> Generator[Effect, Fact, Approval | None]:
        """The approval once it is no longer pending; None when the exchange has ended without."""
        if approval.state != "pending":
            return approval
        page = self._status_url(approval) if self._terms.holding.status_url else ""
        manner = "poll"
        if self._terms.kind == ConnectionKind.MCP:
            manner = waiting.manner(self._request, self.look, self._version, page)
        if manner == "elicit":
            yield from self._elicit(approval, held)
            return None
        if manner == "task" and (yield from self._as_task(approval, held)):
            return None
        return (yield from self._waited(approval, held))

    def _waited(self, approval: Approval, held: HeldCall) -> Generator[Effect, Fact, Approval | None]:
        """As `_decided`, by an answer that is kept back."""
        settings, mcp = self._terms.holding, self._terms.kind == ConnectionKind.MCP
        streaming = mcp and waiting.reads_stream(self._request.headers)
        left = settings.stream_seconds if streaming else settings.poll_seconds
        left, turn = waiting.patience(self._request.body, left), 0
        while left > 0:
            step = min(settings.keep_alive_seconds, left)
            fact = yield Await(approval.approval_id, step)
            if isinstance(fact, Approval):
                return fact
            if isinstance(fact, Broken | Gone):
                yield from self._stopped_waiting(fact, approval, held)
                return None
            left -= step
            turn += 1
            if streaming and left > 0 and not (yield from self._keep(approval, turn)):
                return None
        yield from self._told_of(approval)
        return None

    def _keep(self, approval: Approval, turn: int) -> Generator[Effect, Fact, bool]:
        """Whether the client could be told that its call still waits: a comment, and progress where it asked."""
        settings = self._terms.holding
        waited, whole = int(turn * settings.keep_alive_seconds), int(settings.stream_seconds)
        text = waiting.waiting_text(approval, self._ruling.verdict.reason)
        said = waiting.progress(self.look, self._request.body, max(turn, waited), whole, text)
        if said is None and self._opened_early:
            yield Send(waiting.keep_alive())
            return True
        told = Draft("response", said or b"", len(said or b""))
        if said:
            told.facts = {"jsonrpc_type": "notification", "method": "notifications/progress"}
        if not (yield Record([told])):
            yield from self._turn_down(Refused("audit_unavailable"))
            return False
        if not self._opened_early:
            yield OpenStream(200, waiting.OPENING)
            self._opened_early = True
        yield Send(said or waiting.keep_alive())
        return True

    def _stopped_waiting(self, fact: Broken | Gone, approval: Approval, held: HeldCall) -> Life:
        """The client left, or the gateway must let it go. Nothing was sent."""
        if isinstance(fact, Gone):
            yield Withdraw(approval.approval_id, held, "the client has gone")
            yield from self._unanswered(fact)
            return
        yield from self._turn_down(Refused(fact.reason_code, fact.reason))

    def _elicit(self, approval: Approval, held: HeldCall) -> Life:
        """The client is sent to a page, and comes back with the same call and the state that names it."""
        state = self._terms.state_seal.seal(
            approval.approval_id, held.principal, held.connection, held.digest, approval.ends_at
        )
        url, reason = self._status_url(approval), self._ruling.verdict.reason
        body = waiting.elicitation(self.look, approval, url, state, reason)
        answer = Draft("response", body, len(body))
        answer.facts = {"jsonrpc_type": "response", "jsonrpc_id": self.look.id}
        answer.facts |= {"reason_code": "approval_pending", "http_status": 200}
        self._drafting.finish(answer, "refused")
        yield from self._recorded(answer, Answer(200, [(b"content-type", b"application/json")], body))

    # -- once somebody has

    def _told_of(self, approval: Approval) -> Life:
        """An end that names the approval, in the form that the client can use."""
        form = waiting.denied_answer
        if approval.state == "pending":
            form = partial(waiting.pending_answer, retry_after=self._retry_seconds)
        status, headers, body = form(
            self.look,
            approval,
            self._ruling.verdict.reason,
            status_url=self._status_url(approval),
            kind=self._terms.kind.value,
            version=self._version,
            body=self._request.body,
        )
        why = approval.comment or approval.refusal
        end = self._drafting.end("refused", f"approval_{approval.state}", status, why)
        yield from self._recorded(end, Answer(status, headers, body))

    def _taken(self, approval: Approval, held: HeldCall) -> Generator[Effect, Fact, Refused | Gone | None]:
        """Why the call may not run although it was approved; None when the approval was taken for it."""
        found = self._still_held(held)
        if found is not None:
            return found
        why = yield Use(approval.approval_id, held)
        if isinstance(why, Gone):
            return why
        if isinstance(why, Broken):
            return Refused(why.reason_code, why.reason)
        if why:
            return Refused("approval_used", str(why))
        self._drafting.add({"approval.id": approval.approval_id, "approval.by": ",".join(approval.approvers)})
        return None

    def _still_held(self, held: HeldCall) -> Refused | None:
        """What was decided was this call under this policy: the rules have their say again."""
        case = self._case
        if case is None:
            return Refused("approval_stale")
        ruling = self._law.judge(case)
        if isinstance(ruling, Refused):
            return ruling
        if ruling.verdict.action == "deny":
            return Refused(ruling.verdict.reason_code or "policy_denied", ruling.verdict.reason)
        if not _same(ruling, held):
            return Refused("approval_stale")
        return None

    # -- words

    @property
    def _retry_seconds(self) -> int:
        return max(1, int(self._terms.holding.keep_alive_seconds))

    def _status_url(self, approval: Approval) -> str:
        return self._terms.status_url.replace("{id}", approval.approval_id)


def _same(ruling: Ruling, held: HeldCall) -> bool:
    """Whether the rules still hold the call for the same reason."""
    if ruling.verdict.action == "allow":
        return ruling.version == held.policy_version
    now = ruling.held
    return now is not None and (now.digest, now.policy_version, now.rule) == (
        held.digest,
        held.policy_version,
        held.rule,
    )
