"""One exchange as a page shows it: request beside answer, a stream as a stream, a terminal as one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.web.pages.replay_body import Body, body_of, is_binary, raw_body
from console.web.pages.replay_lines import Line, laid_out
from console.web.pages.replay_marks import Mark, Marker
from console.web.pages.replay_terminal import CHANNEL, STREAMS, transcript
from console.web.pages.replay_tree import NoJsonError, member, parsed
from sinks.readers import Frame
from sinks.words import outcome

FRAMES_SHOWN = 200
STREAM_FROM = 3  # so many answers are shown as a stream
OPEN_FIRST = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame and its body. `label`: what it is, of a stream's frames; `open`: shown at first sight."""

    frame: Frame
    body: Body
    label: str
    ended: str
    open: bool = True

    @property
    def after(self) -> str:
        """How long after the request."""
        micros = self.frame["elapsed_us"]
        return f"+{micros / 1000:.1f} ms" if micros < 1_000_000 else f"+{micros / 1_000_000:.2f} s"


@dataclass(frozen=True, slots=True)
class View:
    """`kind`: call, stream or terminal. `more`: there are more frames than are shown. `said`: lines of a terminal."""

    kind: str
    requests: list[Shown]
    answers: list[Shown]
    marks: list[Mark]
    more: bool
    transcript: list[Line]
    reasons: list[str]

    @property
    def first(self) -> Frame | None:
        """Its first frame."""
        every = [*self.requests, *self.answers]
        return every[0].frame if every else None


def view_of(frames: Sequence[Frame], form: str = "", shown: int = FRAMES_SHOWN) -> View:
    """Of the frames of one exchange in order; `form` as in `body_of`."""
    kept = list(frames[:shown])
    reasons = list(dict.fromkeys(frame["reason"] for frame in frames if frame["reason"]))
    if any(frame["attributes"].get(CHANNEL, "") in STREAMS for frame in frames):
        rest = [frame for frame in kept if frame["attributes"].get(CHANNEL, "") not in STREAMS]
        views = [_shown(frame, form) for frame in rest]
        marks = _all_marks(frames)
        return View("terminal", *_sides(views), marks, len(frames) > shown, transcript(frames), reasons)
    answered = [frame for frame in kept if frame["direction"] != "request" and frame["body"]]
    stream = len(answered) >= STREAM_FROM
    opened = {frame["frame_id"] for frame in answered[:OPEN_FIRST]}
    views = [
        _shown(
            frame, form, opened=not stream or frame["direction"] == "request" or frame["frame_id"] in opened
        )
        for frame in kept
    ]
    return View("stream" if stream else "call", *_sides(views), [], len(frames) > shown, [], reasons)


def label_of(frame: Frame) -> str:
    """What a frame of a stream is: `MODIFIED Pod prod/web-1`, `notifications/progress`, its channel."""
    channel = frame["attributes"].get(CHANNEL, "")
    if channel:
        return channel
    text = frame["body"]
    if frame["body_base64"] or not text:
        return frame["method"] if frame["direction"] != "end" else "end"
    data = (
        text.partition("data:")[2].partition("\n")[0] if text.startswith(("event:", "id:", "data:")) else text
    )
    try:
        tree = parsed(data)
    except NoJsonError:
        return ""
    ends = [name for name in ("error", "result") if member(tree, name) is not None]
    return _watched(tree) or _text(member(tree, "method")) or "".join(ends[:1]).replace("result", "answer")


def _watched(tree: Any) -> str:
    kind, item = _text(member(tree, "type")), member(tree, "object")
    if not kind or item is None:
        return ""
    place = [_text(member(item, "metadata", name)) for name in ("namespace", "name")]
    return " ".join(filter(None, (kind, _text(member(item, "kind")), "/".join(filter(None, place)))))


def _shown(frame: Frame, form: str, *, opened: bool = True) -> Shown:
    body = body_of(frame, form) if opened or frame["redactions"] else _closed(frame)
    return Shown(frame, body, label_of(frame), outcome(frame), opened)


def _closed(frame: Frame) -> Body:
    """Of a stream's later frames the first line alone, until somebody opens them."""
    raw = raw_body(frame)
    if not raw or is_binary(raw):
        return Body("none", bytes=len(raw))
    head = raw[:200].decode("utf-8", "replace").partition("\n")[0]
    return Body("text", laid_out(head, Marker(b"", ())), bytes=len(raw), cut="head")


def _sides(views: list[Shown]) -> tuple[list[Shown], list[Shown]]:
    asked = [each for each in views if each.frame["direction"] == "request"]
    return asked, [each for each in views if each.frame["direction"] != "request"]


def _all_marks(frames: Sequence[Frame]) -> list[Mark]:
    found = [item for frame in frames for item in frame["redactions"]]
    return [Mark(at, each["path"], each["rule"], each["pseudonym"], True) for at, each in enumerate(found, 1)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
