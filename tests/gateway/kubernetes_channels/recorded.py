"""Messages that kubectl 1.36, the official Python client and a real API server have sent each other."""

import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

from gateway.kubernetes.channels import Conversation, Passing
from tests.gateway.kubernetes_channels.conversations import conversation

_FILE = Path(__file__).with_name("recorded.jsonl")


@dataclass(frozen=True)
class Recorded:
    """One WebSocket: messages as (from_client, bytes), all of them binary."""

    subresource: str
    query: str
    subprotocol: str
    messages: tuple[tuple[bool, bytes], ...]

    def conversation(self) -> Conversation:
        """One for it."""
        return conversation(self.subprotocol, subresource=self.subresource)

    def passings(self) -> list[Passing]:
        """What becomes of all its messages."""
        talk = self.conversation()
        taken = [p for from_client, data in self.messages for p in talk.take(from_client, data, False)]
        return taken + talk.ended()

    def sent(self, *, from_client: bool) -> bytes:
        """All bytes of one side."""
        return b"".join(data for side, data in self.messages if side == from_client)


def recorded() -> list[Recorded]:
    """All of them: three exec, a port-forward by kubectl and one by the Python client."""
    rows = map(json.loads, _FILE.read_text().splitlines())
    return [
        Recorded(
            row["subresource"],
            row["query"],
            row["subprotocol"],
            tuple((side == "c>u", b64decode(data)) for side, _, data in row["frames"]),
        )
        for row in rows
    ]
