"""The process's view of approvals: what holds, asking for more, waiting for people, and being let run."""

import asyncio
import time
from collections.abc import Callable, Coroutine

import structlog

from gateway.edge.approvals.asking import Asking
from gateway.edge.approvals.belief import Belief, Tell, untold
from gateway.edge.approvals.bells import Bells
from gateway.edge.approvals.claims import Claims
from gateway.edge.approvals.drafts import AccessWish
from gateway.edge.approvals.matching import joined
from gateway.edge.approvals.metrics import METRICS
from gateway.edge.approvals.open_requests import OpenRequests
from gateway.edge.approvals.parts import Parts
from gateway.edge.approvals.reader import Reader
from gateway.edge.approvals.state import SECOND, ApprovalsState, Known, owner
from gateway.edge.approvals.using import USE_SECONDS, Using
from gateway.edge.approvals.writer import Writer
from gateway.held import Approval, HeldCall
from gateway.sessions import Principal
from gateway.settings import Holding
from schemas.approvals import ApprovalSettled
from schemas.kafka import KafkaAddress
from schemas.signatures import SigningKey

STALE_SECONDS = 15.0
"""Who has not heard for so long whether a grant was revoked lets nothing run by it."""

WATCH_SECONDS = 1.0
NOT_SET_UP = "approvals are not set up: no key to sign requests with, or none to believe the answers with"
UNREAD = "approvals cannot be read now"
IN_DOUBT = "its request was not acknowledged in time, so nobody waits for it"

Callback = Callable[[], None]
Clock = Callable[[], float]
"""Unix seconds."""

log = structlog.get_logger("approvals")


