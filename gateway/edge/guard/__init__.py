"""The outermost guard: every byte of a client passes here before an HTTP parser sees it.

    bytes ─▶ follower.py ─┬▶ heads.py   a request's head, accepted only by the strict grammar of RFC 9112
                          ├▶ upgrades.py  which other protocol it wants to change to, asked for in the one right way
                          ├▶ lines.py   why a head was not accepted
                          └▶ chunks.py  where a chunked body ends
          ─▶ protocol.py  hands one whole request after the other to uvicorn, in order, or refuses
             handover.py  a connection that becomes a WebSocket's: from then on its bytes are frames (`edge.sockets`)
             pace.py      how slowly a client may send and read
          ─▶ door.py      who may come in while many are, and where a refusal is recorded

A parser that is lenient in one place lets two readers of the same bytes see two different requests. So nothing is
mended here and nothing guessed: what the grammar does not say in one way only is refused, with its record, and
the connection ends.
"""

from gateway.edge.guard.door import AtTheDoor, Door, DoorLimits
from gateway.edge.guard.faults import FAULTS, DoorRefusal, FaultError
from gateway.edge.guard.files import allow_open_files
from gateway.edge.guard.handover import EXTENSION, Handover
from gateway.edge.guard.protocol import GuardedHttpProtocol
from gateway.edge.guard.upgrades import SPDY, WEBSOCKET

__all__ = [
    "EXTENSION",
    "FAULTS",
    "SPDY",
    "WEBSOCKET",
    "AtTheDoor",
    "Door",
    "DoorLimits",
    "DoorRefusal",
    "FaultError",
    "GuardedHttpProtocol",
    "Handover",
    "allow_open_files",
]
