"""What a terminal session said, as text that does nothing: no escape sequences, streams told apart. Pure."""

import codecs
import re
from collections.abc import Sequence

from console.web.pages.replay_body import raw_body
from console.web.pages.replay_lines import Line, Piece, as_text
from console.web.pages.replay_marks import Marker
from sinks.readers import Frame

CHANNEL = "k8s.channel"
STREAMS = frozenset(("stdin", "stdout", "stderr"))
LINES_MAX = 1_000

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC with what they hold
    r"|\x1b[ -/]*[0-~]"  # two characters, or character sets
    r"|\x9b[0-?]*[ -/]*[@-~]"
)


def inert(text: str) -> str:
    """Without escape sequences; a line that was written anew stands on its own."""
    return _SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\x07", "")


def transcript(frames: Sequence[Frame]) -> list[Line]:
    """Lines of what was typed and of what came back, each stream begun on a line of its own."""
    lines: list[Line] = []
    stream = ""
    decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in STREAMS}
    for frame in frames:
        channel = frame["attributes"].get(CHANNEL, "")
        if channel not in STREAMS or not frame["body"]:
            continue
        if len(lines) > LINES_MAX:
            lines.append([Piece("… and more: the player and the film have all of it", "cut")])
            break
        marker = Marker(raw_body(frame), frame["redactions"])
        raw = raw_body(frame)
        text = decoders[channel].decode(raw) if not frame["redactions"] else marker.text
        new = as_text(inert(text), marker).lines
        if channel != stream:
            lines.append([Piece(channel, "channel")])
            lines += new
        else:
            lines[-1] = [*lines[-1], *new[0]]
            lines += new[1:]
        stream = channel
    return lines
