"""The witness as a server: POST /add-checkpoint, and /healthz."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from processors.checkpoints.witness.book import WitnessBook
from processors.checkpoints.witness.submission import (
    SUBMISSION_BYTES_MAX,
    TEXT,
    Answer,
    Submission,
    cosigned,
    open_submission,
)
from schemas.notes import NoteError, NoteKey, VerifierKey, open_key

log = structlog.get_logger(__name__)

READ_SECONDS = 10.0
CONNECTIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """A witness of name `name` with a seed of 32 bytes, for the logs whose vkeys are `logs`."""

    folder: Path
    name: str
    seed: bytes = field(repr=False)
    logs: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 0


class Witness:
    """Answers submissions one after the other. Raises NoteError for a name or a key that is none."""

    def __init__(
        self, settings: WitnessSettings, book: WitnessBook, now: Callable[[], float] = time.time
    ) -> None:
        self.key = NoteKey(settings.name, settings.seed)
        self._logs = by_origin(settings.logs)
        self._book = book
        self._now = now
        self._one = asyncio.Lock()

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/add-checkpoint", self._add, methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
            ]
        )

    async def _add(self, request: Request) -> Response:
        try:
            asked = open_submission(await _body(request))
        except NoteError as error:
            return Response(f"{error}\n", 400, media_type=TEXT)
        except TimeoutError:
            return Response("the submission did not come in time\n", 408, media_type=TEXT)
        async with self._one:
            answer = await asyncio.to_thread(self._answer, asked)
        log.info("submission", origin=asked.head.origin, size=asked.head.size, status=answer.status)
        return Response(answer.body, answer.status, media_type=answer.media_type)

    def _answer(self, asked: Submission) -> Answer:
        """The tree is on disk before its cosignature leaves."""
        origin = asked.head.origin
        answer = cosigned(asked, self._book.seen(origin), self._logs, self.key, int(self._now()))
        if answer.seen is not None:
            self._book.see(origin, answer.seen)
        return answer

    async def _health(self, _request: Request) -> Response:
        return Response("ok\n", media_type=TEXT)


def by_origin(vkeys: Iterable[str]) -> dict[str, list[VerifierKey]]:
    """The keys of the logs: the name of a key is the log's. Raises NoteError."""
    found: dict[str, list[VerifierKey]] = {}
    for vkey in vkeys:
        key = open_key(vkey)
        found.setdefault(key.name, []).append(key)
    return found


async def serve(settings: WitnessSettings, started: Callable[[Witness, int], None]) -> None:
    """Run until SIGTERM or SIGINT; `started` is told the port. Raises OSError, ValueError (and NoteError)."""
    with WitnessBook(settings.folder) as book:
        witness = Witness(settings, book)
        config = uvicorn.Config(
            witness.app(),
            log_config=None,
            access_log=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=5,
            server_header=False,
        )
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.create_server((settings.host, settings.port), family=family) as listening:
            started(witness, int(listening.getsockname()[1]))
            await uvicorn.Server(config).serve(sockets=[listening])


async def _body(request: Request) -> bytes:
    """At most so many bytes within some seconds. Raises NoteError and TimeoutError."""
    found = bytearray()
    async with asyncio.timeout(READ_SECONDS):
        async for chunk in request.stream():
            found += chunk
            if len(found) > SUBMISSION_BYTES_MAX:
                raise NoteError(f"a submission has at most {SUBMISSION_BYTES_MAX} bytes")
    return bytes(found)
