"""Server-sent events kept for a while, so that a client of the session era can resume a broken stream."""

from collections import OrderedDict
from typing import Final

from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.types import JSONRPCMessage

EVENTS_MAX: Final = 2_000


class RecentEvents(EventStore):
    """The last `events_max` events of all streams, in memory; ids count up from 1."""

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self._events: OrderedDict[EventId, tuple[StreamId, JSONRPCMessage | None]] = OrderedDict()
        self._events_max = events_max
        self._last_id = 0

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        """Keep one event (`None` is the empty one that opens a stream) and give it its id."""
        self._last_id += 1
        self._events[str(self._last_id)] = (stream_id, message)
        if len(self._events) > self._events_max:
            self._events.popitem(last=False)
        return str(self._last_id)

    async def replay_events_after(
        self, last_event_id: EventId, send_callback: EventCallback
    ) -> StreamId | None:
        """Send what came after `last_event_id` on its stream; None when that event is not kept any more."""
        if last_event_id not in self._events:
            return None
        stream_id, _ = self._events[last_event_id]
        for event_id, (its_stream, message) in list(self._events.items()):
            if its_stream == stream_id and message is not None and int(event_id) > int(last_event_id):
                await send_callback(EventMessage(message, event_id))
        return stream_id
