"""Which of the ways to wait a client understands, by what its own request says.

Source: Model Context Protocol 2025-11-25 "Tasks", 2026-07-28 "Multi Round-Trip Requests" and "Elicitation", and the
tasks extension (SEP-2663). The capabilities of 2026-07-28 stand in each request, so that no memory is needed.
"""

from typing import Literal

from gateway.effects import Request
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look
from gateway.frames.modern import is_modern
from gateway.waiting.asked import TASKS_EXTENSION, asks_for_task, declared, decoded, params_of

Manner = Literal["stream", "elicit", "task", "poll"]
FIRST_VERSION_WITH_TASKS = "2025-11-25"
_PAGES = ("https://", "http://")
_ELICITING = frozenset(
    {"tools/call", "prompts/get", "resources/read"}
)  # the only ones that may be asked for input


def manner(request: Request, look: Look, version: str, url: str) -> Manner:
    """How the client of a held request is kept waiting.

    elicit: it opens pages (`url` is one that shows the approval; '' or a mere path is none), and has not been sent
    there before.
    task: it asked for a task, or takes one. stream: it reads server-sent events. poll: it is answered before long.

    A call that comes back with state of upstream's is not sent to a page: the answer's state would take its place.
    """
    if request.method != "POST" or look.kind != "request":
        return "poll"
    version = look.meta_version or version
    if is_modern(version) and url.startswith(_PAGES) and _elicits(request.body, look):
        return "elicit"
    if look.method == "tools/call" and _takes_task(request.body, version):
        return "task"
    return "stream" if reads_stream(request.headers) else "poll"


def reads_stream(headers: Headers) -> bool:
    """Whether `Accept` names server-sent events; `*/*` does not, as who writes that need not know them."""
    named = [part for name, value in headers if name == b"accept" for part in value.lower().split(b",")]
    return any(_takes(part) for part in named)


def _takes(media_range: bytes) -> bool:
    kind, *parameters = (piece.strip() for piece in media_range.split(b";"))
    refused = any(each.replace(b" ", b"").rstrip(b"0").rstrip(b".") in (b"q=0", b"q=") for each in parameters)
    return kind == b"text/event-stream" and not refused


def _elicits(body: bytes, look: Look) -> bool:
    if look.method not in _ELICITING or decoded(params_of(body).get("requestState")) is not None:
        return False
    return declared(body, "elicitation", "url")


def _takes_task(body: bytes, version: str) -> bool:
    if is_modern(version):
        return declared(body, "extensions", TASKS_EXTENSION)
    return version >= FIRST_VERSION_WITH_TASKS and asks_for_task(body)
