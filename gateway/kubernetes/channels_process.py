"""exec, attach and cp: the streams of a process in a pod, each a channel of its own.

Source of the numbers: k8s.io/apimachinery/pkg/util/remotecommand/constants.go.
"""

import json

from gateway.effects import Draft
from gateway.kubernetes.channels_codec import Codec
from gateway.kubernetes.channels_passing import ConversationError, Passing, draft, piece_draft
from gateway.kubernetes.terminal_echo import Echo
from gateway.kubernetes.terminal_input import Input
from gateway.kubernetes.terminal_output import Output
from gateway.kubernetes.terminal_pieces import Piece
from gateway.kubernetes.terminal_spans import Mask

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NAMES = {
    STDIN: "stdin",
    STDOUT: "stdout",
    STDERR: "stderr",
    ERROR: "error",
    RESIZE: "resize",
    CLOSE: "close",
}
_OF_CLIENT = frozenset([STDIN, RESIZE, CLOSE])
_OF_UPSTREAM = frozenset([STDOUT, STDERR, ERROR, CLOSE])
RESIZE_BYTES_MAX = 256
CELLS_MAX = 0xFFFF


class Process:
    """The conversation with one process."""

    def __init__(self, subprotocol: str, mask: Mask, *, tty: bool, bytes_max: int) -> None:
        self._codec = Codec(subprotocol)
        self._mask = mask
        self._outputs = {channel: Output(mask, held_max=bytes_max, tty=tty) for channel in (STDOUT, STDERR)}
        self._input = Input(mask, self._prompt)
        self._echo = Echo() if tty else None
        self._speaks, self._said = STDOUT, 0  # the channel of the last output, and how many there were
        self._text = False  # whether upstream speaks in text messages

    @property
    def holds(self) -> bool:
        """Whether something of the output is held back."""
        return any(output.waits for output in self._outputs.values())

    def take(self, data: bytes, *, from_client: bool, text: bool) -> list[Passing]:
        """As in Conversation."""
        if not data:  # carries nothing and means nothing; some clients send them to keep a connection open
            return [Passing(draft("none", b"", 0, [], to_client=not from_client), b"", text, not from_client)]
        channel, payload = self._codec.read(data)
        if channel not in (_OF_CLIENT if from_client else _OF_UPSTREAM):
            raise ConversationError(
                f"{'the client' if from_client else 'upstream'} sent on channel {channel}, which is not its own"
            )
        if from_client:
            return [Passing(self._asked(channel, payload), data, text, to_client=False)]
        self._text = text
        return self._answered(channel, payload)

    def quiet(self) -> list[Passing]:
        """What is held back of the output and need not wait longer."""
        pieces = [(channel, output.quiet()) for channel, output in self._outputs.items()]
        return [self._output(channel, piece) for channel, piece in pieces if piece]

    def rest(self) -> list[Passing]:
        """What is held back of the output."""
        pieces = [(channel, output.rest()) for channel, output in self._outputs.items()]
        return [self._output(channel, piece) for channel, piece in pieces if piece]

    def _asked(self, channel: int, payload: bytes) -> Draft:
        if channel == STDIN:
            if self._echo:
                self._echo.typed(payload)
            return piece_draft("stdin", self._input.take(payload), to_client=False)
        if channel == RESIZE:
            return draft("resize", _size_of_terminal(payload), len(payload), [], to_client=False)
        return draft("close", _closed(payload), len(payload), [], to_client=False)

    def _answered(self, channel: int, payload: bytes) -> list[Passing]:
        output = self._outputs.get(channel)
        if output is None:  # how it ended, or that a stream did: nothing of the output comes behind it
            return [*self.rest(), self._told(channel, payload)]
        if not payload:
            return [self._output(channel, Piece(b"", 0))]  # upstream says so that the streams are open
        self._speaks, self._said = channel, self._said + 1
        if self._echo and self._echo.shows(payload) and (shown := output.echo(payload)):
            told = piece_draft(NAMES[channel], shown, to_client=True)
            return [Passing(told, self._codec.write(channel, payload), self._text, to_client=True)]
        piece = output.take(payload)
        return [self._output(channel, piece)] if piece else []

    def _told(self, channel: int, payload: bytes) -> Passing:
        if channel == CLOSE:
            told = draft("close", _closed(payload), len(payload), [], to_client=True)
            return Passing(told, self._codec.write(channel, payload), self._text, to_client=True)
        body, redactions = self._mask(payload)
        told = draft("error", body, len(payload), redactions, to_client=True)
        return Passing(told, self._codec.write(channel, body), self._text, to_client=True)

    def _output(self, channel: int, piece: Piece) -> Passing:
        recorded = piece_draft(NAMES[channel], piece, to_client=True)
        return Passing(recorded, self._codec.write(channel, piece.body), self._text, to_client=True)

    def _prompt(self) -> tuple[int, bytes]:
        """How many outputs there were, and the line that the process has written last."""
        return self._said, self._outputs[self._speaks].line


def _closed(payload: bytes) -> bytes:
    """The name of the stream that is closed. Raises ConversationError."""
    if len(payload) != 1 or payload[0] not in NAMES:
        raise ConversationError("a message closes a stream that is not known")
    return NAMES[payload[0]].encode()


def _size_of_terminal(payload: bytes) -> bytes:
    """The payload of a resize, `{"Width": 80, "Height": 24}`. Raises ConversationError."""
    try:
        size = json.loads(payload) if len(payload) <= RESIZE_BYTES_MAX else None
        cells = [size["Width"], size["Height"]] if isinstance(size, dict) else []
    except (ValueError, KeyError, RecursionError):
        cells = []
    if len(cells) != 2 or not all(type(cell) is int and 0 <= cell <= CELLS_MAX for cell in cells):
        raise ConversationError('a resize is not of the form {"Width":80,"Height":24}')
    return json.dumps({"Width": cells[0], "Height": cells[1]}, separators=(",", ":")).encode()
