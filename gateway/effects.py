"""Facts that reach an exchange and effects it asks for. No I/O here: `edge/perform.py` does what is asked.

An exchange yields an effect and is sent the fact that answers it:

    Conceal         → Concealed, or None when the masking could not do its work
    Claim           → float: seconds to wait before the rate allows it; 0.0 when it is taken
    Seek            → Approval that the held call may join, None when there is none, Broken when it may not wait
    Ask             → Approval that people are asked for now; None when that could not be recorded
    Await           → Approval as soon as it is settled, None when it is not in that time, Broken or Gone
    Use             → str: "" when the call may run now, else why not; Broken or Gone
    Withdraw        → nothing: people need not look at it any more
    Abandon         → nothing: the client no longer wants the answer to a request of its session that is held
    Record          → bool: every frame is acknowledged by Kafka, or it is not within the deadline
    Note            → nothing: the frames will be recorded as soon as Kafka takes them; nobody waits
    Forward         → Head, Broken or Gone
    ReadBody        → bytes, Broken or Gone
    ReadReady       → bytes that are already here, None when there are none yet, Broken or Gone
    ReadChunk       → bytes (b"" at the end of the stream), None after a given time of quiet, Broken or Gone
    Answer, OpenStream, Send, CloseStream, CutStream   → nothing
    Connect         → Joined, Head where upstream refused the handshake (its body can be read), Broken or Gone
    Accept          → nothing: the client's WebSocket is open
    ReadMessages    → Messages, Quiet, Ended, or Broken
    SendMessage, CloseSocket   → nothing
    Alert           → nothing: a finding is raised
    Listed          → nothing: what upstream says of its tools is compared with what was pinned
    Reply           → nothing: upstream's own question is answered in the client's place

Nobody changes them once they are made, but for the body of a request, which is read last. They are not frozen because
some ten are made for every exchange, and making a frozen one takes three times as long.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.frames.headers import Headers
from gateway.held import Approval, HeldCall
from gateway.settings import Rate
from schemas.frames import Redaction


@dataclass(slots=True)
class Request:
    """What the client sent: one whole HTTP request. `path` is the one towards the gateway, with its query.

    `claimed_origin` is what the caller says of where it comes from (X-Forwarded-For and the like): nobody trusts it.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer: str
    user_agent: str
    claimed_origin: str = ""
    trace_id: str = ""
    target: str = ""  # the path within an upstream of kind http or kubernetes; an MCP server has one path
    subprotocols: tuple[str, ...] | None = None  # what a WebSocket client offers; None: it is no WebSocket
    upgrade: str = ""  # another protocol that the client asks to change to, which cannot pass: spdy/3.1


# ---- facts


@dataclass(slots=True)
class Head:
    """The head of upstream's answer."""

    status: int
    headers: Headers


@dataclass(slots=True)
class Broken:
    """Upstream gave no answer, or not a whole one. `outcome` is upstream_failed or timed_out."""

    outcome: str
    reason_code: str
    reason: str
    sent: bool = True  # whether upstream may have seen the request


@dataclass(slots=True)
class Gone:
    """The client closed its connection."""


@dataclass(slots=True)
class Concealed:
    """A body, masked, and what was replaced in it."""

    body: bytes
    redactions: list[Redaction]


@dataclass(slots=True)
class Joined:
    """Upstream has taken the WebSocket, with this subprotocol ('' for none)."""

    subprotocol: str
    headers: Headers


@dataclass(slots=True)
class Message:
    """One whole message of a WebSocket; `text` in UTF-8."""

    from_client: bool
    data: bytes
    text: bool


@dataclass(slots=True)
class Messages:
    """What has come from either side since the last time, in order; at least one."""

    messages: list[Message]


@dataclass(slots=True)
class Quiet:
    """Nothing came for as long as was asked."""


@dataclass(slots=True)
class Ended:
    """One side will say no more, and all that it said before has been read. `code` by RFC 6455, 7.1.5: 1005 for a
    close without one, 1006 for a connection that broke. `fault`: what it did wrong, '' for nothing."""

    from_client: bool
    code: int
    reason: str
    fault: str = ""


# ---- effects


@dataclass(slots=True)
class Conceal:
    """Mask a large body, so that others need not wait for it."""

    mask: Callable[[bytes], tuple[bytes, list[Redaction]]]
    body: bytes


@dataclass(slots=True)
class Claim:
    """Take one from the token bucket of a rule, for this principal."""

    rule: str
    rate: Rate


@dataclass(slots=True)
class Seek:
    """Look for an approval that this very call may join. Its place among those that wait is taken with it."""

    held: HeldCall


