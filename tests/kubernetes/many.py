"""5,000 ConfigMaps of 2 KB in a namespace of their own: a list of 10 MB."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

import aiohttp

from tests.kubernetes.cluster import Cluster

NAMESPACE = "many"
COUNT = 5_000
_TEXT = "every line of this text is as harmless as the one before it\n" * 32
_AT_ONCE = 50


def admin_context(cluster: Cluster) -> ssl.SSLContext:
    """TLS as the admin, directly."""
    context = ssl.create_default_context(cafile=str(cluster.ca))
    context.load_cert_chain(cluster.admin.certificate, cluster.admin.key)
    return context


async def made(cluster: Cluster) -> None:
    """Makes those that are missing. One of a thousand has a secret in it."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=admin_context(cluster), limit=_AT_ONCE)
    ) as http:
        namespace = {"metadata": {"name": NAMESPACE}}
        async with http.post(f"{cluster.url}/api/v1/namespaces", json=namespace) as answer:
            if answer.status == 409:
                return
            answer.raise_for_status()
        url = f"{cluster.url}/api/v1/namespaces/{NAMESPACE}/configmaps"
        numbers = iter(range(COUNT))
        await asyncio.gather(*[_make(http, url, numbers) for _ in range(_AT_ONCE)])


async def _make(http: aiohttp.ClientSession, url: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        data = {"text": _TEXT, "number": str(number)}
        if number % 1000 == 0:
            data["LEAKED_TOKEN"] = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
        body = {"metadata": {"name": f"item-{number:04}"}, "data": data}
        async with http.post(url, json=body) as answer:
            answer.raise_for_status()
