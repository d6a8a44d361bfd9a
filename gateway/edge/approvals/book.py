"""The process's view of approvals: what holds, asking for more, waiting for people, and being let run."""

import asyncio
import time
from collections.abc import Callable, Coroutine

import structlog

from gateway.edge.announce import stamp
from gateway.edge.approvals.belief import Belief, Tell, untold
from gateway.edge.approvals.bells import Bells
from gateway.edge.approvals.claims import Claims
from gateway.edge.approvals.drafts import AccessWish, access_request, call_request, said
from gateway.edge.approvals.matching import covers, exact, joined
from gateway.edge.approvals.metrics import METRICS
from gateway.edge.approvals.open_requests import OpenRequests
from gateway.edge.approvals.reader import Reader
from gateway.edge.approvals.state import SECOND, ApprovalsState, Known, owner
from gateway.edge.approvals.writer import Writer
from gateway.held import Approval, HeldCall
from gateway.sessions import Principal
from gateway.settings import Holding
from schemas.approvals import ApprovalDecision, ApprovalRequest, ApprovalSettled
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress
from schemas.signatures import SigningKey

USE_SECONDS = 5.0
STALE_SECONDS = 15.0
"""Who has not heard for so long whether a grant was revoked lets nothing run by it."""

PENDING_MAX = 100
ACCESS_PENDING_MAX = 5
"""Of one principal; people are asked about no more at once."""

ASKED_MAX = 10_000
"""Of one process, all principals together."""

WATCH_SECONDS = 1.0
NOT_SET_UP = "approvals are not set up: no key to sign requests with, or none to believe the answers with"

Callback = Callable[[], None]
Clock = Callable[[], float]
"""Unix seconds."""

log = structlog.get_logger("approvals")