@dataclass(slots=True)
class Ask:
    """Ask people."""

    held: HeldCall


@dataclass(slots=True)
class Await:
    """Wait for what people say, so many seconds."""

    approval_id: str
    seconds: float


@dataclass(slots=True)
class Use:
    """Take the approval for this call: it is good for so many uses only."""

    approval_id: str
    held: HeldCall


@dataclass(slots=True)
class Withdraw:
    """Nobody waits for the approval any more."""

    approval_id: str
    held: HeldCall
    why: str


@dataclass(slots=True)
class Abandon:
    """A request of this session is cancelled; `request_id` as `Look.id` has it."""

    session_id: str
    request_id: str


@dataclass(slots=True)
class Listed:
    """Upstream has listed tools, in this body or (`event`) this block of its stream, masked."""

    raw: bytes
    event: bool


@dataclass(slots=True)
class Alert:
    """A person should look at this: it becomes a finding."""

    rule: str
    title: str
    evidence: tuple[str, ...]


@dataclass(slots=True)
class Reply:
    """Send upstream a message of the gateway's own, and let its answer go unread."""

    headers: Headers
    body: bytes


@dataclass(slots=True)
class Draft:
    """One frame before it is stamped: its body as it is to be recorded, and the fields that differ.

    `sent` is what the client gets where that is something else, b"" for nothing at all.
    """

    direction: str
    body: bytes = b""
    body_bytes: int = 0
    redactions: list[Redaction] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    sent: bytes | None = None
    original: bytes | None = None  # the body before masking, where it is to be kept sealed


@dataclass(slots=True)
class Record:
    """Put the frames on Kafka, in order, and wait until all are acknowledged."""

    frames: list[Draft]


@dataclass(slots=True)
class Note:
    """Put the frames on Kafka when that is possible; the client is not kept waiting for them."""

    frames: list[Draft]


@dataclass(slots=True)
class Forward:
    """Send the request to upstream and wait for the head of its answer."""

    session_id: str
    method: str
    query: str
    headers: Headers
    body: bytes
    target: str = ""


@dataclass(slots=True)
class ReadBody:
    """Wait for the whole body of upstream's answer."""


@dataclass(slots=True)
class ReadReady:
    """Take the bytes of upstream's stream that have come with the head, without waiting."""


@dataclass(slots=True)
class ReadChunk:
    """Wait for the next bytes of upstream's stream; None when none came in `quiet_seconds`, where that is given."""

    quiet_seconds: float | None = None


@dataclass(slots=True)
class Answer:
    """Give the client a whole answer."""

    status: int
    headers: Headers
    body: bytes


@dataclass(slots=True)
class OpenStream:
    """Give the client the head of a streamed answer."""

    status: int
    headers: Headers


@dataclass(slots=True)
class Send:
    """Give the client the next bytes of a streamed answer."""

    data: bytes


@dataclass(slots=True)
class CloseStream:
    """End the streamed answer properly."""


@dataclass(slots=True)
class CutStream:
    """Break the streamed answer off, so that the client sees that it is not whole."""


@dataclass(slots=True)
class Connect:
    """Open a WebSocket to upstream, offering these subprotocols."""

    session_id: str
    query: str
    headers: Headers
    target: str
    subprotocols: tuple[str, ...]


@dataclass(slots=True)
class Accept:
    """Open the client's WebSocket with this subprotocol ('' for none)."""

    subprotocol: str


@dataclass(slots=True)
class ReadMessages:
    """Wait for messages of either side, so many seconds at most (None: for as long as a WebSocket may be idle). Of a
    side whose other side does not read, none are taken."""

    quiet_seconds: float | None


@dataclass(slots=True)
class SendMessage:
    """Pass a message on. Nobody waits for it."""

    to_client: bool
    data: bytes
    text: bool


@dataclass(slots=True)
class CloseSocket:
    """Close both sides; the one that ended first is answered. 1005 is a close without a code."""

    code: int
    reason: str


Fact = (
    bool
    | float
    | str
    | bytes
    | Approval
    | Concealed
    | Head
    | Joined
    | Messages
    | Quiet
    | Ended
    | Broken
    | Gone
    | None
)
Effect = (
    Abandon
    | Alert
    | Ask
    | Await
    | Claim
    | Conceal
    | Listed
    | Seek
    | Use
    | Withdraw
    | Reply
    | Record
    | Note
    | Forward
    | ReadBody
    | ReadReady
    | ReadChunk
    | Answer
    | OpenStream
    | Send
    | CloseStream
    | CutStream
    | Connect
    | Accept
    | ReadMessages
    | SendMessage
    | CloseSocket
)
