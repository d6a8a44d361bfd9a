"""What upstream lists of its tools, held against what was pinned; changes go to every replica and to a person."""

import time

import structlog

from gateway.edge.announce import Announcer, stamp
from gateway.edge.background import Background
from gateway.tools import PinChange, ToolBook, findings_of, tools_in

log = structlog.get_logger("pinning")


class Pinning:
    """The tools of one connection. A change counts here at once; what cannot be announced is found again."""

    def __init__(self, book: ToolBook, announcer: Announcer, background: Background) -> None:
        self.book = book
        self._announcer = announcer
        self._background = background

    def listed(self, raw: bytes, event: bool) -> None:
        """Upstream has listed tools in this masked body, or block of a stream."""
        changes = self.book.take(tools_in(raw, event=event), time.time_ns() // 1_000)
        for change in changes:
            if not self._background.run(self._announce(change)):
                self.book.forget([change])

    async def _announce(self, change: PinChange) -> None:
        now = stamp()
        record = change.record(now)
        told = [await self._announcer.control(record["target"], record)]
        told += [await self._announcer.finding(finding) for finding in findings_of(change, now.at)]
        if not all(told):
            log.warning("pin_not_announced", tool=change.tool, kind=change.kind)
            self.book.forget([change])
