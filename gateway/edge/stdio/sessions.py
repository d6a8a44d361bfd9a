"""The eras with a handshake (2024-11-05 … 2025-11-25): one program for one `Mcp-Session-Id`.

Source: Model Context Protocol 2025-11-25, "Transports", Streamable HTTP.
"""

import asyncio
import uuid
from collections.abc import Callable

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.stdio import events, posts
from gateway.edge.stdio.conversation import Asked, Conversation
from gateway.edge.stdio.events import KeptEvents, Place
from gateway.edge.stdio.posts import INVALID_REQUEST, NotTakenError, Post
from gateway.edge.stdio.programs import Programs
from gateway.edge.stdio.replies import Reply, said
from gateway.effects import Broken, Forward, Gone
from gateway.frames.headers import Headers, first
from gateway.frames.jsonrpc import Look, error_body
from gateway.settings import Connection

PING_SECONDS = 30.0
CANCEL_SECONDS = 1.0  # for an answer that is already on its way
REQUEST_CANCELLED = -32800  # as the official SDK's server answers what was cancelled
IN_FLIGHT_MAX = 256
_GET_STREAM = 0
_INITIALIZE = "initialize"
_DELETED = Broken("upstream_failed", "upstream_broke", "the client ended its session")
_NEVER_OPENED = Broken("upstream_failed", "upstream_broke", "its session was never opened")


class Session(Conversation):
    """A client's session with its program. Its events have ids, and the last ones can be had again."""

    def __init__(self, connection: Connection, on_over: Callable[[Conversation], None]) -> None:
        super().__init__(connection.name, on_over)
        self.id = uuid.uuid4().hex
        self._kept = KeptEvents()
        self._listening: Reply | None = None
        self._delivered = 0
        self._ping_seconds = min(PING_SECONDS, connection.timeouts.idle_seconds / 3)

    @property
    def header(self) -> Headers:
        """What names the session in an answer."""
        return [(b"mcp-session-id", self.id.encode("ascii"))]

    @property
    def busy(self) -> bool:
        return self._listening is not None or super().busy

    def accept(self, post: Post) -> Asked:
        """Expects the answer to `post`. Raises NotTakenError or UpstreamBrokenError."""
        if not post.ids.isdisjoint(self._asked):
            raise NotTakenError(400, INVALID_REQUEST, "a request with this id is still without an answer")
        if len(self._asked) >= IN_FLIGHT_MAX:
            text = f"{IN_FLIGHT_MAX} requests of this session are without an answer"
            raise UpstreamBrokenError(Broken("upstream_failed", "overloaded", text, sent=False))
        return self.expect(post)

    def listen(self, last_event_id: str) -> Reply:
        """The stream of a GET: what the program says of itself, or the rest of a broken stream."""
        place = events.place(last_event_id)
        if place is not None and place.stream != _GET_STREAM:
            return self._resume(place)
        if self._listening is not None:
            raise NotTakenError(409, INVALID_REQUEST, "the session has a GET stream already")
        self._listening = Reply(self, self._ping_seconds)
        self._replay(self._listening, Place(_GET_STREAM, place.number if place else self._delivered))
        self._delivered = self._kept.newest
        return self._listening

    def cancel(self, key: str) -> None:
        """The client does not want this answer. Many programs then give none, but its POST must end."""
        asked = self._asked.get(key)
        if asked is not None and asked.request_id and asked.method != _INITIALIZE:
            asyncio.get_running_loop().call_later(CANCEL_SECONDS, self._cancelled, asked)

    def end(self, fact: Broken) -> None:
        """Ends the session; its GET stream ends properly."""
        if self._listening is not None:
            self._listening.close()
        self.over(fact)

    # -- Conversation

    def event(self, asked: Asked, line: bytes) -> bytes:
        return self._kept.add(asked.stream, line)

    def head(self, asked: Asked, answer: Look | None) -> tuple[int, Headers]:
        if asked.method == _INITIALIZE and answer is not None and answer.kind == "error":
            asyncio.get_running_loop().call_soon(self.end, _NEVER_OPENED)
            return 200, []
        return 200, self.header

    def candidates(self) -> list[Asked]:
        return [asked for asked in set(self._asked.values()) if asked.reply is not None or asked.opened]

    def stray(self, line: bytes, said: Look) -> None:
        if said.kind in ("response", "error"):
            self.dropped("unclaimed")
            return
        forgotten = self._kept.forgotten
        block = self._kept.add(_GET_STREAM, line)
        if self._listening is not None:
            self._delivered = self._kept.newest
            self._listening.send(block)
        elif self._kept.forgotten > forgotten:
            self.dropped("kept_too_long")

    def left(self, reply: Reply) -> None:
        self.used = asyncio.get_running_loop().time()
        if reply is self._listening:
            self._listening = None
        asked = self.asked_by(reply)
        if asked is not None:
            asked.reply = None  # leaving is no cancellation in these eras
            if asked.method == _INITIALIZE:
                self.end(_NEVER_OPENED)

    def over(self, fact: Broken) -> None:
        if self._listening is not None:
            self._listening.broke(fact)
        super().over(fact)

    def _resume(self, place: Place) -> Reply:
        asked = next((asked for asked in self._asked.values() if asked.stream == place.stream), None)
        reply = Reply(self)
        self._replay(reply, place)
        if asked is None:
            reply.close()
            return reply
        before, asked.reply = asked.reply, reply
        if before is not None:
            before.fail(Gone())  # its connection is broken, or the client would not have come back
        return reply

    def _replay(self, reply: Reply, place: Place) -> None:
        reply.open(self.header)
        for block in self._kept.after(place):
            reply.send(block)

    def _cancelled(self, asked: Asked) -> None:
        if self._asked.get(next(iter(asked.ids), "")) is not asked:
            return
        self.forget(asked)
        asked.ids.clear()
        line = error_body(asked.request_id, REQUEST_CANCELLED, "the client cancelled the request")
        self._deliver(asked, line, Look(kind="error", id=asked.request_id))


