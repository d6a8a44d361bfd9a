"""Signatures of what comes in and goes out: HMAC-SHA256, times that are near, and nothing twice."""

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Iterable
from hashlib import sha256

SECRET_PREFIX = "whsec_"
SEEN_MAX = 20_000
_SECONDS = re.compile(r"[0-9]{1,12}")


class Unauthentic(Exception):  # noqa: N818 (a state of what came, not a fault of ours)
    """It is not from whom it says, or is not fresh. The text says what is wrong, and nothing of a secret."""


class Window:
    """What is too old, too new, or was there before. The clock gives seconds since the epoch."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._clock = clock
        self._seen: dict[str, float] = {}

    def fresh(self, timestamp: str) -> None:
        """Raises Unauthentic unless `timestamp` (seconds, digits only) is near."""
        if not _SECONDS.fullmatch(timestamp):
            raise Unauthentic("there is no timestamp")
        if abs(self._clock() - int(timestamp)) > self._seconds:
            raise Unauthentic("the timestamp is too far away from this clock")

    def first(self, name: str) -> bool:
        """Whether `name` was not there before, for as long as its timestamp could still be near. Ask it of what is
        authentic only. Raises Unauthentic when there is no room left: to forget would let something be replayed."""
        now = self._clock()
        while self._seen and next(iter(self._seen.values())) <= now:
            del self._seen[next(iter(self._seen))]
        if name in self._seen:
            return False
        if len(self._seen) >= SEEN_MAX:
            raise Unauthentic("too much came in a short time; send it again later")
        self._seen[name] = now + 2 * self._seconds
        return True

    def forget(self, name: str) -> None:
        """What came to nothing may come again."""
        self._seen.pop(name, None)


def same(found: str, expected: Iterable[str]) -> bool:
    """Whether `found` is one of `expected`, in a time that does not tell how much of one it has."""
    given = found.encode("utf-8", "replace")
    return any(hmac.compare_digest(given, each.encode()) for each in expected)


def hex_hmac(secret: str, content: bytes) -> str:
    """HMAC-SHA256 as lower-case hex."""
    return hmac.new(secret.encode(), content, sha256).hexdigest()


def webhook_signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,BASE64` over `ID.TIMESTAMP.BODY` (Standard Webhooks). Raises ValueError for a secret that is none."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(webhook_key(secret), content, sha256).digest()).decode()


def webhook_key(secret: str) -> bytes:
    """The key in a secret: `whsec_` and base64 of 24 to 64 bytes. Raises ValueError for anything else."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret of a webhook is whsec_ and base64") from error
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("the secret of a webhook is whsec_ and base64 of 24 to 64 bytes")
    return key
