"""Originals for topic `sealed`: what goes beside a frame's record on connections that keep the unmasked body.

    for value in sealed_originals(head, body, connection.sealed):
        await producer.send(TOPIC, value, key=session_id)

The body is sealed for a recipient whose private key is not here: this process cannot open it again.
"""

from gateway.settings import Sealing
from masking.sealed import fingerprint, seal
from schemas.sealed import TOPIC, SealedHead, sealed_values

__all__ = ["TOPIC", "sealed_originals"]


def sealed_originals(head: SealedHead, body: bytes, sealing: Sealing) -> list[bytes]:
    """The values for topic `sealed` that hold `body`: about 0.1 ms. Raises SealError for a recipient that is none."""
    ciphertext = seal(body, sealing.recipient)
    return sealed_values(head, ciphertext, fingerprint(sealing.recipient), sealing.retention_hours)