class Approvals:
    """One a process. `tell` is given findings to raise; `deadline_seconds` is how long Kafka has to acknowledge.

    Whatever is in doubt is not approved. Raises ValueError for keys in `holding` that are none.
    """

    def __init__(
        self,
        kafka: KafkaAddress,
        holding: Holding,
        *,
        clock: Clock = time.time,
        tell: Tell = untold,
        deadline_seconds: float = USE_SECONDS,
    ) -> None:
        self._clock = clock
        self._changes: Bells[None] = Bells()
        self._callbacks: list[Callback] = []
        self._background: set[asyncio.Task[None]] = set()
        self.enabled = bool(holding.signing_seed and holding.machine_public)
        self._belief = Belief(holding.machine_public, tell) if self.enabled else None
        self._parts = Parts(
            SigningKey(holding.signing_seed or bytes(32)),
            Writer(kafka, deadline_seconds=deadline_seconds),
            ApprovalsState(),
            OpenRequests(),
            Claims(time.monotonic),
            Bells[ApprovalSettled](),
            self._now,
        )
        self._state, self._open, self._claims = self._parts.state, self._parts.open, self._parts.claims
        self._asking = Asking(self._parts)
        self._using = Using(self._parts)
        self._reader = Reader(kafka, self._take, self._tell_all, clock=clock)
        self._watched = self._now()
        self._was_fresh = False

    def start(self) -> None:
        """Begins to read and to reach for Kafka in the background; `fault` tells how far it is."""
        if self.enabled:
            self._reader.start()
            self._parts.writer.start()
            self._run(self._watch())

    async def stop(self) -> None:
        """Reads and writes no more. What is not acknowledged yet stays in doubt."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._reader.stop()
        await self._parts.writer.stop()

    @property
    def ready(self) -> bool:
        """Whether all that still matters was read once; it stays so. Where approvals are not set up: at once."""
        return self._reader.ready or not self.enabled

    @property
    def fault(self) -> str:
        """What keeps calls from being approved now; '' when nothing does, or approvals are not set up."""
        return (self._reader.fault or self._parts.writer.fault) if self.enabled else ""

    @property
    def unheard_seconds(self) -> float:
        """For how long it is not known whether what is known is the latest."""
        return self._reader.unheard_seconds

    @property
    def stale(self) -> bool:
        """Whether nothing was heard for so long that nothing may be let run."""
        return not self._fresh()

    def subscribe(self, callback: Callback) -> Callback:
        """`callback` is called after each change, also when time ended a grant of access, or nothing is heard any
        more; it must not block. Gives what ends that."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    # -- look-ups, without I/O

    def find(self, held: HeldCall) -> Approval | None:
        """What this call may join: its exact call approved and not used, a grant whose bound it lies within, or one
        that people are asked for. A single approval that another exchange of this process is at is left to it."""
        if not self._fresh():
            return None
        now = self._now()
        who = owner(held.principal)
        own = self._state.open_of(who) + self._open.unseen(who)
        mine = (each for each in own if not self._open.doubted(each.approval_id))
        known = joined(held, mine, now, self._claims.taken)
        if known is None:
            return None
        if known.kind != "standing":
            self._claims.linger(known.approval_id)
        return known.told(now)

    def let_go(self, approval_id: str) -> None:
        """The exchange that was at it goes on without it: whoever comes with the same call may join it at once."""
        self._claims.release(approval_id)

    def may_access(self, principal: Principal, connection: str) -> bool:
        """Whether a grant of access is in force, as far as was heard lately."""
        return self._fresh() and self._state.access(owner(principal), connection, self._now())

    def look(self, principal: Principal, approval_id: str) -> Approval | None:
        """The principal's own approval; None for anybody else's, and for one that nobody knows."""
        known = self._known(approval_id)
        return known.told(self._now()) if known is not None and known.owner == owner(principal) else None

    def own(self, principal: Principal) -> list[Approval]:
        """The principal's approvals that are remembered, the newest first."""
        now, who = self._now(), owner(principal)
        own = self._state.all_of(who) + self._open.unseen(who)
        return [known.told(now) for known in reversed(own)]

    # -- asking

    def room(self, principal: Principal, *, access: bool = False) -> str:
        """Why no more is asked for this principal now; '' when it is."""
        return self._asking.full(owner(principal), access=access)

    async def ask(self, held: HeldCall) -> Approval | None:
        """The pending approval once its request is acknowledged; None: nobody may count on its being recorded.

        One that turns out to be written all the same is withdrawn, or else expires.
        """
        return await self._asking.call(held) if self._fresh() else None

    async def ask_access(self, principal: Principal, wish: AccessWish) -> Approval | None:
        """Asks for access to a connection; None as `ask`, but what was written all the same stays."""
        return await self._asking.access(principal, wish) if self._fresh() else None

    # -- waiting and using

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
                known, now = self._known(approval_id), self._now()
                if known is not None and known.now(now) != "pending":
                    return known
                left = None if known is None else (known.ends_at - now) / SECOND
                await asyncio.wait([changed], timeout=left)

    def _known(self, approval_id: str) -> Known | None:
        return self._state.get(approval_id) or self._open.get(approval_id)

    async def use(self, approval_id: str, held: HeldCall) -> str:
        """'' when the call may run now: the machine has named this exchange, or a grant needs no asking. Else why
        not; an answer that comes too late lets nothing run."""
        if not self._fresh():
            return UNREAD if self.enabled else NOT_SET_UP
        return await self._using.use(approval_id, held)

    async def withdraw(self, approval_id: str, held: HeldCall, why: str) -> None:
        """Takes back what this very exchange asked for, while it is pending and nobody else here waits for it."""
        if self.enabled:
            await self._using.withdraw(approval_id, held, why)

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
            self._parts.answers.ring(record["decision_id"], record)

    def _settle(self, record: ApprovalSettled) -> None:
        approval_id, state = record["approval_id"], record["state"]
        doubted = self._open.settle(approval_id, state)
        if doubted is not None and state == "pending":
            self._run(self._using.take_back_at_last(approval_id, doubted, IN_DOUBT))
        self._changes.ring(approval_id, None)

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
