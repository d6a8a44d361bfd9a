"""port-forward: what passes through a tunnel to a port of a pod, named and recorded.

The bytes pass unchanged in both directions, for a tunnel carries any protocol: a replaced byte would break TLS, a
database or a login. Text is recorded masked; what is no text by its size and digest.
"""

from hashlib import sha256

from gateway.effects import Draft
from gateway.kubernetes.channels_codec import Codec
from gateway.kubernetes.channels_passing import ConversationError, Passing, draft
from gateway.kubernetes.terminal_memory import Memory
from gateway.kubernetes.terminal_output import is_binary
from gateway.kubernetes.terminal_spans import Mask

DIGEST = "k8s.body.sha256"
PORT_BYTES = 2


class Tunnel:
    """The record of what passes one way through one stream."""

    def __init__(self, mask: Mask, channel: str) -> None:
        self._memory = Memory(mask)
        self.channel = channel

    def draft(self, payload: bytes, *, to_client: bool, attributes: dict[str, str] | None = None) -> Draft:
        """The frame of these bytes. Raises what the mask raises."""
        own = attributes or {}
        if is_binary(payload):
            own = own | {DIGEST: sha256(payload).hexdigest()}
            return draft(self.channel, b"", len(payload), [], to_client=to_client, attributes=own)
        piece = self._memory.piece(payload)
        return draft(
            self.channel, piece.body, piece.size, piece.redactions, to_client=to_client, attributes=own
        )


class Ports:
    """The older form: two channels a port, for its data and its errors, each opened with the port's number.

    Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
    """

    holds = False

    def __init__(self, subprotocol: str, mask: Mask) -> None:
        self._codec = Codec(subprotocol)
        self._mask = mask
        self._tunnels: dict[tuple[int, bool], Tunnel] = {}  # by channel, and whether towards the client

    def take(self, data: bytes, *, from_client: bool, text: bool) -> list[Passing]:
        """As in Conversation."""
        if not data:
            return [Passing(draft("none", b"", 0, [], to_client=not from_client), b"", text, not from_client)]
        channel, payload = self._codec.read(data)
        tunnel = self._tunnels.get((channel, not from_client))
        if tunnel is None:
            return [Passing(self._opened(channel, payload, from_client), data, text, not from_client)]
        told = tunnel.draft(payload, to_client=not from_client)
        return [Passing(told, data, text, not from_client)]

    def rest(self) -> list[Passing]:
        """Nothing is held back."""
        return []

    quiet = rest

    def _opened(self, channel: int, payload: bytes, from_client: bool) -> Draft:
        """Upstream names the port of a channel before anything else is on it."""
        if from_client or len(payload) < PORT_BYTES:
            raise ConversationError(f"channel {channel} was used before upstream has named its port")
        port = int.from_bytes(payload[:PORT_BYTES], "little")
        name = f"port:{port}/{'error' if channel % 2 else 'data'}"
        for to_client in (True, False):
            self._tunnels[channel, to_client] = Tunnel(self._mask, name)
        return draft(
            name, str(port).encode(), PORT_BYTES, [], to_client=True, attributes={"k8s.opened": "true"}
        )
