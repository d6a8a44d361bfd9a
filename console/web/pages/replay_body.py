"""One frame as a reader sees it: its body laid out, what is said in it, and its redactions explained. Pure."""

from base64 import b64decode
from dataclasses import dataclass, field

from console.web.pages.replay_lines import Layout, as_text, laid_out, laid_out_tree, tree_of
from console.web.pages.replay_marks import Mark, Marker
from console.web.pages.replay_said import Said, said
from sinks.readers import Frame

LAID_OUT_BYTES_MAX = 512 * 1024
SHOWN_BYTES_MAX = 64 * 1024
BINARY_SHOWN_MAX = 1_024
TEXT_BYTES = frozenset([9, 10, 13, 27, *range(32, 127), *range(128, 256)])
BINARY_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Body:
    """`said`: what a person would want to read first. `kind`: json, text, event, binary or none. `fields`: those of
    a server-sent event beside its data."""

    kind: str
    layout: Layout = field(default_factory=lambda: Layout("text"))
    said: list[Said] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    bytes: int = 0
    cut: str = ""


def body_of(frame: Frame, form: str = "") -> Body:
    """`form`: `yaml` lays JSON out as YAML."""
    raw = raw_body(frame)
    if not raw:
        return Body("none", marks=Marker(b"", frame["redactions"]).marks)
    if is_binary(raw):
        return _binary(raw, frame)
    cut = ""
    if len(raw) > LAID_OUT_BYTES_MAX:
        cut = f"The first {SHOWN_BYTES_MAX:,} of {len(raw):,} bytes."
        raw = raw[:SHOWN_BYTES_MAX]
    marker = Marker(raw, frame["redactions"])
    if frame["content_type"].startswith("text/event-stream"):
        return _event(marker, form, len(raw), cut)
    return _body(marker.text, marker, form, len(raw), cut)


def raw_body(frame: Frame) -> bytes:
    """The masked body, byte for byte."""
    return (
        b64decode(frame["body"]) if frame["body_base64"] else frame["body"].encode("utf-8", "surrogatepass")
    )


def is_binary(raw: bytes) -> bool:
    """Whether a person cannot read it: control characters all over. A few wrong bytes leave a text a text."""
    head = raw[:8_192]
    odd = sum(1 for byte in head if byte not in TEXT_BYTES)
    return b"\0" in head or odd > len(head) * BINARY_SHARE or _mostly_high(head)


def hex_lines(raw: bytes, limit: int) -> list[str]:
    """As `hexdump -C`: offset, bytes, and the letters among them."""
    lines = []
    for at in range(0, min(len(raw), limit), 16):
        row = raw[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  {letters}")
    return lines


def _body(text: str, marker: Marker, form: str, size: int, cut: str) -> Body:
    tree = tree_of(text, marker)
    if tree is None:
        layout = as_text(text, marker)
        return Body("text", layout, [], marker.marks, bytes=size, cut=cut or layout.cut)
    layout = laid_out_tree(tree, marker, form)
    return Body("json", layout, said(tree, marker, form), marker.marks, bytes=size, cut=cut or layout.cut)


def _event(marker: Marker, form: str, size: int, cut: str) -> Body:
    """The data lines joined, as a client would read them."""
    data: list[str] = []
    fields: list[tuple[str, str]] = []
    for line in marker.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif line:
            fields.append((name or "comment", marker.plain(value)))
    found = _body("\n".join(data), marker, form, size, cut)
    return Body("event", found.layout, found.said, found.marks, fields, size, found.cut)


def _binary(raw: bytes, frame: Frame) -> Body:
    marker = Marker(raw, frame["redactions"])
    cut = f"The first {BINARY_SHOWN_MAX:,} of {len(raw):,} bytes." if len(raw) > BINARY_SHOWN_MAX else ""
    text = "\n".join(hex_lines(raw, BINARY_SHOWN_MAX))
    return Body("binary", laid_out(text, Marker(b"", ())), [], marker.marks, bytes=len(raw), cut=cut)


def _mostly_high(head: bytes) -> bool:
    """Bytes beyond ASCII that are no UTF-8 for the most part."""
    return head.decode("utf-8", "replace").count("\ufffd") > max(4, len(head) * BINARY_SHARE)
