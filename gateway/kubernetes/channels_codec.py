"""How a message carries its channel: the first byte, or with base64 the first digit.

Source: k8s.io/streaming/pkg/wsstream/conn.go.
"""

import base64
import binascii

from gateway.kubernetes.channels_passing import ConversationError

BINARY = frozenset(
    ["", "channel.k8s.io", "v2.channel.k8s.io", "v3.channel.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"]
)
BASE64 = frozenset(["base64.channel.k8s.io", "v4.base64.channel.k8s.io"])
_ZERO = ord("0")


class Codec:
    """Messages of one subprotocol. Raises ConversationError for one that is not known."""

    def __init__(self, subprotocol: str) -> None:
        if subprotocol not in BINARY and subprotocol not in BASE64:
            raise ConversationError(
                f"the subprotocol {subprotocol[:64]!r} is not known here; v5.channel.k8s.io and those before it are"
            )
        self._base64 = subprotocol in BASE64

    def read(self, data: bytes) -> tuple[int, bytes]:
        """(channel, payload) of a message that is not empty. Raises ConversationError."""
        if not self._base64:
            return data[0], data[1:]
        try:
            return data[0] - _ZERO, base64.b64decode(data[1:], validate=True)
        except (binascii.Error, ValueError):
            raise ConversationError("a message is not the base64 that its subprotocol asks for") from None

    def write(self, channel: int, payload: bytes) -> bytes:
        """The message that carries this."""
        if not self._base64:
            return bytes((channel,)) + payload
        return bytes((channel + _ZERO,)) + base64.b64encode(payload)