class Sessions:
    """All sessions of a connection."""

    def __init__(self, connection: Connection, programs: Programs) -> None:
        self._connection = connection
        self._programs = programs
        self._sessions: dict[str, Session] = {}

    async def ask(self, request: Forward) -> Reply:
        """Answers one HTTP request. Raises NotTakenError or UpstreamBrokenError."""
        match request.method:
            case "POST":
                return await self._post(request)
            case "GET":
                if not posts.accepts(request.headers, b"text/event-stream"):
                    raise NotTakenError(406, INVALID_REQUEST, "Accept must cover text/event-stream")
                last_event_id = first(request.headers, b"last-event-id").decode("latin-1")
                return self._session(request).listen(last_event_id)
            case "DELETE":
                session = self._session(request)
                session.end(_DELETED)
                return said(200, session.header)
        allow = [(b"allow", b"GET, POST, DELETE")]
        raise NotTakenError(405, INVALID_REQUEST, "method not allowed", allow)

    async def _post(self, request: Forward) -> Reply:
        post = posts.read(request)
        if post.opens_session:
            return await self._open(post)
        session = self._session(request)
        if post.ids:
            return await session.ask(session.accept(post), post)
        await session.tell(post)
        if post.cancels:
            session.cancel(post.cancels)
        return said(202, session.header)

    async def _open(self, post: Post) -> Reply:
        session = Session(self._connection, self._over)
        asked = session.accept(post)
        await self._programs.run(session)
        self._sessions[session.id] = session
        try:
            return await session.ask(asked, post)
        except BaseException:  # also when its caller is stopped while it waits
            session.end(_NEVER_OPENED)
            raise

    def _session(self, request: Forward) -> Session:
        session_id = first(request.headers, b"mcp-session-id").decode("latin-1")
        if not session_id:
            raise NotTakenError(400, INVALID_REQUEST, "the Mcp-Session-Id header is missing")
        session = self._sessions.get(session_id)
        if session is None or not session.usable:
            raise NotTakenError(404, INVALID_REQUEST, "no such session; it may have ended: initialize anew")
        return session

    def _over(self, session: Conversation) -> None:
        if isinstance(session, Session):
            self._sessions.pop(session.id, None)
        self._programs.end(session.program)