class Approvals:
    """One a process. `tell` is given findings to raise. Whatever is in doubt is not approved."""

    def __init__(
        self, kafka: KafkaAddress, holding: Holding, *, clock: Clock = time.time, tell: Tell = untold
    ) -> None:
        self._clock = clock
        self._state = ApprovalsState()
        self._open = OpenRequests()
        self._claims = Claims(time.monotonic)
        self._changes: Bells[None] = Bells()
        self._answers: Bells[ApprovalSettled] = Bells()
        self._callbacks: list[Callback] = []
        self._background: set[asyncio.Task[None]] = set()
        self._watched = self._now()
        self._was_fresh = False
        self.enabled = bool(holding.signing_seed and holding.machine_public)
        self._key = SigningKey(holding.signing_seed or bytes(32))
        self._belief = Belief(holding.machine_public, tell) if self.enabled else None
        self._writer = Writer(kafka, deadline_seconds=USE_SECONDS)
        self._reader = Reader(kafka, self._take, self._tell_all, clock=clock)

    def start(self) -> None:
        """Begins to read and to reach for Kafka in the background; `fault` tells how far it is."""
        if self.enabled:
            self._reader.start()
            self._writer.start()
            self._run(self._watch())

    async def stop(self) -> None:
        """Reads and writes no more. What is not acknowledged yet stays in doubt."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._reader.stop()
        await self._writer.stop()

    @property
    def ready(self) -> bool:
        """Whether all that still matters was read once; it stays so. Where approvals are not set up: at once."""
        return self._reader.ready or not self.enabled

    @property
    def fault(self) -> str:
        """What keeps calls from being approved now; '' when nothing does, or approvals are not set up."""
        return (self._reader.fault or self._writer.fault) if self.enabled else ""

    @property
    def unheard_seconds(self) -> float:
        """For how long it is not known whether what is known is the latest."""
        return self._reader.unheard_seconds

    def subscribe(self, callback: Callback) -> Callback:
        """`callback` is called after each change, also when time ended a grant of access, or nothing is heard any
        more; it must not block. Gives what ends that."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    # -- look-ups, without I/O

    def find(self, held: HeldCall) -> Approval | None:
        """What this call may join: its exact call approved and not used, a grant whose bound it lies within, or one
        that people are asked for. A single approval that another exchange of this process is at is left to it."""
        if not self.enabled:
            return None
        now = self._now()
        own = self._state.open_of(owner(held.principal))
        known = joined(held, (each for each in own if self._may_join(each)), now, self._claims.taken)
        if known is None:
            return None
        if known.kind != "standing":
            self._claims.linger(known.approval_id)
        return known.told(now)

    def may_access(self, principal: Principal, connection: str) -> bool:
        """Whether a grant of access is in force, as far as was heard lately."""
        return self._fresh() and self._state.access(owner(principal), connection, self._now())

    def look(self, principal: Principal, approval_id: str) -> Approval | None:
        """The principal's own approval; None for anybody else's, and for one that nobody knows."""
        known = self._state.get(approval_id)
        return known.told(self._now()) if known is not None and known.owner == owner(principal) else None

    def own(self, principal: Principal) -> list[Approval]:
        """The principal's approvals that are remembered, the newest first."""
        now = self._now()
        return [known.told(now) for known in reversed(self._state.all_of(owner(principal)))]

    def room(self, principal: Principal) -> str:
        """Why no more people are asked for this principal now; '' when they are."""
        return self._full(principal, "call")

    # -- asking

    async def ask(self, held: HeldCall) -> Approval | None:
        """The pending approval once its request is acknowledged; None: nobody may count on its being recorded.

        One that turns out to be written all the same is withdrawn, or else expires.
        """
        if not self._can_ask or self._full(held.principal, "call"):
            return None
        try:
            request = call_request(held, stamp(), self._key)
        except (CodecError, ValueError) as error:
            METRICS.asked.labels("call", "unfit").inc()
            log.error("approval_not_asked", fault=str(error), rule=held.rule)  # noqa: TRY400
            return None
        return await self._request(request, held)

    async def ask_access(self, principal: Principal, wish: AccessWish) -> Approval | None:
        """Asks for access to a connection; None as `ask`."""
        if not self._can_ask or self._full(principal, "access"):
            return None
        try:
            request = access_request(principal, wish, self._key)
        except CodecError as error:
            log.error("approval_not_asked", fault=str(error), connection=wish.connection)  # noqa: TRY400
            return None
        return await self._request(request, None)

    async def _request(self, request: ApprovalRequest, held: HeldCall | None) -> Approval | None:
        approval_id, kind = request["approval_id"], request["kind"]
        who = (request["principal_issuer"], request["principal_subject"])
        self._open.add(approval_id, who, request["exchange_id"], request["expires_at"])
        self._claims.linger(approval_id)
        acknowledged = False
        try:
            acknowledged = await self._writer.requested(request)
        finally:  # also when the exchange was cancelled meanwhile
            if not acknowledged:
                self._doubt(approval_id, held)
        METRICS.asked.labels(kind, "asked" if acknowledged else "in_doubt").inc()
        if not acknowledged:
            return None
        return Approval(approval_id, "pending", kind, 0, request["expires_at"])

    def _doubt(self, approval_id: str, held: HeldCall | None) -> None:
        """Nobody waits for it: if it was written, it is taken back."""
        self._claims.release(approval_id)
        self._open.doubt(approval_id, held)

    def _full(self, principal: Principal, kind: str) -> str:
        who, now = owner(principal), self._now()
        pending = self._state.pending_of(who, now) + self._open.unsettled(who)
        if len(self._open) >= ASKED_MAX:
            return "too many approvals are asked for through this gateway"
        if pending >= PENDING_MAX:
            return f"{pending} approvals of this principal are pending, and no more are asked for at once"
        if kind == "access":
            asked = [each for each in self._state.open_of(who) if each.kind == "access"]
            if sum(each.now(now) == "pending" for each in asked) >= ACCESS_PENDING_MAX:
                return f"{ACCESS_PENDING_MAX} requests for access of this principal are pending"
        return ""

    # -- waiting

    async def wait(self, approval_id: str, seconds: float) -> Approval | None:
        """The approval once it is not pending; None after `seconds`. Leaving early costs nothing."""
        try:
            async with asyncio.timeout(seconds):
                with self._claims.held(approval_id):
                    known = await self._settled(approval_id)
        except TimeoutError:
            return None
        approval = known.told(self._now())
        if approval.state == "approved":
            self._claims.linger(approval_id)
        return approval

    async def _settled(self, approval_id: str) -> Known:
        while True:
            with self._changes.waiting(approval_id) as changed:
                known, now = self._state.get(approval_id), self._now()
                if known is not None and known.now(now) != "pending":
                    return known
                left = None if known is None else (known.ends_at - now) / SECOND
                await asyncio.wait([changed], timeout=left)

    # -- using

    async def use(self, approval_id: str, held: HeldCall) -> str:
        """'' when the call may run now: the machine has named this exchange, or a grant needs no asking. Else why
        not; an answer that comes too late lets nothing run."""
        known = self._state.get(approval_id)
        reason = self._unusable(known, held)
        if known is not None and not reason and not known.unasked:
            with self._claims.held(approval_id):
                reason = await self._let_run(approval_id, held)
        METRICS.used.labels("refused" if reason else "run").inc()
        return reason

    def _unusable(self, known: Known | None, held: HeldCall) -> str:
        if not self.enabled:
            return NOT_SET_UP
        if known is None:
            return "no such approval is known"
        if not self._fresh():
            return "approvals cannot be read now"
        if not (exact(known, held) or covers(known, held)):
            return "the approval is for another call"
        state = known.now(self._now())
        return "" if state == "approved" else f"the approval is {state}"

    async def _let_run(self, approval_id: str, held: HeldCall) -> str:
        try:
            decision = said("use", approval_id, held, stamp(), self._key)
        except CodecError:
            return "asking to run the call could not be written down"
        started = time.monotonic()
        try:
            async with asyncio.timeout(USE_SECONDS):
                with self._answers.waiting(decision["decision_id"]) as answered:
                    if not await self._writer.decided(decision):
                        return "asking to run the call could not be recorded"
                    answer = await answered
        except TimeoutError:
            return f"the approvals processor gave no answer within {USE_SECONDS:.0f} s"
        METRICS.use_seconds.observe(time.monotonic() - started)
        return _why_not(answer, decision)

    async def withdraw(self, approval_id: str, held: HeldCall, why: str) -> None:
        """Takes back what this very exchange asked for, while it is pending and nobody else here waits for it."""
        if self._claims.exchanges(approval_id) or not self._open.asked_by(approval_id, held.exchange_id):
            return
        known = self._state.get(approval_id)
        if known is None or known.state == "pending":
            self._claims.release(approval_id)
            await self._writer.decided(said("revoke", approval_id, held, stamp(), self._key, comment=why))

    # -- what comes from Kafka, and time

    def _take(self, row: object) -> None:
        record = self._belief.opened(row) if self._belief is not None else None
        if record is None:
            return
        changed = self._state.apply(record, self._now())
        if changed is None:
            METRICS.ignored.labels("no_room").inc()
            log.error("approval_without_room", approvals=len(self._state))
        if changed:
            METRICS.settled.labels(record["state"]).inc()
            self._settle(record)
        if record["decision_id"]:
            self._answers.ring(record["decision_id"], record)

    def _settle(self, record: ApprovalSettled) -> None:
        approval_id = record["approval_id"]
        doubted = self._open.settle(approval_id, record["state"])
        if doubted is not None and record["state"] == "pending":
            why = "its request was not acknowledged in time, so nobody waits for it"
            decision = said("revoke", approval_id, doubted, stamp(), self._key, comment=why)
            self._run(self._tell_once(decision))
        self._changes.ring(approval_id, None)

    async def _tell_once(self, decision: ApprovalDecision) -> None:
        await self._writer.decided(decision)

    def _may_join(self, known: Known) -> bool:
        return not self._open.doubted(known.approval_id)

    @property
    def _can_ask(self) -> bool:
        return self.enabled and self._reader.ready

    def _fresh(self) -> bool:
        return self.enabled and self._reader.ready and self._reader.unheard_seconds < STALE_SECONDS

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now, fresh = self._now(), self._fresh()
            if fresh != self._was_fresh or self._state.ended_access(self._watched, now):
                self._tell_all()
            self._watched, self._was_fresh = now, fresh
            self._state.sweep(now)
            self._open.sweep(now)
            METRICS.known.set(len(self._state))
            METRICS.unheard_seconds.set(self.unheard_seconds)

    def _tell_all(self) -> None:
        for callback in list(self._callbacks):
            try:
                callback()
            except Exception:  # whoever listens, the others must hear of a revocation
                log.exception("approvals_callback_failed")

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def _why_not(answer: ApprovalSettled, decision: ApprovalDecision) -> str:
    if answer["refusal"]:
        return f"the approval does not let it run: {answer['refusal']}"
    granted = answer["approval_id"] == decision["approval_id"] and answer["use_id"] == decision["use_id"]
    return "" if granted and answer["state"] in ("approved", "used") else "the answer is for another exchange"
