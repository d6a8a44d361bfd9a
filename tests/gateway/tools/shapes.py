"""Bodies with listings, for these tests."""

from __future__ import annotations

import json
from typing import Any


def tool(name: str, description: str = "does it", **more: Any) -> dict[str, Any]:
    """A tool as a server lists it."""
    return {"name": name, "description": description, "inputSchema": {"type": "object"}, **more}


def listing(*tools: dict[str, Any], **result: Any) -> bytes:
    """The answer to a tools/list."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": list(tools), **result}}).encode()


def names(body: bytes) -> list[str]:
    """The names of the tools that a client sees in it."""
    return [each["name"] for each in json.loads(body)["result"]["tools"]]
