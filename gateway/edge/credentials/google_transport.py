"""How google-auth asks: each request bounded in time and size, with no redirect, no proxy and no repeat."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from google.auth.exceptions import TransportError
from google.auth.transport import Request

ANSWER_SECONDS = 5.0
ANSWER_BYTES_MAX = 256 * 1024
SKEW_SECONDS_MIN = 30.0  # less than this is the way of the answer

Moved = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Answered:
    """As google-auth reads an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def _as_it_is(url: str) -> str:
    return url


class GoogleTransport(Request):
    """It blocks: used in threads. `moved` says where a URL is asked for: for tests, whose Google is on loopback."""

    def __init__(
        self,
        seconds: float = ANSWER_SECONDS,
        moved: Moved = _as_it_is,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.skew_seconds = 0.0  # by how much Google's clock is ahead of ours, as its last answer said
        self.status = 0  # of its last answer
        self._seconds = seconds
        self._moved = moved
        self._now = now
        self._pool = urllib3.PoolManager(retries=False)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Answered:
        """One request. Raises TransportError."""
        seconds = min(timeout or self._seconds, self._seconds)
        try:
            answer = self._pool.request(
                method,
                self._moved(url),
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(total=seconds),
                redirect=False,
                preload_content=False,
            )
            try:
                data = answer.read(ANSWER_BYTES_MAX + 1)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise TransportError(error) from error  # type: ignore[no-untyped-call]
        if len(data) > ANSWER_BYTES_MAX:
            raise TransportError("it answered with too much")  # type: ignore[no-untyped-call]
        self.status = answer.status
        self._learn(answer.headers.get("Date", ""))
        return Answered(answer.status, answer.headers, data)

    def close(self) -> None:
        """Closes what is idle."""
        self._pool.clear()

    def _learn(self, date: str) -> None:
        try:
            skew = parsedate_to_datetime(date).timestamp() - self._now()
        except ValueError:
            return
        self.skew_seconds = skew if abs(skew) >= SKEW_SECONDS_MIN else 0.0
