"""Names and addresses in the deep pass: the model and the rules of context together, on what of a body is prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b

from masking.found import Found
from masking.names_context import COMMON, Entity, in_context
from masking.names_keys import by_key
from masking.names_lists import PRODUCTS, UPPER
from masking.names_model import NamesMissingError, NamesModel, Word
from masking.names_text import Stretch, stretches
from masking.pii import identifiers

MODEL_CHARS_MAX = 8_000
"""Characters of one text that the model reads, about a third of a second; what follows is left to the rules."""

RULES_CHARS_MAX = 250_000
"""Characters of one text that the rules read, about a second; what follows only has its identifiers masked."""

KEPT_MAX = 4_096
"""Texts whose entities are kept in memory, as places under a digest: tool lists come again and again."""

_BRIDGE = re.compile(r"[\s,.'’\-]{0,3}(?:\n[>\s]*)?")
_WORD = re.compile(rf"[{UPPER}][\w’'-]{{2,}}")
_ATTACHED = re.compile(r"[_/@=]|[-.:]\w")
_DIGIT = re.compile(r"\d")
_BLOCK = re.compile(r"(?m)^(?:[> \t]*+[^\n.:?!]{2,48}\n){3,8}[> \t]*+[^\n.:?!]{2,48}$")
_LINE = re.compile(r"(?m)^[> \t]*+(?P<it>\S[^\n]*?)[ \t]*$")
_SPEAKER = re.compile(rf"(?m)^(?P<it>[{UPPER}][\w’'-]+(?: [{UPPER}][\w’'.-]+){{0,2}}): ")


class Names:
    """Finds persons, addresses, organisations, places, ages and dates. Without a model by the rules alone."""

    def __init__(self, model: NamesModel | None) -> None:
        self._model = model
        self._kept: dict[bytes, tuple[Entity, ...]] = {}

    def __call__(self, view: str) -> list[Found]:
        """What is to be masked in a view (one character a byte)."""
        left = MODEL_CHARS_MAX
        found = list(by_key(view))
        for stretch in stretches(view):
            if left <= MODEL_CHARS_MAX - RULES_CHARS_MAX:
                break
            entities = self._remembered(stretch.text, left)
            left -= len(stretch.text)
            found += (_found(stretch, entity) for entity in entities)
        return found

    def entities(self, text: str) -> list[Entity]:
        """The entities of a text that is prose: in order and without overlap."""
        return self._entities(text, MODEL_CHARS_MAX)

    def _remembered(self, text: str, left: int) -> tuple[Entity, ...]:
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() + bytes(
            [left >= len(text)]
        )
        if key not in self._kept:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[key] = tuple(self._entities(text, left))
        return self._kept[key]

    def _entities(self, text: str, left: int) -> list[Entity]:
        head = text[: max(0, left)]
        words = self._model.words(head) if self._model and head else []
        found = [*_plausible(text, _merged(text, words)), *in_context(text)]
        found += _speakers(text, found)
        found += _again(text, found)
        found += _in_blocks(text, found)
        return united(found)


def _merged(text: str, words: Iterable[Word]) -> Iterator[Entity]:
    """Words of one kind that only a sign or a break parts are one entity."""
    run: list[Word] = []
    for word in words:
        if run and not (word.kind == run[-1].kind and _BRIDGE.fullmatch(text, run[-1].end, word.start)):
            yield Entity(run[0].start, run[-1].end, run[0].kind)
            run = []
        run.append(word)
    if run:
        yield Entity(run[0].start, run[-1].end, run[0].kind)


def _plausible(text: str, found: Iterable[Entity]) -> Iterator[Entity]:
    """Without what is a piece of a machine's word, a number alone, or in small letters among capitals."""
    small = text.islower()
    for one in found:
        value, before, after = text[one.start : one.end], text[: one.start][-2:], text[one.end : one.end + 2]
        lettered = any(map(str.isalpha, value))
        written = small or any(map(str.isupper, value)) or " " in value or not value.isascii()
        known = all(word.lower() in PRODUCTS for word in value.split())
        if (
            lettered
            and written
            and not known
            and not _ATTACHED.match(after)
            and not _ATTACHED.match(before[::-1])
        ):
            yield one


def _speakers(text: str, found: list[Entity]) -> list[Entity]:
    """Where one line begins with the name of who speaks, the others do too."""
    lines = [Entity(*match.span("it"), "person") for match in _SPEAKER.finditer(text)]
    persons = {(one.start, one.end) for one in found if one.kind == "person"}
    known = any((line.start, line.end) in persons for line in lines)
    return lines if known and len(lines) > 1 else []


def _again(text: str, found: list[Entity]) -> Iterator[Entity]:
    """A word of a person's name is of that person wherever it returns in the text."""
    persons = [one for one in found if one.kind == "person"]
    words = (word.group() for one in persons for word in _WORD.finditer(text, one.start, one.end))
    names = {word for word in words if word.lower() not in COMMON}
    for match in _WORD.finditer(text):
        if match.group() in names:
            yield Entity(*match.span(), "person")


def _in_blocks(text: str, found: list[Entity]) -> Iterator[Entity]:
    """All lines of a postal block: short lines below each other, one of them of an address, one of a person."""
    if not any(one.kind == "address" for one in found):
        return
    for block in _BLOCK.finditer(text):
        start, end = block.span()
        inside = [one for one in found if start <= one.start < end]
        digits = any(one.kind == "address" and _DIGIT.search(text, one.start, one.end) for one in inside)
        if digits and any(one.kind == "person" for one in inside):
            for line in _LINE.finditer(text, start, end):
                yield Entity(*line.span("it"), "address")


def united(found: Iterable[Entity]) -> list[Entity]:
    """Sorted and without overlap: what overlaps becomes one, of the kind that begins first."""
    kept: list[Entity] = []
    for one in sorted(found, key=lambda entity: (entity.start, -entity.end)):
        if one.start >= one.end:
            continue
        if kept and one.start < kept[-1].end:
            kept[-1] = kept[-1]._replace(end=max(kept[-1].end, one.end))
        else:
            kept.append(one)
    return kept


def _found(stretch: Stretch, entity: Entity) -> Found:
    secret = stretch.text[entity.start : entity.end].encode("utf-8", "surrogatepass").decode("latin-1")
    start, end = stretch.raw(entity.start), stretch.raw(entity.end)
    return Found(start, end, f"name:{entity.kind}", entity.kind, secret)


def available() -> tuple[Names, str]:
    """(the detector, why it has to do without the model or ''): what a process tells when it starts."""
    try:
        return Names(NamesModel()), ""
    except NamesMissingError as error:
        return Names(None), str(error)


@lru_cache(maxsize=1)
def _names() -> Names:
    return Names(NamesModel())


def entities(text: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of all personal data in a text, identifiers included: what evaluations ask for.

    Raises NamesMissingError without the extra `names`.
    """
    found = [*_names().entities(text), *(Entity(*one) for one in identifiers(text))]
    return [(one.start, one.end, one.kind) for one in united(found)]
