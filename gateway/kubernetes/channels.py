"""The messages of a WebSocket to a pod: which channel each is of, what is recorded of it and what passes on.

The way of a message: its subprotocol tells its channel (`channels_codec.py`); what the client sends passes unchanged
and is masked for the record (`terminal_input.py`); what comes back is masked for both (`terminal_output.py`), with a
tail held back where it may be half a secret. Pure: who drives it records a `Passing` before it sends it on.

Sources: k8s.io/apimachinery/pkg/util/remotecommand (channels, v5's close), k8s.io/streaming/pkg/wsstream (codecs).
"""

from collections.abc import Callable
from typing import Protocol

from gateway.kubernetes.channels_passing import ConversationError, Passing
from gateway.kubernetes.channels_ports import Ports
from gateway.kubernetes.channels_process import Process
from gateway.kubernetes.channels_spdy import SUBPROTOCOL, SpdyPorts
from gateway.kubernetes.channels_whole import Whole
from gateway.kubernetes.terminal_memory import HeldTooMuchError
from gateway.kubernetes.terminal_spans import Mask
from schemas.frames import Redaction

__all__ = ["QUIET_SECONDS", "Conversation", "ConversationError", "Passing"]

QUIET_SECONDS = 0.04
"""How long what may be half a secret waits for the other half. A person does not notice it."""

MaskText = Callable[[str], tuple[str, list[Redaction]]]


class Conversation:
    """The messages of one WebSocket, made when upstream has accepted it.

    `subprotocol` is the one it chose. `tty`: a terminal was asked for. `bytes_max`: of one message, and of what is
    held back. `subresource`: exec, attach or portforward; for any other, messages have no channels.

    Its methods, never the constructor, raise ConversationError for what cannot go on, and what `mask` raises
    (MaskingFailedError).
    """

    def __init__(
        self,
        subprotocol: str,
        mask: Mask,
        mask_text: MaskText,  # noqa: ARG002 - of the contract; bodies alone are masked so far
        *,
        tty: bool,
        bytes_max: int,
        subresource: str = "exec",
    ) -> None:
        self._bytes_max = bytes_max
        self._talk = _talk(subprotocol, mask, tty=tty, bytes_max=bytes_max, subresource=subresource)

    @property
    def quiet_seconds(self) -> float | None:
        """After so long without a message `quiet` is to be called; None: nothing is held back."""
        return QUIET_SECONDS if self._talk.holds else None

    def take(self, from_client: bool, data: bytes, text: bool) -> list[Passing]:
        """What is to be recorded and then passed on, in this order, now that a message has come."""
        if len(data) > self._bytes_max:
            raise ConversationError(
                f"a message of {len(data)} bytes; at most {self._bytes_max} are taken", 1009
            )
        return self._within_limits(lambda: self._talk.take(data, from_client=from_client, text=text))

    def quiet(self) -> list[Passing]:
        """What was held back: nothing followed within `quiet_seconds`."""
        return self._within_limits(self._talk.quiet)

    def ended(self) -> list[Passing]:
        """What was held back: one side has closed the WebSocket."""
        return self._within_limits(self._talk.rest)

    def _within_limits(self, what: Callable[[], list[Passing]]) -> list[Passing]:
        try:
            return what()
        except HeldTooMuchError as error:
            raise ConversationError(str(error), 1009) from error


class Talk(Protocol):
    """One way to speak over a WebSocket."""

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        ...

    def take(self, data: bytes, *, from_client: bool, text: bool) -> list[Passing]:
        """As in Conversation."""
        ...

    def quiet(self) -> list[Passing]:
        """What is held back and need not wait longer."""
        ...

    def rest(self) -> list[Passing]:
        """What is held back."""
        ...


def _talk(subprotocol: str, mask: Mask, *, tty: bool, bytes_max: int, subresource: str) -> Talk:
    try:
        if subresource in ("exec", "attach"):
            return Process(subprotocol, mask, tty=tty, bytes_max=bytes_max)
        if subresource == "portforward":
            return SpdyPorts(mask) if subprotocol == SUBPROTOCOL else Ports(subprotocol, mask)
    except ConversationError as error:
        return Refusing(error)
    return Whole(mask)


class Refusing:
    """A conversation in a language that is not known: its first message ends it."""

    holds = False

    def __init__(self, error: ConversationError) -> None:
        self._error = error

    def take(self, data: bytes, *, from_client: bool, text: bool) -> list[Passing]:  # noqa: ARG002
        """As in Conversation."""
        raise self._error

    def rest(self) -> list[Passing]:
        """Nothing is held back."""
        return []

    quiet = rest
