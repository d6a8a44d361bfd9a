"""A WebSocket whose messages have no channels (a watch, a log, a service behind the API server's proxy)."""

from gateway.kubernetes.channels_passing import Passing, draft
from gateway.kubernetes.terminal_input import Input
from gateway.kubernetes.terminal_memory import Memory
from gateway.kubernetes.terminal_output import is_binary
from gateway.kubernetes.terminal_pieces import Piece
from gateway.kubernetes.terminal_spans import Mask

MESSAGE = "message"


class Whole:
    """Each text message is masked alone. Binary ones are taken for one stream, of which nothing is held back."""

    holds = False

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._input = Input(mask, lambda: (0, b""))
        self._output = Memory(mask)

    def take(self, data: bytes, *, from_client: bool, text: bool) -> list[Passing]:
        """As in Conversation."""
        if from_client:
            piece = self._input.take(data)
            asked = draft(MESSAGE, piece.body, piece.size, piece.redactions, to_client=False)
            return [Passing(asked, data, text, to_client=False)]
        if text:  # a line of JSON, mostly: what was before it would only hide where its strings begin
            body, redactions = self._mask(data)
            piece = Piece(body, len(data), redactions)
        else:
            piece = self._output.piece(data, same_length=is_binary(data))
        told = draft(MESSAGE, piece.body, piece.size, piece.redactions, to_client=True)
        return [Passing(told, piece.body, text, to_client=True)]

    def rest(self) -> list[Passing]:
        """Nothing is held back."""
        return []

    quiet = rest
