"""One bounded request to a vendor, and what became of it. No redirects, no cookies, no more than a limit."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from console.integrations.reading import items, member, text

ANSWER_BYTES_MAX = 4 * 1024 * 1024
WAIT_SECONDS_MAX = 3_600.0
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class DeliveryError(Exception):
    """The vendor was not told, or nobody knows. The text is safe to show: it holds nothing of secrets.

    `after_seconds`: how long the vendor asks to be left alone; None when it did not say.
    """

    def __init__(self, text: str, *, after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor said; `document` is None when it is not JSON."""

    status: int
    document: Any

    def member(self, *path: str | int) -> Any:
        """What is at a path into the document; None when there is nothing."""
        return member(self.document, *path)

    def text(self, *path: str | int) -> str:
        """The text at a path; '' when there is none."""
        return text(self.document, *path)

    def items(self, *path: str | int) -> list[Any]:
        """The list at a path; an empty one when there is none."""
        return items(self.document, *path)


def session() -> ClientSession:
    """A client that keeps no cookies and takes nothing of the environment."""
    return ClientSession(cookie_jar=DummyCookieJar(), trust_env=False)


class Vendor:
    """Requests to one vendor."""

    def __init__(self, name: str, http: ClientSession, timeout_seconds: float) -> None:
        self.name = name
        self._http = http
        self._timeout = ClientTimeout(total=timeout_seconds)

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """An answer below 500 that is not 429. Raises DeliveryError for everything else."""
        sent = json.dumps(json_body).encode() if json_body is not None else body
        kind = {"Content-Type": "application/json"} if json_body is not None else {}
        try:
            async with self._http.request(
                method,
                url,
                headers={"Accept": "application/json", **kind, **headers},
                data=dict(form) if form is not None else sent,
                params=dict(query) if query else None,
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                read = await _bounded(response.content)
                status, retry_after = response.status, response.headers.get("Retry-After", "")
        except (TimeoutError, asyncio.IncompleteReadError):
            raise DeliveryError(f"{self.name} did not answer in time") from None
        except (ClientError, OSError) as error:
            raise DeliveryError(f"{self.name} cannot be reached ({type(error).__name__})") from None
        if status == 429 or status >= 500:
            raise DeliveryError(
                f"{self.name} answered with status {status}",
                after_seconds=wait_of(retry_after) if retry_after else None,
            )
        return Answer(status, _document(read))

    async def demand(self, method: str, url: str, **what: Any) -> Answer:
        """As `ask`, and what is not a success is a DeliveryError, too."""
        answer = await self.ask(method, url, **what)
        if not 200 <= answer.status < 300:
            raise DeliveryError(f"{self.name} refused with status {answer.status}{reason_of(answer)}")
        return answer


def wait_of(retry_after: str, now: datetime | None = None) -> float:
    """Seconds (RFC 9110, 10.2.3: a number or a date), between 1 and an hour; 30 for what cannot be read."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            due = parsedate_to_datetime(retry_after)
            seconds = (due - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError):
            seconds = 30.0
    return min(max(seconds, 1.0), WAIT_SECONDS_MAX) if seconds == seconds else 30.0  # noqa: PLR0124 (NaN)


def code_of(text: object) -> str:
    """A vendor's error code when it is one: whatever else a vendor says might hold what we sent."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "it did not say why"


def reason_of(answer: Answer) -> str:
    """` (CODE)` from where vendors put it; '' when there is none."""
    for path in (("error", "code"), ("error",), ("code",)):
        if text := answer.text(*path):
            return f" ({code_of(text)})"
    return ""


async def _bounded(content: Any) -> bytes:
    read = bytearray()
    async for chunk in content.iter_chunked(64 * 1024):
        read += chunk
        if len(read) > ANSWER_BYTES_MAX:
            raise ClientError("too long an answer")
    return bytes(read)


def _document(read: bytes) -> Any:
    try:
        return json.loads(read) if read else None
    except (ValueError, RecursionError):
        return None
