"""How an answer is read on its way back: whole, or frame by frame; told by its request and its content type.

What has a structure that the masking looks at (JSON, YAML, XML, CSV) is read whole, as far as that is allowed. A
stream is what says so, what may have no end, and what is too large to wait for.
"""

from enum import Enum
from typing import Protocol

from gateway.frames.headers import Headers, answer_form, first, in_utf8
from gateway.frames.lines import LineSplitter
from gateway.frames.sse import EventSplitter
from gateway.frames.text import TextSplitter

WHOLE_BYTES_MAX = 1024 * 1024  # of text and bytes without structure; more passes in pieces
JSON_LINES = frozenset(
    {
        *(b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines"),
        *(b"application/jsonlines", b"application/x-json-stream", b"application/stream+json"),
        *(b"application/json-seq", b"application/geo+json-seq"),
    }
)
_STRUCTURED = (b"json", b"yaml", b"xml", b"csv", b"html", b"x-www-form-urlencoded", b"tab-separated-values")


class Form(Enum):
    """How an answer is read. UNCLEAR: some clients read it one way, some another."""

    BODY = "body"
    EVENTS = "events"
    LINES = "lines"
    TEXT = "text"
    PIECES = "pieces"
    UNCLEAR = "unclear"


class Splitter(Protocol):
    """Cuts a stream into frames. `feed` gives those that are complete, `quiet` what may go after `quiet_seconds`
    without further bytes, `rest` what is left at the end. Raises sse.EventTooLongError."""

    @property
    def quiet_seconds(self) -> float | None:
        """None: nothing may go early."""
        ...

    def feed(self, data: bytes) -> list[bytes]: ...
    def quiet(self) -> bytes: ...
    def rest(self) -> bytes: ...


def splitter_of(form: Form, frame_bytes_max: int) -> Splitter:
    """What cuts a stream of this form."""
    if form is Form.EVENTS:
        return EventSplitter(frame_bytes_max)
    if form is Form.LINES:
        return LineSplitter(frame_bytes_max)
    return TextSplitter(frame_bytes_max, lined=form is Form.TEXT)


def form_of_mcp(headers: Headers) -> Form:
    """An MCP server answers with events or with one body."""
    return {"stream": Form.EVENTS, "body": Form.BODY, "": Form.UNCLEAR}[answer_form(headers)]


def form_of_kubernetes(verb: str, subresource: str, status: int, headers: Headers) -> Form:
    """A watch is lines of JSON, a log is text; what stands behind a proxy speaks for itself."""
    if status >= 300:
        return Form.BODY
    if verb == "watch":
        return Form.LINES
    if subresource == "log":
        return Form.TEXT
    return form_of_http(headers)


def form_of_http(headers: Headers) -> Form:
    """By the content type, and by the length where there is one."""
    said = form_of_mcp(headers)
    if said is not Form.BODY:
        return said
    content_type = first(headers, b"content-type").lower()
    kind, _, parameters = content_type.partition(b";")
    kind = kind.strip()
    if kind in JSON_LINES or (kind.endswith(b"json") and b"stream=watch" in parameters.replace(b" ", b"")):
        return Form.LINES if in_utf8(content_type) else Form.UNCLEAR
    if _is_small(headers) or not kind or any(name in kind for name in _STRUCTURED):
        return Form.BODY
    if kind.startswith(b"text/"):
        return Form.TEXT if in_utf8(content_type) else Form.BODY
    return Form.PIECES


def _is_small(headers: Headers) -> bool:
    """Whether it says its length, and that is no more than is read whole."""
    length = first(headers, b"content-length")
    return length.isdigit() and int(length) <= WHOLE_BYTES_MAX
