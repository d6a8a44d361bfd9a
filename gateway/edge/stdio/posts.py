"""What a client posts: checked, made one line, and its ids known. Without I/O.

Source: Model Context Protocol, "Transports", Streamable HTTP, "Sending messages to the server"; JSON-RPC 2.0, 4.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.edge.stdio.lines import one_line
from gateway.effects import Forward
from gateway.frames.headers import Headers, first
from gateway.frames.jsonrpc import Look, TooDeepError, look

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
_SUBSCRIPTION_META_KEY = "io.modelcontextprotocol/subscriptionId"
_RAW = msgspec.Raw


class NotTakenError(Exception):
    """The request is answered here and does not reach the program: an HTTP status and a JSON-RPC error."""

    def __init__(self, status: int, code: int, message: str, headers: Headers | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or []


@dataclass(frozen=True, slots=True)
class Post:
    """A message of the client. `ids` are those of the requests in it; none means that no answer is due."""

    line: bytes
    look: Look
    ids: frozenset[str]
    token: str = ""
    cancels: str = ""

    @property
    def opens_session(self) -> bool:
        """Whether it is the handshake of the eras that have one."""
        return self.look.kind == "request" and self.look.method == "initialize"


class _Meta(msgspec.Struct):
    token: _RAW = msgspec.field(name="progressToken", default=_RAW())
    subscription: _RAW = msgspec.field(name=_SUBSCRIPTION_META_KEY, default=_RAW())


class _Params(msgspec.Struct):
    meta: _Meta = msgspec.field(name="_meta", default_factory=_Meta)
    token: _RAW = msgspec.field(name="progressToken", default=_RAW())
    request_id: _RAW = msgspec.field(name="requestId", default=_RAW())


class _Message(msgspec.Struct):
    params: _Params = msgspec.field(default_factory=_Params)


_messages = msgspec.json.Decoder(_Message)


def read(request: Forward) -> Post:
    """The message in the body of a POST. Raises NotTakenError."""
    _check_headers(request.headers)
    try:
        msgspec.json.decode(request.body)  # the whole of it, strictly: only JSON may become a line
        said = look(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, TooDeepError, RecursionError) as exc:
        raise NotTakenError(400, PARSE_ERROR, "the body is not JSON") from exc
    if said.kind == "none" or not _all_clear(said):
        raise NotTakenError(400, INVALID_REQUEST, "the body is not a JSON-RPC message")
    asked = [member for member in said.members or (said,) if member.kind == "request"]
    ids = [id_key(member.id) for member in asked]
    if "null" in ids or len(set(ids)) < len(ids):
        raise NotTakenError(400, INVALID_REQUEST, "the id of a request must be given once and not be null")
    params = _params(request.body)
    cancels = id_key(_text(params.request_id)) if said.method == "notifications/cancelled" else ""
    return Post(one_line(request.body), said, frozenset(ids), id_key(_text(params.meta.token)), cancels)


def request_id(body: bytes) -> str:
    """Literal of the id in the body of a single request, '' for none."""
    try:
        said = look(body)
    except TooDeepError:
        return ""
    return said.id if said.kind == "request" else ""


def progress_token(line: bytes) -> str:
    """Key of the token that a progress notification of the program names, '' for none."""
    return id_key(_text(_params(line).token))


def subscription(line: bytes) -> str:
    """Key of the request id whose subscription a notification of the program belongs to, '' for none."""
    return id_key(_text(_params(line).meta.subscription))


def id_key(literal: str) -> str:
    """One spelling for all JSON spellings of an id or token, so that equal ones meet; '' stays ''."""
    if not literal:
        return ""
    value: Any = msgspec.json.decode(literal)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return msgspec.json.encode(value).decode()


def accepts(headers: Headers, kind: bytes) -> bool:
    """Whether Accept covers the media type `kind`; an absent one covers all."""
    accept = first(headers, b"accept").lower()
    ranges = {part.partition(b";")[0].strip() for part in accept.split(b",")}
    return not accept or bool(ranges & {kind, b"*/*", kind.partition(b"/")[0] + b"/*"})


def _check_headers(headers: Headers) -> None:
    kind = first(headers, b"content-type").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise NotTakenError(415, INVALID_REQUEST, "Content-Type must be application/json")
    if not (accepts(headers, b"application/json") and accepts(headers, b"text/event-stream")):
        text = "Accept must cover application/json and text/event-stream"
        raise NotTakenError(406, INVALID_REQUEST, text)


def _all_clear(said: Look) -> bool:
    """Whether a batch has members, and each is a message; true of what is no batch."""
    return said.kind != "batch" or (
        bool(said.members) and all(m.kind not in ("none", "batch") for m in said.members)
    )


def _params(body: bytes) -> _Params:
    try:
        return _messages.decode(body).params
    except msgspec.DecodeError:  # params of another shape: they name nothing that we need
        return _Params()


def _text(raw: msgspec.Raw) -> str:
    return bytes(raw).decode()
