"""Task ids belong to the principal that made the task: sealed on the way to the client (`task_answers.py`), opened
here on the way back.

Source: Model Context Protocol 2025-11-25, "Tasks"; SEP-2663 (the tasks extension of 2026-07-28), which also mirrors
the id in `Mcp-Name`. Both sides may make tasks in 2025-11-25: ids of the client's own (for sampling) are left alone.
"""

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.frames.headers import Headers
from gateway.frames.modern import decoded
from gateway.tools import spans
from gateway.tools.seals import Fault, Seal, is_sealed
from gateway.tools.spans import Span, UnreadableError
from gateway.tools.splices import Edit, spliced

NOT_YOURS = "task_not_yours"
RELATED = "io.modelcontextprotocol/related-task"
OWN_TASKS_MAX = 10_000
_LISTEN = "subscriptions/listen"
Mine = Callable[[str], bool]


class OwnTasks:
    """Which tasks this process has seen to be whose, the latest `OWN_TASKS_MAX`: only a seal proves it elsewhere."""

    def __init__(self, maximum: int = OWN_TASKS_MAX) -> None:
        self._maximum = maximum
        self._known: OrderedDict[tuple[Seal, str], None] = OrderedDict()

    def note(self, seal: Seal, task: str) -> None:
        """The task is of the principal whose seal it is."""
        self._known[seal, task] = None
        self._known.move_to_end((seal, task))
        if len(self._known) > self._maximum:
            self._known.popitem(last=False)

    def of(self, seal: Seal) -> Mine:
        """Whether a task is known to be of the principal whose seal it is."""
        return lambda task: (seal, task) in self._known


class OpenedRequest(NamedTuple):
    """A request as upstream knows its tasks, and their ids."""

    body: bytes
    headers: Headers
    tasks: tuple[str, ...]


def open_tasks(body: bytes, headers: Headers, seal: Seal) -> OpenedRequest | Fault:
    """A client's message with its task ids as upstream gave them; a Fault when one belongs to somebody else.

    A request that names a task must name it sealed. Elsewhere (`_meta`, answers) an id without a seal is the client's
    own task.
    """
    if not may_name_tasks(body):
        return OpenedRequest(body, headers, ())
    edits: list[Edit] = []
    tasks: list[str] = []
    try:
        for message in spans.messages(body):
            for place, must in _named_by_client(body, message):
                text = spans.text_at(body, place) or ""
                if not must and not is_sealed(text):
                    continue
                edit = seal.opening(body, place, "task")
                if edit is None:
                    return Fault(NOT_YOURS, "the task was not made by this principal")
                edits.append(edit)
                tasks.append(seal.open(text, "task") or "")
    except UnreadableError as exc:
        return Fault(NOT_YOURS, str(exc))
    return OpenedRequest(spliced(body, edits), _renamed(headers, seal), tuple(tasks))


def task_of(body: bytes) -> str:
    """The task that a single request asks about, as it stands there; '' for none."""
    if not may_name_tasks(body):
        return ""
    try:
        message = spans.whole(body)
        methods = spans.texts_at(body, message, "method")
        named = spans.texts_at(body, message, "params", "taskId")
    except UnreadableError:
        return ""
    return named[-1] if named and methods and methods[-1].startswith("tasks/") else ""


def may_name_tasks(data: bytes) -> bool:
    """Whether there can be a task id in it; a quick no."""
    return spans.may_have(data, b'"task')


# -- from the client


def _named_by_client(body: bytes, message: Span) -> Iterator[tuple[Span, bool]]:
    """Places of task ids in a client's message, and whether each must be one of upstream's."""
    methods = spans.texts_at(body, message, "method")
    if any(method.startswith("tasks/") for method in methods):
        yield from ((place, True) for place in spans.at_path(body, message, "params", "taskId"))
    if _LISTEN in methods:
        for path in (("params", "taskIds"), ("params", "notifications", "taskIds")):
            for ids in spans.at_path(body, message, *path):
                yield from ((place, True) for place in spans.elements(body, ids))
    for part in ("params", "result"):
        yield from (
            (place, False) for place in spans.at_path(body, message, part, "_meta", RELATED, "taskId")
        )


def _renamed(headers: Headers, seal: Seal) -> Headers:
    """`Mcp-Name` with the id that upstream knows, where it carries a sealed one."""
    return [(name, _unsealed(value, seal) if name == b"mcp-name" else value) for name, value in headers]


def _unsealed(value: bytes, seal: Seal) -> bytes:
    task = seal.open(decoded(value) or "", "task")
    return value if task is None else header_value(task)


def header_value(text: str) -> bytes:
    """A text as a routing header carries it: as it is, or in its base64 form."""
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?"):
        return text.encode()
    return b"=?base64?" + base64.b64encode(text.encode("utf-8", "surrogatepass")) + b"?="
