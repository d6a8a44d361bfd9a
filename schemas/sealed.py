"""Sealed originals: records of topic `sealed`. The body in them is an age file; see `masking.sealed`."""

from typing import TypedDict

from schemas.codec import codec

TOPIC = "sealed"
PIECE_BYTES_MAX = 3 * 1024 * 1024
HOUR_US = 3_600_000_000


class SealedHead(TypedDict):
    """Whose body it is; fields as in `sealed.avsc`. Times are UTC in microseconds."""

    frame_id: str
    exchange_id: str
    session_id: str
    connection: str
    recorded_at: int


def sealed_values(head: SealedHead, ciphertext: bytes, recipient: str, retention_hours: int) -> list[bytes]:
    """The values for topic `sealed`, keyed by the session id: one, or more for a large body.

    `recipient` is a fingerprint. Raises CodecError when `head` does not fit the schema.
    """
    places = range(0, max(1, len(ciphertext)), PIECE_BYTES_MAX)
    common = {
        **head,
        "expires_at": head["recorded_at"] + retention_hours * HOUR_US,
        "recipient": recipient,
        "pieces": len(places),
    }
    return [
        codec("sealed").encode(
            {**common, "piece": number, "ciphertext": ciphertext[start : start + PIECE_BYTES_MAX]}
        )
        for number, start in enumerate(places, 1)
    ]
