"""The era without a handshake (from 2026-07-28): programs by our session id, every request for itself.

Ids are a client's own, and several clients may be one session to us. They share a program, so that what one of
them changes another sees; but where an id or progress token is taken, the request goes to another program, since
bodies are never re-written and answers must never cross.

Source: Model Context Protocol 2026-07-28, "Transports" and "Cancellation".
"""

import asyncio
from collections.abc import Callable

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.stdio import posts
from gateway.edge.stdio.conversation import Asked, Conversation
from gateway.edge.stdio.events import plain_event
from gateway.edge.stdio.posts import INVALID_REQUEST, NotTakenError, Post
from gateway.edge.stdio.programs import Programs
from gateway.edge.stdio.replies import Reply, said
from gateway.effects import Broken, Forward
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look
from gateway.settings import Connection

PING_SECONDS = 30.0
CANCELLED_MAX = 256
INVALID_PARAMS = -32602
_LISTEN = "subscriptions/listen"
_NOT_FOUND = -32601
_BAD_REQUEST = frozenset({-32700, -32600, INVALID_PARAMS, -32020, -32021, -32022})
_SPARED = Broken("upstream_failed", "upstream_broke", "its program was ended for another session")


class Shared(Conversation):
    """A program that requests of one session share. Cancelled ones may still be answered: their ids stay taken."""

    def __init__(self, connection: Connection, key: str, on_over: Callable[[Conversation], None]) -> None:
        super().__init__(connection.name, on_over)
        self.key = key
        self.starting: asyncio.Task[None] | None = None
        self._cancelled: dict[str, Asked] = {}
        self._ping_seconds = min(PING_SECONDS, connection.timeouts.idle_seconds / 3)

    def ping_seconds(self, post: Post) -> float:
        return self._ping_seconds if post.look.method == _LISTEN else 0.0

    def takes(self, post: Post) -> bool:
        """Whether `post` may be asked here without being mistaken for another."""
        if not self.usable or len(self._cancelled) >= CANCELLED_MAX:
            return False
        if self._program is not None and self._program.stalled:
            return False
        known = self._asked | self._cancelled
        tokens = {asked.token for asked in known.values()} - {""}
        return post.ids.isdisjoint(known) and post.token not in tokens

    @property
    def started(self) -> bool:
        """Whether its program runs."""
        return self.usable and self.starting is not None and self.starting.done()

    @property
    def spent(self) -> bool:
        """Whether nobody waits for it and ids are lost to it for good."""
        return not self.busy and bool(self._cancelled)

    # -- Conversation

    def event(self, asked: Asked, line: bytes) -> bytes:
        del asked
        return plain_event(line)

    def head(self, asked: Asked, answer: Look | None) -> tuple[int, Headers]:
        del asked
        code = answer.error_code if answer else None
        if code == _NOT_FOUND:
            return 404, []
        return (400 if code in _BAD_REQUEST else 200), []

    def candidates(self) -> list[Asked]:
        if any(asked.method != _LISTEN for asked in self._cancelled.values()):
            return []  # it might be about one that its client has given up
        return [asked for asked in set(self._asked.values()) if asked.method != _LISTEN]

    def stray(self, line: bytes, said: Look) -> None:
        del line
        known = said.kind in ("response", "error") and posts.id_key(said.id) in self._cancelled
        if known:
            del self._cancelled[posts.id_key(said.id)]
        self.dropped("cancelled" if known else "no_addressee")

    def left(self, reply: Reply) -> None:
        self.used = asyncio.get_running_loop().time()
        asked = self.asked_by(reply)
        if asked is None:
            return
        asked.reply = None
        self.forget(asked)
        self._cancelled |= dict.fromkeys(asked.ids, asked)
        self.program.tell(_cancellation(asked.request_id))


class Stateless:
    """All programs of a connection that serve requests without a handshake."""

    def __init__(self, connection: Connection, programs: Programs) -> None:
        self._connection = connection
        self._programs = programs
        self._shared: dict[str, list[Shared]] = {}

    async def ask(self, request: Forward) -> Reply:
        """Answers one HTTP request. Raises NotTakenError or UpstreamBrokenError."""
        if request.method != "POST":
            raise NotTakenError(405, INVALID_REQUEST, "method not allowed", [(b"allow", b"POST")])
        post = posts.read(request)
        if post.look.kind not in ("request", "notification"):
            raise NotTakenError(400, INVALID_REQUEST, "the body must be one request or notification")
        if post.look.kind == "notification":
            return await self._tell(request.session_id, post)
        if post.look.method == "initialize":  # it would open the other era in a program that several share
            raise NotTakenError(404, _NOT_FOUND, "this revision has no initialize")
        if post.look.meta_version is None:
            raise NotTakenError(400, INVALID_PARAMS, "params._meta lacks the protocol version")
        return await self._ask(request.session_id, post)

    def spare(self) -> bool:
        """Ends the program that nobody has used for the longest time; False when all are in use."""
        idle = [one for group in self._shared.values() for one in group if not one.busy and one.usable]
        if not idle:
            return False
        min(idle, key=lambda one: one.used).over(_SPARED)
        return True

    async def _ask(self, key: str, post: Post) -> Reply:
        shared = self._pick(key, post)
        asked = shared.expect(post)  # before any wait: nobody else may take the id
        try:
            if shared.starting is None:
                shared.starting = asyncio.create_task(self._programs.run(shared))
            await asyncio.shield(shared.starting)
        except BaseException as exc:
            shared.forget(asked)
            if isinstance(exc, UpstreamBrokenError):
                self._drop(shared)
            raise
        return await shared.ask(asked, post)

    async def _tell(self, key: str, post: Post) -> Reply:
        """The era has no notification of clients; one that a program may know goes to it, if there is one."""
        running = [one for one in self._shared.get(key, []) if one.started]
        if running and not post.cancels:  # whoever cancels closes the stream: an id alone may be another's
            await running[0].tell(post)
        return said(202)

    def _pick(self, key: str, post: Post) -> Shared:
        group = self._shared.setdefault(key, [])
        for shared in group:
            if shared.takes(post):
                return shared
        for shared in [one for one in group if one.spent]:
            shared.over(_SPARED)
        shared = Shared(self._connection, key, self._over)
        self._shared.setdefault(key, []).append(shared)
        return shared

    def _over(self, shared: Conversation) -> None:
        if isinstance(shared, Shared):
            self._drop(shared)
        self._programs.end(shared.program)

    def _drop(self, shared: Shared) -> None:
        group = self._shared.get(shared.key, [])
        if shared in group:
            group.remove(shared)
        if not group:
            self._shared.pop(shared.key, None)


def _cancellation(request_id: str) -> bytes:
    """What tells a program that the answer to `request_id` (a JSON literal) is not wanted any more."""
    return (
        b'{"jsonrpc":"2.0","method":"notifications/cancelled",'
        b'"params":{"requestId":%b,"reason":"the client closed the stream"}}\n' % request_id.encode()
    )
