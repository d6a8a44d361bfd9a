"""TLS to a server whose last words matter.

uvloop drops what has come when the peer closes while reading is paused; asyncio's own TLS keeps it. An API server
closes right behind the last message of a command, and reading is paused whenever a client is slower than it.
"""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import TypeVar

Carrier = TypeVar("Carrier", bound=asyncio.Protocol)


async def secured(
    make: Callable[[], Carrier], host: str, port: int, context: ssl.SSLContext, server_name: str | None
) -> Carrier:
    """As `loop.create_connection` with TLS. Raises OSError (ssl.SSLError is one)."""
    loop = asyncio.get_running_loop()
    carrier, shaken = make(), loop.create_future()
    transport, _ = await loop.create_connection(
        lambda: SSLProtocol(loop, carrier, context, shaken, server_side=False, server_hostname=server_name),
        host,
        port,
    )
    try:
        await shaken
    except BaseException:
        transport.abort()
        raise
    return carrier
