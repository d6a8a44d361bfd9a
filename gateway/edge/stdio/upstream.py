"""The upstream behind a `command`: programs over stdio, asked as an HTTP upstream is."""

import re

from gateway.edge.stdio import posts
from gateway.edge.stdio.posts import NotTakenError
from gateway.edge.stdio.programs import Programs
from gateway.edge.stdio.replies import Reply, refused
from gateway.edge.stdio.sessions import Sessions
from gateway.edge.stdio.stateless import Stateless
from gateway.edge.upstream import Answering
from gateway.effects import Forward
from gateway.frames.headers import first
from gateway.frames.modern import is_modern
from gateway.settings import Connection

_REVISION = re.compile(r"\d{4}-\d{2}-\d{2}")


class StdioUpstream:
    """Programs of one connection, in both eras; the request's MCP-Protocol-Version tells which one it is of."""

    def __init__(self, connection: Connection) -> None:
        if not connection.command:
            raise ValueError(f"connection {connection.name} has no command")
        self._programs = Programs(connection, self._spare)
        self._sessions = Sessions(connection, self._programs)
        self._stateless = Stateless(connection, self._programs)

    async def ask(self, request: Forward) -> Reply:
        """Hands a request over; its answer is awaited on what is returned. Raises UpstreamBrokenError."""
        version = first(request.headers, b"mcp-protocol-version").decode("latin-1").strip()
        try:
            if _has_no_handshake(version):
                return await self._stateless.ask(request)
            return await self._sessions.ask(request)
        except NotTakenError as exc:
            return refused(exc.status, exc.code, str(exc), exc.headers, posts.request_id(request.body))

    def done(self, answering: Answering) -> None:
        """Nobody reads the answer any more."""
        if isinstance(answering, Reply):
            answering.leave()

    async def close(self) -> None:
        """Ends every program; returns when they are gone."""
        await self._programs.close()

    def _spare(self) -> bool:
        return self._stateless.spare()


def _has_no_handshake(version: str) -> bool:
    """What is no revision is of the newer era, whose programs answer which ones they know."""
    return is_modern(version) or bool(version and not _REVISION.fullmatch(version))
