"""HTTP as a client of the gateway speaks it."""

from __future__ import annotations

import ssl

import aiohttp

from tests.kubernetes.gateway import Gateway


def gateway_session(gateway: Gateway, subject: str, connections: int = 100) -> aiohttp.ClientSession:
    """With a token of this subject; paths begin with the connection's."""
    context = ssl.create_default_context(cafile=str(gateway.ca))
    headers = {"Authorization": f"Bearer {gateway.token(subject, 'developers')}"}
    connector = aiohttp.TCPConnector(ssl=context, limit=connections)
    timeout = aiohttp.ClientTimeout(total=None)
    return aiohttp.ClientSession(gateway.public_url, connector=connector, headers=headers, timeout=timeout)
