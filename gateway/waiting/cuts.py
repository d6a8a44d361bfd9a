"""A request without what was said to the gateway alone, as it goes on to upstream; every other byte stays."""

from gateway.frames.jsonrpc import look
from gateway.tools import spans
from gateway.tools.spans import Span
from gateway.tools.splices import Edit, cut, spliced
from gateway.waiting.asked import CAPABILITIES, TASKS_EXTENSION
from gateway.waiting.seals import TASK_FORM


def without_state(body: bytes) -> bytes:
    """The request as it was before we asked for more: upstream gave no state and asked for no input."""
    return without_params(body, "requestState", "inputResponses")


def without_params(body: bytes, *names: str) -> bytes:
    """The request without these members of its `params`; every other byte stays."""
    edits: list[Edit] = []
    for place in spans.at_path(body, spans.whole(body), "params"):
        edits += without_members(body, place, frozenset(names))
    return spliced(body, edits)


def untasked(body: bytes) -> bytes:
    """The call as it is to run: our task stands for it, so upstream is not asked for another one."""
    body = without_params(body, "task")
    edits: list[Edit] = []
    for place in spans.at_path(body, spans.whole(body), "params", "_meta", CAPABILITIES, "extensions"):
        edits += without_members(body, place, frozenset({TASKS_EXTENSION}))
    return spliced(body, edits)


def without_our_tasks(body: bytes) -> bytes:
    """A `subscriptions/listen` without tasks of ours: nobody tells of them, their clients ask (2026-07-28 leaves that
    to the server). Upstream never heard of them."""
    if b"sgt1." not in body or look(body).method != "subscriptions/listen":
        return body
    edits: list[Edit] = []
    for path in (("params", "taskIds"), ("params", "notifications", "taskIds")):
        for place in spans.at_path(body, spans.whole(body), *path):
            items = list(spans.elements(body, place))
            texts = [spans.text_at(body, item) or "" for item in items]
            out = [index for index, text in enumerate(texts) if TASK_FORM.fullmatch(text)]
            edits += cut(items, out) if out else []
    return spliced(body, edits)


def without_members(body: bytes, place: Span, names: frozenset[str]) -> list[Edit]:
    """The edits that take these members out of the object at `place`."""
    members = list(spans.members(body, place))
    out = [index for index, member in enumerate(members) if member.key in names]
    return cut([Span(member.key_start, member.value.end) for member in members], out) if out else []
