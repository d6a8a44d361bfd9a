"""A provider of OpenID Connect that is not ours: oidc-provider-mock, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

_READY_S = 60


@asynccontextmanager
async def oidc_mock(people: Sequence[Mapping[str, Any]]) -> AsyncIterator[str]:
    """The URL of a provider that knows `people` by the claims of each: `sub` and what else a test wants."""
    known = [argument for person in people for argument in ("--user-claims", json.dumps(person))]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oidc_provider_mock", "-p", "0", *known),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_READY_S):
            url = await _told(process.stdout)
        yield url
    finally:
        process.kill()
        await process.communicate()


async def _told(output: asyncio.StreamReader) -> str:
    """The URL, once it says so."""
    text = ""
    while not (found := re.search(r"running on (http://127\.0\.0\.1:\d+)", text)):
        line = await output.readline()
        assert line, f"the provider ended: {text}"
        text += line.decode()
    return found[1]
