"""Questions and answers between the store process and its sandbox: a length, a JSON object, and bytes behind it."""

import asyncio
import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct("<II")
BYTES_MAX = 256 * 1024 * 1024

Message = tuple[dict[str, Any], bytes]


def packed(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One message."""
    text = json.dumps(head).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def read(stream: BinaryIO) -> Message | None:
    """The next message; None at the end. Raises EOFError when it ends within one, ValueError when it is none."""
    lengths = stream.read(_LENGTHS.size)
    if not lengths:
        return None
    text, body = _LENGTHS.unpack(lengths)
    if text + body > BYTES_MAX:
        raise ValueError(f"a message of {text + body:,} bytes")
    whole = stream.read(text + body)
    if len(whole) < text + body:
        raise EOFError
    return json.loads(whole[:text]), whole[text:]


async def receive(stream: asyncio.StreamReader) -> Message:
    """The next message. Raises asyncio.IncompleteReadError at the end, ValueError when it is none."""
    text, body = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    if text + body > BYTES_MAX:
        raise ValueError(f"a message of {text + body:,} bytes")
    whole = await stream.readexactly(text + body)
    return json.loads(whole[:text]), whole[text:]
