"""Task ids in what upstream says: the asker's are sealed for the asker, those of others stay away."""

from collections.abc import Iterator

from gateway.frames import sse
from gateway.tools import spans
from gateway.tools.seals import Seal
from gateway.tools.spans import Span, UnreadableError
from gateway.tools.splices import Edit, cut, edited, without_messages
from gateway.tools.tasks import RELATED, Mine, may_name_tasks


def seal_tasks(raw: bytes, seal: Seal, mine: Mine, *, event: bool = False) -> bytes:
    """What upstream says with the task ids of this principal sealed; what tells of others' tasks is taken out.

    An answer's task is the asker's. A list holds those that are `mine`, and so do notifications.
    """
    if not may_name_tasks(raw):
        return raw
    raw = without_messages(raw, event, lambda text, message: _tells_of_others(text, message, mine))
    return edited(raw, event, lambda data: _seal_edits(data, seal, mine))


def answered_tasks(raw: bytes, *, event: bool = False) -> list[str]:
    """Ids of tasks that an answer names: they are the asker's, to be noted. Not those of a list."""
    if not may_name_tasks(raw):
        return []
    data = sse.fields(raw).data if event else raw
    try:
        return [
            text
            for message in spans.messages(data)
            for place in _of_answer(data, message)[0]
            if (text := spans.text_at(data, place)) is not None
        ]
    except UnreadableError:
        return []


def _of_answer(data: bytes, message: Span) -> tuple[list[Span], list[Span]]:
    """Places of the ids of the asker's task, and of lists of tasks."""
    places: list[Span] = []
    lists: list[Span] = []
    for result in spans.at_path(data, message, "result"):
        ids, tasks, metas, listed = spans.parts(data, result, "taskId", "task", "_meta", "tasks")
        places += ids
        places += [place for task in tasks for place in spans.at_path(data, task, "taskId")]
        places += [place for meta in metas for place in spans.at_path(data, meta, RELATED, "taskId")]
        lists += listed
    return places, lists


def _seal_edits(data: bytes, seal: Seal, mine: Mine) -> list[Edit]:
    try:
        return [edit for message in spans.messages(data) for edit in _sealed_in(data, message, seal, mine)]
    except UnreadableError:
        return []


def _sealed_in(data: bytes, message: Span, seal: Seal, mine: Mine) -> Iterator[Edit]:
    places, lists = _of_answer(data, message)
    for tasks in lists:
        items = list(spans.elements(data, tasks))
        others = [i for i, item in enumerate(items) if not all(map(mine, _ids(data, item)))]
        yield from cut(items, others)
        kept = (item for i, item in enumerate(items) if i not in others)
        places += [place for item in kept for place in spans.at_path(data, item, "taskId")]
    for place in places:
        if (text := spans.text_at(data, place)) is not None:
            yield seal.closing(place, text, "task")
    for place in _of_notice(data, message):
        if (text := spans.text_at(data, place)) is not None and mine(text):
            yield seal.closing(place, text, "task")


def _of_notice(data: bytes, message: Span) -> list[Span]:
    """Ids in what upstream says unasked; `tasks/…` requests of its own speak of the client's tasks."""
    places = spans.at_path(data, message, "params", "_meta", RELATED, "taskId")
    return places + (_status(data, message) if _is_status(data, message) else [])


def _status(data: bytes, message: Span) -> list[Span]:
    return spans.at_path(data, message, "params", "taskId") + spans.at_path(
        data, message, "params", "task", "taskId"
    )


def _is_status(data: bytes, message: Span) -> bool:
    return any(m.startswith("notifications/tasks") for m in spans.texts_at(data, message, "method"))


def _tells_of_others(data: bytes, message: Span, mine: Mine) -> bool:
    if not _is_status(data, message):
        return False
    named = (spans.text_at(data, place) for place in _status(data, message))
    return not all(text is not None and mine(text) for text in named)


def _ids(data: bytes, item: Span) -> list[str]:
    return spans.texts_at(data, item, "taskId")
