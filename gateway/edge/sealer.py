"""Sealed originals, where a connection asks for them: the body before masking, under a key that is not here.

Nobody waits for them and nothing depends on them: the trail is whole without. What Kafka does not take in time, or
what there is no room for, is counted and said.
"""

from collections.abc import Mapping

import structlog

from gateway.edge.announce import Announcer
from gateway.edge.background import Background
from gateway.edge.metrics import METRICS
from gateway.edge.originals import sealed_originals
from gateway.settings import Connection
from masking.sealed import fingerprint
from schemas.kafka import KafkaAddress
from schemas.sealed import TOPIC, SealedHead

WAITING_BYTES_MAX = 64 * 1024 * 1024

log = structlog.get_logger("sealer")


class Sealer:
    """One a process. Raises SealError, when made, for a recipient that is none.

    It has a producer of its own: a large body must not come between an operator and a block.
    """

    def __init__(
        self, connections: tuple[Connection, ...], kafka: KafkaAddress, background: Background
    ) -> None:
        self._sealing = {each.name: each.sealed for each in connections if each.sealed is not None}
        for sealing in self._sealing.values():
            fingerprint(sealing.recipient)  # raises now rather than at the first secret
        self._announcer = Announcer(kafka, topics=(TOPIC,))
        self._background = background
        self._waiting_bytes = 0

    def start(self) -> None:
        """Begins to reach for Kafka, where any connection keeps originals."""
        if self._sealing:
            self._announcer.start()

    async def stop(self) -> None:
        """Sends no more."""
        await self._announcer.stop()

    def keep(self, fields: Mapping[str, object], original: bytes) -> None:
        """Seals `original`, the unmasked body of the frame with these fields, and sends it on its way."""
        name = str(fields["connection"])
        sealing = self._sealing.get(name)
        if sealing is None:
            return
        values = sealed_originals(_head(fields), original, sealing)
        size = sum(map(len, values))
        if self._waiting_bytes + size > WAITING_BYTES_MAX or not self._background.run(
            self._send(str(fields["session_id"]), values, size)
        ):
            self._lost(name, "too many wait already")
            return
        self._waiting_bytes += size

    async def _send(self, session_id: str, values: list[bytes], size: int) -> None:
        try:
            for value in values:
                if not await self._announcer.sealed(session_id, value):
                    self._lost("", "Kafka did not acknowledge it in time")
        finally:
            self._waiting_bytes -= size

    def _lost(self, connection: str, why: str) -> None:
        METRICS.sealed_lost.inc()
        log.error("original_not_kept", connection=connection, why=why)


def _head(fields: Mapping[str, object]) -> SealedHead:
    return {
        "frame_id": str(fields["frame_id"]),
        "exchange_id": str(fields["exchange_id"]),
        "session_id": str(fields["session_id"]),
        "connection": str(fields["connection"]),
        "recorded_at": int(str(fields["recorded_at"])),
    }
