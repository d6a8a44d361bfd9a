"""The Content-Encoding of an answer, taken off: what is masked and recorded must be read; the client gets it plain.

Upstream is asked for plain answers; this is for those that encode all the same.
"""

from masking import MaskingError
from masking.decoding import inflater

PLAIN = (b"", b"identity")
STEP_BYTES = 4096  # so that no step inflates to more than a few megabytes
RATIO_MAX = 200
FREE_BYTES = 1_000_000  # up to here no ratio is looked at


class EncodedError(Exception):
    """It cannot be taken off. `reason_code`: `upstream_encoded`, or `response_too_large` for a bomb."""

    def __init__(self, reason_code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason_code = reason_code


class Decoder:
    """Reads gzip, deflate, br and zstd, piece by piece. Raises EncodedError for others when made."""

    def __init__(self, encoding: bytes, bytes_max: int | None = None) -> None:
        try:
            self._engine = inflater(encoding.decode("latin-1"))
        except MaskingError as exc:
            raise EncodedError("upstream_encoded", str(exc)) from exc
        self._bytes_max = bytes_max
        self._received = self._decoded = 0

    def feed(self, piece: bytes) -> bytes:
        """The plain bytes of the next piece. Raises EncodedError for what is damaged, and for a bomb."""
        return b"".join(
            [self._step(piece[start : start + STEP_BYTES]) for start in range(0, len(piece), STEP_BYTES)]
        )

    def _step(self, piece: bytes) -> bytes:
        try:
            plain = self._engine.decompress(piece)
        except MaskingError as exc:
            raise EncodedError("upstream_encoded", str(exc)) from exc
        self._received += len(piece)
        self._decoded += len(plain)
        bomb = self._decoded > FREE_BYTES and self._decoded > RATIO_MAX * self._received
        if bomb or (self._bytes_max is not None and self._decoded > self._bytes_max):
            raise EncodedError("response_too_large", "it inflates beyond the limit")
        return plain
