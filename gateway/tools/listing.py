"""The tools of a `tools/list` result: read them, or take some out of the bytes.

Source: Model Context Protocol 2024-11-05 … 2026-07-28, "Listing Tools" and "Caching".
Looked at by its form, not by what was asked: an answer that is resumed comes on another request's stream.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from gateway.frames import sse
from gateway.tools import spans
from gateway.tools.spans import Span, UnreadableError
from gateway.tools.splices import Edit, cut, edited

DIGESTED = (
    "title",
    "description",
    "inputSchema",
    "outputSchema",
    "annotations",
    "input_schema",
    "output_schema",
)
_REPEATED = " (repeated)"
_REPEATS = tuple(key + _REPEATED for key in DIGESTED)
NUMBER_LENGTH_MAX = 300
KEPT_BYTES_MAX = 16_384
Refused = Collection[str] | Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ListedTool:
    """One tool as a server lists it. `digest`: SHA-256 (hex) of `definition`, the canonical JSON of what says how to
    use it. `odd`: a fault of the listing itself, '' for none (`repeated-key`, `too-deep`)."""

    name: str
    definition: str
    digest: str
    parts: Mapping[str, Any]
    odd: str = ""

    @property
    def description(self) -> str:
        """What a model reads of it."""
        text = self.parts.get("description")
        return text if isinstance(text, str) else ""

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The server's own word on what it does: hints, no facts."""
        hints = self.parts.get("annotations")
        return hints if isinstance(hints, dict) else {}


def has_tools(data: bytes) -> bool:
    """Whether there can be a listing in it; a quick no."""
    return spans.may_have(data, b'"tools"')


def tools_in(raw: bytes, *, event: bool = False) -> list[ListedTool]:
    """The tools that a body lists, or an SSE event's block; none where it lists none or cannot be read."""
    if not has_tools(raw):
        return []
    data = sse.fields(raw).data if event else raw
    try:
        return [tool for _, items in _listings(data) for item in items for tool in _at(data, item)]
    except UnreadableError:
        return []


def without(raw: bytes, refused: Refused, *, event: bool = False) -> bytes:
    """`raw` (a body, or with `event` an SSE event's block) without the tools of these names; else byte for byte.

    What is filtered for one principal must not be cached for another, also when nothing was taken out for the one
    that may call everything: a `cacheScope` becomes `private`. What cannot be read is left as it is.
    """
    hit = refused if callable(refused) else frozenset(refused).__contains__
    return edited(raw, event, lambda data: _cuts(data, hit)) if has_tools(raw) else raw


def _cuts(data: bytes, hit: Callable[[str], bool]) -> list[Edit]:
    edits: list[Edit] = []
    try:
        for result, items in _listings(data):
            gone = [i for i, item in enumerate(items) if any(hit(tool.name) for tool in _at(data, item))]
            edits += cut(items, gone)
            edits += [e for e in _made_private(data, result) if e not in edits]
    except UnreadableError:
        return []
    return edits


def _made_private(data: bytes, result: Span) -> list[Edit]:
    scopes = spans.at_path(data, result, "cacheScope")
    return [Edit(*each, b'"private"') for each in scopes if spans.text_at(data, each) != "private"]


def _listings(data: bytes) -> Iterator[tuple[Span, list[Span]]]:
    """Each result that has a list of tools, with the places of its tools."""
    for message in spans.messages(data):
        for result in spans.at_path(data, message, "result"):
            for tools in spans.at_path(data, result, "tools"):
                yield result, list(spans.elements(data, tools))


def _at(data: bytes, item: Span) -> tuple[ListedTool, ...]:
    raw = data[item.start : item.end]
    return _kept(raw) if len(raw) <= KEPT_BYTES_MAX else _read(raw)


def _read(raw: bytes) -> tuple[ListedTool, ...]:
    """The tool that `raw` is; none without a name, two where the name comes twice: a client may take either."""
    names = spans.texts_at(raw, spans.whole(raw), "name")
    if not names:
        return ()
    odd = _Oddity()
    try:
        known = odd.loads(raw)
        definition = canonical({key: known[key] for key in (*DIGESTED, *_REPEATS) if key in known})
        parts = json.loads(definition)
    except RecursionError:
        odd.found, definition, parts = "too-deep", raw.decode("utf-8", "backslashreplace"), {}
    except ValueError as exc:
        raise UnreadableError(str(exc)) from exc
    digest = sha256(definition.encode("utf-8", "surrogatepass")).hexdigest()
    return tuple(ListedTool(name, definition, digest, parts, odd.found) for name in dict.fromkeys(names))


_kept = lru_cache(maxsize=1024)(_read)  # a server lists the same tools again and again


class _Oddity:
    """Reads JSON and keeps what readers disagree about, so that it is part of the digest."""

    def __init__(self) -> None:
        self.found = ""

    def loads(self, raw: bytes) -> dict[str, Any]:
        text = raw.decode("utf-8", "surrogatepass")
        known = json.loads(
            text, strict=False, object_pairs_hook=self._object, parse_float=_float, parse_int=_int
        )
        return known if isinstance(known, dict) else {}

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        known = dict(pairs)
        if len(known) == len(pairs):
            return known
        self.found = "repeated-key"
        for key in [key for key in known if sum(k == key for k, _ in pairs) > 1]:
            known[key + _REPEATED] = [value for k, value in pairs if k == key][:-1]
        return known


def canonical(value: object) -> str:
    """One text for all writings of a JSON value: as RFC 8785, but in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _float(literal: str) -> float | int | str:
    number = float(literal)
    if number.is_integer() and abs(number) < 1e21:
        return int(number)
    return literal if number in (float("inf"), float("-inf")) else number


def _int(literal: str) -> int | str:
    return int(literal) if len(literal) <= NUMBER_LENGTH_MAX else literal
