"""Signatures of AWS by botocore's signers, at the time that it is at AWS."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

import structlog
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth, SigV4Auth, SigV4QueryAuth

NO_BODY = sha256(b"").hexdigest()
SKEW_SECONDS_MIN = 30.0  # less is the way of the answer; AWS takes signatures that are 5 minutes off

log = structlog.get_logger("credentials")


class AwsClock:
    """The time at AWS: this machine's, moved by as much as the Date of AWS's answers is off."""

    def __init__(self, connection: str, now: Callable[[], float] = time.time) -> None:
        self.skew_seconds = 0.0
        self._connection = connection
        self._now = now

    def now(self) -> datetime:
        """UTC."""
        return datetime.fromtimestamp(self._now() + self.skew_seconds, UTC)

    def learn(self, date: str) -> bool:
        """Takes the Date header of an answer that has just come. Whether our time has been moved by it."""
        try:
            skew = parsedate_to_datetime(date).timestamp() - self._now()
        except ValueError:
            return False
        if abs(skew) < SKEW_SECONDS_MIN:
            skew = 0.0
        moved = abs(skew - self.skew_seconds) >= SKEW_SECONDS_MIN
        if moved:
            self.skew_seconds = skew
            log.warning("clock_skew", connection=self._connection, aws_is_ahead_seconds=round(skew))
        return moved


class _AtClock:
    """Signs at the clock's time. In the place of botocore's own `add_auth`, which takes the time of the machine, and
    writes what it signs, the session token in it, to the log of whoever has that on."""

    clock: AwsClock

    def payload(self, request: Any) -> str:
        """The digest of the body: whoever asks for a signature has it, and never leaves the body out."""
        return str(request.context["body_digest"])

    def add_auth(self: Any, request: Any) -> None:
        """Puts the signature into the request, whose context has the `body_digest` (SHA-256, hex)."""
        request.context["timestamp"] = self.clock.now().strftime(SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


class HeaderSigner(_AtClock, SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """By the header Authorization."""

    def __init__(self, clock: AwsClock, keys: Any, service: str, region: str) -> None:
        super().__init__(keys, service, region)
        self.clock = clock


class S3Signer(_AtClock, S3SigV4Auth):  # type: ignore[misc]
    """As S3 wants it: the path is encoded once, and the digest of the body is a header."""

    def __init__(self, clock: AwsClock, keys: Any, service: str, region: str) -> None:
        super().__init__(keys, service, region)
        self.clock = clock


class UrlSigner(_AtClock, SigV4QueryAuth):  # type: ignore[misc]
    """In the query of the URL: for whoever sends the request in our place."""

    def __init__(self, clock: AwsClock, keys: Any, service: str, region: str, seconds: int) -> None:
        super().__init__(keys, service, region, expires=seconds)
        self.clock = clock
