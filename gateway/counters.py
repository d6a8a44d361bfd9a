"""What this process has seen of each session, for rules that count."""

from collections import OrderedDict

SESSIONS_MAX = 10_000


class SessionCounters:
    """Calls and refusals by session; the sessions that were quiet longest are forgotten first."""

    def __init__(self, sessions_max: int = SESSIONS_MAX) -> None:
        self._sessions_max = sessions_max
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def of(self, session_id: str) -> tuple[int, int]:
        """(calls, of which refused) so far."""
        return self._seen.get(session_id, (0, 0))

    def count(self, session_id: str, *, refused: bool) -> None:
        """One more call."""
        calls, denied = self._seen.get(session_id, (0, 0))
        self._seen[session_id] = (calls + 1, denied + refused)
        self._seen.move_to_end(session_id)
        if len(self._seen) > self._sessions_max:
            self._seen.popitem(last=False)
