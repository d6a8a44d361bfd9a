"""What becomes of one message of a WebSocket: what is recorded of it, and what goes on."""

from dataclasses import dataclass

from gateway.effects import Draft
from gateway.kubernetes.terminal_pieces import Piece
from schemas.frames import Redaction

CHANNEL = "k8s.channel"


class ConversationError(ValueError):
    """A message cannot be read, or not be passed on. `code` is the WebSocket's close code; the text is for both."""

    def __init__(self, text: str, code: int = 1002) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Passing:
    """Record `draft`; when that is acknowledged send `data` on. None: there is only something to record.

    `draft.facts["attributes"]` holds what is this frame's own; those of the exchange are to be put beside it.
    """

    draft: Draft
    data: bytes | None
    text: bool
    to_client: bool


def piece_draft(channel: str, piece: Piece, *, to_client: bool) -> Draft:
    """The frame of a masked piece."""
    return draft(
        channel, piece.body, piece.size, piece.redactions, to_client=to_client, attributes=piece.attributes
    )


def draft(
    channel: str,
    body: bytes,
    size: int,
    redactions: list[Redaction],
    *,
    to_client: bool,
    attributes: dict[str, str] | None = None,
) -> Draft:
    """The frame of `size` bytes that came on this channel, with its masked body."""
    own = dict(sorted({CHANNEL: channel, **(attributes or {})}.items()))
    return Draft("response" if to_client else "request", body, size, redactions, {"attributes": own})
