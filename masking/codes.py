"""Texts inside texts that are written in codes: percent-encoding in URLs and forms, entities in XML and
HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from masking.offsets import OffsetMap


class Code(NamedTuple):
    """`trigger` tells that a text has some of it, `run` finds the stretches, `escape` one escape in them."""

    trigger: str
    run: re.Pattern[str]
    escape: re.Pattern[str]
    unescape: Callable[[str], str]
    quote: Callable[[str], str]


class Stretch(NamedTuple):
    """A stretch [start, end) of a view, what it stands for, and the way back."""

    start: int
    end: int
    view: str
    offsets: Callable[[], OffsetMap]


def _percent(escape: str) -> str:
    return chr(int(escape[1:], 16))


def _entity(escape: str) -> str:
    return html.unescape(escape).encode("utf-8", "surrogatepass").decode("latin-1")


def _as_percent(text: str) -> str:
    return text.replace("'", "%27").replace('"', "%22")


def _as_entity(text: str) -> str:
    return text.replace("'", "&apos;").replace('"', "&quot;")


# A run is only looked for where one can begin: else a long one without an escape is read anew from each place in it.
CODES = (
    Code(
        r"%(?:[2-7][0-9A-Fa-f]|0[AaDd])",
        re.compile(r"(?<![^\s\"'<>\\%])[^\s\"'<>\\%]*+%[0-9A-Fa-f]{2}[^\s\"'<>\\]*+"),
        re.compile(r"(%[0-9A-Fa-f]{2})"),
        _percent,
        _as_percent,
    ),
    Code(
        r"&(?:quot|apos|amp|lt|gt|#[xX]?[0-9A-Fa-f]{1,5});",
        re.compile(r"(?<![^<>&])[^<>&]*+&(?:[a-z]{2,5}|#[xX]?[0-9A-Fa-f]{1,5});[^<>]*+"),
        re.compile(r"(&(?:quot|apos|amp|lt|gt|#[xX]?[0-9A-Fa-f]{1,5});)"),
        _entity,
        _as_entity,
    ),
)


def stretches(view: str, code: Code) -> Iterator[Stretch]:
    """The stretches of a view that are written in this code, decoded."""
    for match in code.run.finditer(view):
        raw = match.group()
        yield Stretch(
            match.start(),
            match.end(),
            code.escape.sub(lambda escape: code.unescape(escape[1]), raw),
            partial(OffsetMap, raw, code.escape, lambda escape: len(code.unescape(escape))),
        )
