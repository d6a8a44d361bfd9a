"""A recorded terminal session as an asciicast, which terminal players show with its timing. Frames in, lines out.

Source: the asciicast v2 format, https://docs.asciinema.org/manual/asciicast/v2/.
"""

import codecs
import json
from base64 import b64decode
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sinks.readers import Frame

CHANNEL = "k8s.channel"
COLUMNS, ROWS = 80, 24
"""Of a terminal whose size nobody told."""

_OUTPUTS = ("stdout", "stderr")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # as Go's strconv.ParseBool


@dataclass(frozen=True, slots=True)
class Wanted:
    """`typed`: what the client sent is in it too. `idle_seconds`: a player shortens longer pauses to that."""

    typed: bool = False
    idle_seconds: float | None = None


async def cast(frames: AsyncIterable[Frame], wanted: Wanted) -> AsyncIterator[str]:
    """The lines of an asciicast of the frames of one exchange; none where it has no terminal's frames."""
    film: _Film | None = None
    waiting: list[Frame] = []
    async for frame in frames:
        channel = frame["attributes"].get(CHANNEL, "")
        if film is None:
            waiting.append(frame)
            if channel not in _OUTPUTS and channel != "stdin":
                continue
            film = _Film(waiting, wanted)
            yield film.header
        for event in film.events(frame, channel):
            yield json.dumps(event, ensure_ascii=False)
    if film is None and any(CHANNEL in frame["attributes"] for frame in waiting):
        yield _Film(waiting, wanted).header


class _Film:
    """Events of one session, counted from its first frame."""

    def __init__(self, begun: list[Frame], wanted: Wanted) -> None:
        self._wanted = wanted
        self._start = _seconds(begun[0])
        self._last = 0.0
        asked = parse_qs(urlsplit(begun[0]["http_path"]).query)
        self._tty = not _TRUE.isdisjoint(asked.get("tty", [])[:1])
        sizes = [size for frame in begun if (size := _size(frame))]
        self._size = sizes[-1] if sizes else (COLUMNS, ROWS)
        self._decoders = {name: _Decoder() for name in (*_OUTPUTS, "stdin")}
        self.header = json.dumps(self._head(begun[0], asked), ensure_ascii=False)

    def events(self, frame: Frame, channel: str) -> list[tuple[float, str, str]]:
        """What a player is to do because of this frame."""
        self._last = max(self._last, round(_seconds(frame) - self._start, 6))
        if channel == "resize":
            size = _size(frame)
            if not size or size == self._size:
                return []
            self._size = size
            return [(self._last, "r", f"{size[0]}x{size[1]}")]
        if channel not in _OUTPUTS and not (channel == "stdin" and self._wanted.typed):
            return []
        text = self._decoders[channel].text(frame)
        if (
            channel in _OUTPUTS and not self._tty
        ):  # nobody has put the carriage returns in that a terminal needs
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        return [(self._last, "i" if channel == "stdin" else "o", text)] if text else []

    def _head(self, first: Frame, asked: Mapping[str, list[str]]) -> dict[str, Any]:
        facts = first["attributes"]
        place = (facts.get("k8s.objectRef.namespace", ""), facts.get("k8s.objectRef.name", ""))
        head: dict[str, Any] = {
            "version": 2,
            "width": self._size[0],
            "height": self._size[1],
            "timestamp": int(self._start),
            "title": " ".join(
                filter(None, [first["connection"], "/".join(filter(None, place)), first["principal"]])
            ),
            "env": {"TERM": "xterm"},
        }
        if asked.get("command"):
            head["command"] = " ".join(asked["command"])
        if self._wanted.idle_seconds is not None:
            head["idle_time_limit"] = self._wanted.idle_seconds
        return head


@dataclass(slots=True)
class _Decoder:
    """Text of one channel: a character may begin in one frame and end in the next."""

    _decode: Any = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def text(self, frame: Frame) -> str:
        body = b64decode(frame["body"]) if frame["body_base64"] else frame["body"].encode()
        return str(self._decode.decode(body))


def _seconds(frame: Frame) -> float:
    return datetime.fromisoformat(frame["recorded_at"]).timestamp()


def _size(frame: Frame) -> tuple[int, int] | None:
    """Columns and rows that this frame tells; none for a size without any, which some clients send first."""
    if frame["attributes"].get(CHANNEL) != "resize":
        return None
    try:
        told = json.loads(frame["body"])
        size = int(told["Width"]), int(told["Height"])
    except (ValueError, KeyError, TypeError):
        return None
    return size if min(size) > 0 else None
