"""What the pages of a session read: within the viewer's scope, and as absent where it lies outside."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from console.web.pages.search import utc
from console.web.site import Site
from console.web.viewer import Viewer
from sinks.readers import (
    ApprovalFilter,
    Exchange,
    Finding,
    FindingFilter,
    Frame,
    FrameDetail,
    FrameFilter,
    Session,
    StoredApproval,
)

RELATED_MAX = 100
EVIDENCE_MAX = 8  # frames that are looked up for it
DAY = timedelta(days=1)


class Trail:
    """Reads for viewers. Every method that names one thing raises Refusal 404 where the viewer may not see it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.reader = site.reader

    async def session(self, viewer: Viewer, session_id: str) -> Session:
        """One session."""
        found = await self.reader.session(session_id) if is_id(session_id) else None
        if found is None or not viewer.sees(found["connection"]):
            await self._site.absent(viewer, "session", session_id, exists=found is not None)
        return found

    async def exchange(
        self, viewer: Viewer, exchange_id: str, limit: int, session_id: str = ""
    ) -> list[Frame]:
        """The first frames of an exchange, at least one; of this session, where one is named."""
        frames: Sequence[Frame] = ()
        if is_id(exchange_id) and (not session_id or is_id(session_id)):
            frames = await self.reader.frames(FrameFilter(exchange=exchange_id), limit)
        ours = not session_id or any(frame["session_id"] == session_id for frame in frames)
        if not frames or not ours or not viewer.sees(frames[0]["connection"]):
            await self._site.absent(viewer, "exchange", exchange_id, exists=bool(frames))
        return list(frames)

    async def frame(self, viewer: Viewer, frame_id: str) -> FrameDetail:
        """One frame, with its headers and digests."""
        found = await self.reader.frame(frame_id) if is_id(frame_id) else None
        if found is None or not viewer.sees(found["connection"]):
            await self._site.absent(viewer, "frame", frame_id, exists=found is not None)
        return found

    async def exchanges(self, viewer: Viewer, session_id: str, limit: int, after: str) -> list[Exchange]:
        """Those of a session in order, after one of them."""
        known = after if is_id(after) else ""
        return list(await self.reader.session_exchanges(session_id, limit, known, viewer.connections))

    async def findings(self, viewer: Viewer, session: Session) -> list[Finding]:
        """Findings about a session."""
        wanted = FindingFilter(session=session["session_id"], connections=viewer.connections)
        return list(await self.reader.findings(wanted, RELATED_MAX))

    async def named(
        self, viewer: Viewer, findings: Sequence[Finding], known: Mapping[str, Sequence[Frame]]
    ) -> set[str]:
        """The exchanges that findings name as evidence, by their ids or by those of frames; `known` are frames at
        hand by exchange, and of others a few are looked up."""
        evidence = [name for finding in findings for name in finding["evidence"]]
        exchanges = {name.removeprefix("exchange ") for name in evidence}
        frames = {name.removeprefix("frame ") for name in evidence if is_id(name.removeprefix("frame "))}
        for exchange, rows in known.items():
            if here := frames & {row["frame_id"] for row in rows}:
                exchanges.add(exchange)
                frames -= here
        asked = [self.reader.frame(frame, viewer.connections) for frame in sorted(frames)[:EVIDENCE_MAX]]
        return exchanges | {row["exchange_id"] for row in await gather(*asked) if row}

    async def approvals(self, viewer: Viewer, session: Session) -> list[StoredApproval]:
        """Approvals that were asked for in a session."""
        since = utc(datetime.fromisoformat(session["started_at"]) - DAY)
        wanted = ApprovalFilter(session=session["session_id"], since=since, connections=viewer.connections)
        return list(await self.reader.approvals(wanted, RELATED_MAX))


def is_id(text: str) -> bool:
    """Whether this is written as ids are."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
