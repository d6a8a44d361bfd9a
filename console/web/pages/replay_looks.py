"""Who looks at a session: written down once, not for each of its parts that a page asks for."""

import time
from collections import OrderedDict
from collections.abc import Callable

from console.web.site import Site
from console.web.viewer import Viewer

GOOD_SECONDS = 900.0
KEPT_MAX = 10_000


class Looks:
    """Remembers for a while which login has a view of which session on the record. The parts of that view (bodies,
    as masked) need no record of their own; exact bytes and downloads always do."""

    def __init__(self, site: Site, clock: Callable[[], float] = time.monotonic) -> None:
        self._site, self._clock = site, clock
        self._seen: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def session(self, viewer: Viewer, session_id: str) -> None:
        """A session is looked at: on the record, whatever was before. Raises Refusal."""
        await self._site.looked(viewer, "session.view", session_id)
        self._keep(viewer, session_id)

    async def part(self, viewer: Viewer, session_id: str, exchange_id: str) -> None:
        """One exchange of it is. Raises Refusal."""
        if self._seen.get(_key(viewer, session_id), 0.0) > self._clock():
            return
        await self._site.looked(viewer, "exchange.view", exchange_id, session=session_id)

    def _keep(self, viewer: Viewer, session_id: str) -> None:
        key = _key(viewer, session_id)
        self._seen[key] = self._clock() + GOOD_SECONDS
        self._seen.move_to_end(key)
        while len(self._seen) > KEPT_MAX:
            self._seen.popitem(last=False)


def _key(viewer: Viewer, session_id: str) -> tuple[str, str, str]:
    return viewer.caller.person.name, viewer.session, session_id
