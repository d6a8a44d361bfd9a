"""One question to a service outside, with a bounded answer."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from processors.checkpoints.anchors.anchor import AnchorError

SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, media type and body."""

    status: int
    media_type: str
    body: bytes


async def post(url: str, body: bytes, head: Mapping[str, str], bytes_max: int) -> Answer:
    """The answer to a POST. Redirects are not followed. Raises AnchorError when there is none, or a longer one."""
    limit = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(url, data=body, headers=head, allow_redirects=False) as response,
        ):
            found = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                found += chunk
                if len(found) > bytes_max:
                    raise AnchorError(f"{url} answered with more than {bytes_max} bytes")
            return Answer(response.status, response.content_type, bytes(found))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise AnchorError(f"{url} does not answer: {type(error).__name__}") from error
