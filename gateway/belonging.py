"""What belongs to whom: session ids, opaque state and tasks are sealed for the principal that they are given to."""

import hmac
import time
from collections.abc import Callable
from functools import lru_cache

from gateway.effects import Request
from gateway.law import Opened
from gateway.refusals import Refused
from gateway.sessions import Principal
from gateway.tools.seals import Fault, Seal, bind_session, open_states, seal_states, unbind_session
from gateway.tools.spans import may_have
from gateway.tools.task_answers import answered_tasks, seal_tasks
from gateway.tools.tasks import OwnTasks, may_name_tasks, open_tasks

STATE_SECONDS = 86_400


class Seals:
    """The seals of one connection. `key` is shared by all replicas."""

    def __init__(self, key: bytes, connection: str, clock: Callable[[], float] = time.time) -> None:
        secret = hmac.digest(key, b"sluicegate seals", "sha256")
        self._seal = lru_cache(maxsize=4096)(
            lambda issuer, subject: Seal(secret, connection, issuer, subject)
        )
        self._unbound = lru_cache(maxsize=4096)(
            unbind_session
        )  # a session's id comes with every request of it
        self._tasks = OwnTasks()
        self._clock = clock

    def bind(self, mcp_session_id: str, principal: Principal) -> str:
        """A session id as the client gets it."""
        return bind_session(mcp_session_id, self._of(principal))

    def unbind(self, mcp_session_id: str, principal: Principal) -> str | None:
        """The id that upstream knows; None when it was not given to this principal."""
        return self._unbound(mcp_session_id, self._of(principal))

    def opened(self, request: Request, principal: Principal) -> Opened | Refused:
        """A request with what is sealed in it as upstream gave it."""
        seal = self._of(principal)
        body = open_states(request.body, seal, self._clock())
        if isinstance(body, Fault):
            return Refused(body.reason_code, body.detail)
        opened = open_tasks(body, request.headers, seal)
        if isinstance(opened, Fault):
            return Refused(opened.reason_code, opened.detail)
        return Opened(opened.body, opened.headers)

    def sealed(self, raw: bytes, principal: Principal, event: bool) -> bytes:
        """A body of upstream, or block of its stream, with what belongs to the principal sealed."""
        if not may_name_tasks(raw) and not may_have(raw, b"requestState"):
            return raw
        seal = self._of(principal)
        for task in answered_tasks(raw, event=event):
            self._tasks.note(seal, task)
        until = int(self._clock()) + STATE_SECONDS
        states = seal_states(raw, seal, event=event, until=until)
        return seal_tasks(states, seal, self._tasks.of(seal), event=event)

    def _of(self, principal: Principal) -> Seal:
        return self._seal(principal.issuer, principal.subject)
