"""Downloads of a session: archive, JSON lines, report, a terminal's film. Each is on the record before it begins."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console.web.failures import Refusal
from console.web.headers import page_headers
from console.web.pages.replay_reading import Trail
from console.web.site import Site
from console.web.viewer import Role
from sinks.exports.asciicast import Wanted, cast
from sinks.exports.har import by_exchange, har
from sinks.exports.jsonl import json_line
from sinks.paging import every_frame
from sinks.readers import Frame, FrameFilter

ARCHIVE_BYTES_MAX = 128 * 1024 * 1024
ARCHIVE_FRAMES_MAX = 100_000
PIECE_CHARACTERS = 64 * 1024
IDLE_SECONDS = 3.0
PLAYED_CHARACTERS_MAX = 16 * 1024 * 1024  # what a page holds of a film; the file has all of it


class Exports:
    """The downloads."""

    def __init__(self, site: Site, trail: Trail) -> None:
        self._site, self._trail = site, trail

    async def har(self, request: Request) -> Response:
        """GET …/session.har."""
        wanted = await self._session(request, "export.har")
        frames, session_id = await self._all_frames(wanted), wanted.session
        pieces = _larger(har(by_exchange(frames), version=version("sluicegate")))
        return self._file(_each(pieces), f"session-{session_id}.har", "application/json")

    async def jsonl(self, request: Request) -> Response:
        """GET …/session.jsonl: of any length, frame by frame."""
        wanted = await self._session(request, "export.jsonl")
        reader, session_id = self._trail.reader, wanted.session

        async def lines() -> AsyncIterator[str]:
            async for frame in every_frame(reader, wanted):
                yield json_line(frame)

        return self._file(lines(), f"session-{session_id}.jsonl", "application/x-ndjson")

    async def pdf(self, request: Request) -> Response:
        """GET …/report.pdf: the session as a report to hand over."""
        from sinks.exports.pdf import CALLS_MAX, report  # noqa: PLC0415  # its fonts take their time to import

        site, trail = self._site, self._trail
        viewer = await site.viewer(request, Role.VIEWER)
        session = await trail.session(viewer, request.path_params["id"])
        session_id = session["session_id"]
        await site.looked(viewer, "export.pdf", session_id, exchanges=session["exchanges"])
        exchanges = await trail.exchanges(viewer, session_id, CALLS_MAX + 1, "")
        findings = await trail.findings(viewer, session)
        link = f"{site.settings.identity.public_url.rstrip('/')}/sessions/{session_id}"
        content = await to_thread(report, session, exchanges, findings, link)
        return Response(
            content, headers=self._headers(f"session-{session_id}.pdf"), media_type="application/pdf"
        )

    async def cast(self, request: Request) -> Response:
        """GET …/terminal.cast: for players as a file, for the page's own player with `play=1`."""
        site, trail = self._site, self._trail
        viewer = await site.viewer(request, Role.VIEWER)
        session_id, exchange_id = request.path_params["id"], request.path_params["exchange"]
        await trail.exchange(viewer, exchange_id, 1, session_id)
        play = request.query_params.get("play") == "1"
        await site.looked(
            viewer, "terminal.play" if play else "export.asciicast", exchange_id, session=session_id
        )
        wanted = FrameFilter(exchange=exchange_id, connections=viewer.connections)
        frames = every_frame(trail.reader, wanted)
        film = cast(frames, Wanted(typed=play, idle_seconds=None if play else IDLE_SECONDS))

        async def lines() -> AsyncIterator[str]:
            sent = 0
            async for line in film:
                sent += len(line)
                if play and sent > PLAYED_CHARACTERS_MAX:
                    return
                yield line + "\n"

        return self._file(lines(), f"terminal-{exchange_id}.cast", "application/x-asciicast")

    async def _session(self, request: Request, action: str) -> FrameFilter:
        """All frames of the session, within the viewer's scope, once that is on the record."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        session = await self._trail.session(viewer, request.path_params["id"])
        await self._site.looked(viewer, action, session["session_id"], frames=session["frames"])
        return FrameFilter(session=session["session_id"], headers=True, connections=viewer.connections)

    async def _all_frames(self, wanted: FrameFilter) -> list[Frame]:
        """An archive holds each exchange whole, so its frames are held at once. Raises Refusal for too many."""
        found: list[Frame] = []
        held = 0
        async for frame in every_frame(self._trail.reader, wanted):
            found.append(frame)
            held += len(frame["body"])
            if held > ARCHIVE_BYTES_MAX or len(found) > ARCHIVE_FRAMES_MAX:
                raise Refusal(
                    413,
                    "This session is too large for an HTTP archive",
                    f"It has more than {ARCHIVE_FRAMES_MAX:,} frames or {ARCHIVE_BYTES_MAX >> 20} MiB.",
                    "Download it as JSON lines, which have no limit.",
                )
        return found

    def _file(self, content: AsyncIterator[str], name: str, kind: str) -> Response:
        return StreamingResponse(content, headers=self._headers(name), media_type=f"{kind}; charset=utf-8")

    def _headers(self, name: str) -> dict[str, str]:
        return {**page_headers(tls=self._site.tls), "Content-Disposition": f'attachment; filename="{name}"'}


async def _each(pieces: Iterator[str]) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


def _larger(pieces: Iterator[str]) -> Iterator[str]:
    """Small pieces joined: each one that is sent has its price."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE_CHARACTERS:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
