"""What a waiting client holds in its hands: sealed, so that every replica knows it again and nobody else can use it.

    state of a call  `sgw1.APPROVAL.UNTIL.MAC`            bound to principal, connection and the call's digest
    id of a task     `sgt1.APPROVAL.CREATED.UNTIL.MAC`    bound to principal and connection

128 bits of HMAC-SHA-256; times are Unix seconds. No such text has a `~`, so that none is taken for one that
`gateway.tools.seals` has sealed, nor any of those for ours.
"""

import base64
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from gateway.frames.jsonrpc import look
from gateway.sessions import Principal
from gateway.waiting.asked import params_of, text_in

LATE_SECONDS = 3600
"""A state opens for so long after its approval has ended: who comes late learns how it ended."""

APPROVAL_KEY = "sluicegate_approval"
"""Under which our page is asked for, and its answer comes back."""

_ID = r"[A-Za-z0-9_-]{1,64}"
_STATE = re.compile(rf"sgw1\.({_ID})\.([0-9]{{1,12}})\.([A-Za-z0-9_-]{{22}})")
TASK_FORM = re.compile(rf"sgt1\.({_ID})\.([0-9]{{1,12}})\.([0-9]{{1,12}})\.([A-Za-z0-9_-]{{22}})")


class OpenedTask(NamedTuple):
    """A task of ours: what it waits for, when it was made and until when it can be asked about (Unix seconds)."""

    task_id: str
    approval_id: str
    created: int
    until: int


class StateSeal:
    """Seals the state of calls that come back. `key`: secret, the same on every replica; `clock`: Unix seconds."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = _derived(key)
        self._clock = clock

    def seal(
        self, approval_id: str, principal: Principal, connection: str, digest: str, expires_at: int
    ) -> str:
        """A `requestState`. `expires_at`: when the approval ends, UTC in microseconds, as records have it."""
        until = str(expires_at // 1_000_000 + LATE_SECONDS)
        mac = _mac(self._key, "state", principal, connection, digest, approval_id, until)
        return f"sgw1.{_named(approval_id)}.{until}.{mac}"

    def open(self, text: str, principal: Principal, connection: str, digest: str) -> str | None:
        """The approval's id; None for what was not sealed for this principal and this very call, or has ended."""
        found = _STATE.fullmatch(text)
        if not found:
            return None
        approval_id, until, mac = found.groups()
        due = _mac(self._key, "state", principal, connection, digest, approval_id, until)
        good = hmac.compare_digest(mac, due)
        return approval_id if good and self._clock() <= int(until) else None


class TaskSeal:
    """Makes and opens ids of tasks. Parameters as of StateSeal."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = _derived(key)
        self._clock = clock

    def make(self, approval_id: str, principal: Principal, connection: str, seconds: int) -> OpenedTask:
        """A new task that can be asked about for `seconds`."""
        created = int(self._clock())
        until = created + seconds
        mac = _mac(self._key, "task", principal, connection, approval_id, str(created), str(until))
        return OpenedTask(f"sgt1.{_named(approval_id)}.{created}.{until}.{mac}", approval_id, created, until)

    def open(self, text: str, principal: Principal, connection: str) -> OpenedTask | None:
        """The task; None for what was not made for this principal on this connection, or has ended."""
        found = TASK_FORM.fullmatch(text)
        if not found:
            return None
        approval_id, created, until, mac = found.groups()
        due = _mac(self._key, "task", principal, connection, approval_id, created, until)
        good = hmac.compare_digest(mac, due)
        if not good or self._clock() > int(until):
            return None
        return OpenedTask(text, approval_id, int(created), int(until))


def opened_state(body: bytes) -> str | None:
    """The `requestState` of a request where it has the form of ours; whose it is, `StateSeal.open` says."""
    if not _may_hold(body, b"sgw1."):
        return None
    text = text_in(params_of(body), "requestState")
    return text if text is not None and _STATE.fullmatch(text) else None


def asked_task(body: bytes) -> str | None:
    """The `taskId` of a request about a task where it has the form of ours; whose it is, `TaskSeal.open` says."""
    if not _may_hold(body, b"sgt1."):
        return None
    text = text_in(params_of(body), "taskId")
    ours = text is not None and TASK_FORM.fullmatch(text) and look(body).method.startswith("tasks/")
    return text if ours else None


def _may_hold(body: bytes, start: bytes) -> bool:
    """Whether a text can begin so somewhere in it; a quick no, as every request is asked."""
    return start in body or b"\\u00" in body


def _named(approval_id: str) -> str:
    if not re.fullmatch(_ID, approval_id):
        raise ValueError(f"{approval_id!r} is no approval's id")
    return approval_id


def _derived(key: bytes) -> bytes:
    return hmac.digest(key, b"sluicegate waiting", "sha256")


def _mac(key: bytes, purpose: str, principal: Principal, *said: str) -> str:
    text = json.dumps([purpose, principal.issuer, principal.subject, *said]).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")[:16]).decode().rstrip("=")
