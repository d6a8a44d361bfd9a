"""What goes on between clients and one program: who has asked what, and whose line is whose.

An answer goes to the request with its id. A notification or request of the program says for whom it is only by a
progress token or a subscription id; without one it belongs to the request in flight when there is just one. The
eras differ in what else may be done with it: see `sessions.py` and `stateless.py`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.edge.stdio import posts
from gateway.edge.stdio.metrics import METRICS
from gateway.edge.stdio.posts import Post
from gateway.edge.stdio.program import Program
from gateway.edge.stdio.replies import Reply
from gateway.effects import Broken
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import NOTHING, Look, TooDeepError, look

log = structlog.get_logger("gateway.stdio")


@dataclass(eq=False, slots=True)
class Asked:
    """Requests of one POST, without their bodies: they may wait for long.

    `ids` are still without an answer; `request_id` is the literal of a single request, '' for a batch; `reply` is
    None when its client has left; `opened` tells whether its event stream has begun.
    """

    stream: int
    request_id: str
    method: str
    token: str
    reply: Reply | None
    ids: set[str]
    opened: bool = False


class Conversation(ABC):
    """One program and what its clients wait for. The eras derive from it and say what their rules are."""

    def __init__(self, connection: str, on_over: Callable[["Conversation"], None]) -> None:
        self._connection = connection
        self._on_over = on_over
        self._asked: dict[str, Asked] = {}
        self._streams = 0
        self._program: Program | None = None
        self.used = asyncio.get_running_loop().time()
        self.over_with: Broken | None = None

    # -- what an era says

    @abstractmethod
    def event(self, asked: Asked, line: bytes) -> bytes:
        """`line` as an event of the stream of `asked`."""

    @abstractmethod
    def head(self, asked: Asked, answer: Look | None) -> tuple[int, Headers]:
        """Status and headers of the HTTP answer; `answer` is the last message, None before an event stream."""

    @abstractmethod
    def candidates(self) -> list[Asked]:
        """The requests that a message without an address may belong to; it does when there is exactly one."""

    @abstractmethod
    def stray(self, line: bytes, said: Look) -> None:
        """A message of the program that belongs to no request in flight."""

    @abstractmethod
    def left(self, reply: Reply) -> None:
        """The client of `reply` reads no more."""

    # -- what clients do

    def take(self, program: Program) -> None:
        """The program this is about; it is about to be started."""
        self._program = program

    @property
    def program(self) -> Program:
        """The program. Raises RuntimeError before there is one."""
        if self._program is None:
            raise RuntimeError("a conversation needs a program first")
        return self._program

    @property
    def usable(self) -> bool:
        """Whether more may be asked: its program is yet to start, or runs."""
        return self.over_with is None and (self._program is None or not self._program.ended)

    @property
    def busy(self) -> bool:
        """Whether any client waits for it or listens to it."""
        return any(asked.reply is not None for asked in self._asked.values())

    def expect(self, post: Post) -> Asked:
        """Notes down what is about to be asked, so that its ids are taken from now on."""
        self._streams += 1
        request_id = post.look.id if post.look.kind == "request" else ""
        reply = Reply(self, self.ping_seconds(post))
        asked = Asked(self._streams, request_id, post.look.method, post.token, reply, set(post.ids))
        self._asked |= dict.fromkeys(post.ids, asked)
        return asked

    def ping_seconds(self, post: Post) -> float:
        """How often a comment shows that a silent stream lives; 0 for never."""
        del post
        return 0.0

    async def ask(self, asked: Asked, post: Post) -> Reply:
        """Gives the program the request. Raises UpstreamBrokenError, then nothing is expected any more."""
        reply = asked.reply
        try:
            await self.tell(post)
        except BaseException:
            self.forget(asked)
            raise
        return reply or Reply()

    async def tell(self, post: Post) -> None:
        """Gives the program a message that needs no answer. Raises UpstreamBrokenError."""
        self.used = asyncio.get_running_loop().time()
        await self.program.write(post.line)

    def forget(self, asked: Asked) -> None:
        """Nothing is expected for it any more."""
        for key in asked.ids:
            if self._asked.get(key) is asked:
                del self._asked[key]

    def asked_by(self, reply: Reply) -> Asked | None:
        """What `reply` answers, None when that was answered in full."""
        return next((asked for asked in self._asked.values() if asked.reply is reply), None)

    # -- Owner of replies

    def pressed(self, reply: Reply, full: bool) -> None:
        """A slow client: the program is not read until it has caught up."""
        if self._program is not None:
            self._program.press(reply, full)

    # -- Listener of the program

    def line(self, line: bytes) -> None:
        """One line of the program."""
        self.used = asyncio.get_running_loop().time()
        said = _look(line)
        if said.kind == "none":
            log.warning(
                "line_dropped", connection=self._connection, line_bytes=len(line), reason="not_json_rpc"
            )
            self.dropped("not_json_rpc")
        elif answers := [m for m in said.members or (said,) if m.kind in ("response", "error")]:
            self._answer(line, said, answers)
        elif (asked := self._addressee(line)) is not None:
            self._deliver(asked, line, None)
        else:
            self.stray(line, said)

    def over(self, fact: Broken) -> None:
        """The program has ended, or is about to be: so has every wait on it. The first fact counts."""
        if self.over_with is not None:
            return
        self.over_with = fact
        for asked in set(self._asked.values()):
            if asked.reply is not None:
                asked.reply.broke(fact)
        self._asked.clear()
        self._on_over(self)

    def dropped(self, reason: str) -> None:
        """A line reached no client."""
        METRICS.dropped.labels(self._connection, reason).inc()

    def _answer(self, line: bytes, said: Look, answers: list[Look]) -> None:
        keys = {posts.id_key(answer.id) for answer in answers}
        asked = next((self._asked[key] for key in keys if key in self._asked), None)
        if asked is None and keys <= {"", "null"}:  # an error about what it could not read
            asked = self._only()
            keys = asked.ids if asked else keys
        if asked is None:
            self.stray(line, said)
            return
        for key in keys & asked.ids:
            del self._asked[key]
        asked.ids -= keys
        self._deliver(asked, line, None if asked.ids else said)

    def _addressee(self, line: bytes) -> Asked | None:
        if key := posts.subscription(line):
            return self._asked.get(key)
        if token := posts.progress_token(line):
            return next((asked for asked in self._asked.values() if asked.token == token), None)
        return self._only()

    def _only(self) -> Asked | None:
        candidates = self.candidates()
        return candidates[0] if len(candidates) == 1 else None

    def _deliver(self, asked: Asked, line: bytes, answer: Look | None) -> None:
        """Gives a message to who has asked; with `answer` it is the last one."""
        if answer is not None and not asked.opened:
            if asked.reply is not None:
                asked.reply.whole(*self.head(asked, answer), line)
            else:
                self.dropped("client_gone")
            return
        if not asked.opened and asked.reply is not None:
            asked.opened = True
            asked.reply.open(self.head(asked, None)[1])
        block = self.event(asked, line)
        if asked.reply is not None:
            asked.reply.send(block)
            if answer is not None:
                asked.reply.close()


def _look(line: bytes) -> Look:
    try:
        return look(line)
    except TooDeepError:
        return NOTHING
