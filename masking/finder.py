"""Finds the secrets of one text: scan once, look into the windows, go into what is wrapped.

The way of a text: its view is scanned with all patterns at once; no hit, nothing to do (the common case
takes some microseconds). Hits go to the rule they belong to. String literals that hold escapes and a hit
are decoded and searched as texts of their own, so that every rule sees values as they are; what is found
there is mapped back, and the pseudonym is escaped the way its place needs. Base64 runs are decoded and
searched the same way, and go as a whole.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from masking import assignments, codes, columns, encodings, judge, kubernetes, literals
from masking.engine import Hit, Scanner, Trigger, cached_scanner
from masking.filters import passes
from masking.forms import KEPT_MAX
from masking.found import Found, outermost, quoted
from masking.literals import decode, decoded_literals, escape, escaped_literals
from masking.offsets import Offsets
from masking.paths import locate
from masking.patterns import trigger
from masking.pseudonym import WRITTEN, is_hinted
from masking.repeats import repeats
from masking.rules import Rule
from masking.windows import matches
from masking.work import Work

_INTO_VALUE = 12
"""How far into a value the patterns of `assignments.py` reach."""

_SECRET_KIND = Trigger(r"""kind\\*["']?\s*:\s*\\*["']?Secret""")
_ESCAPES = Trigger(r"\\(?:u00[2-7]|/)", once=True)
_RUNS = Trigger(encodings.RUN_TRIGGER, once=True)

Span = tuple[int, int]
Literal = tuple[int, int, str | None]
"""A literal with escapes between two offsets, and its decoded content where that is known."""


class _Level(NamedTuple):
    """One view, the literals in it that are views of their own, and how deep it is."""

    view: str
    wrapped: list[Literal]
    work: Work
    depth: int


class Finder:
    """All rules of a deployment, compiled; immutable, and safe to use from any number of threads."""

    def __init__(
        self, rules: Sequence[Rule], scanner_for: Callable[[Sequence[Trigger]], Scanner] = cached_scanner
    ) -> None:
        self.rules = tuple(rules)
        coded = [Trigger(code.trigger, once=True) for code in codes.CODES]
        named = [
            trigger(source, escaped=False)._replace(starts=True)
            for source in (assignments.STRONG, assignments.WEAK)
        ]
        special = [_SECRET_KIND, _ESCAPES, _RUNS, *named, *coded, Trigger(columns.TRIGGER)]
        self._secret_kind, self._escapes, self._runs, *self.assigned = range(len(rules), len(rules) + 5)
        self._columns = len(rules) + len(special) - 1
        self._codes = dict(zip(range(len(rules) + 5, len(rules) + 5 + len(coded)), codes.CODES, strict=True))
        triggers = [*(trigger(rule.trigger or rule.source) for rule in rules), *special]
        self._scanner = scanner_for(triggers)

    def hits(self, view: str) -> list[Hit]:
        """What the engine reports: nothing for most texts."""
        return self._scanner.scan(view.encode("latin-1"))

    def find(self, view: str, hits: list[Hit], work: Work, depth: int = 0) -> list[Found]:
        """The secrets of this view, in order and without overlap. Raises LimitCrossed."""
        if not hits:
            return []
        work.enter(depth)
        wrapped: list[Literal] = []
        if "\\" in view:
            hits, wrapped = self._split(view, hits)
        found = outermost(self._confirmed(_Level(view, wrapped, work, depth), hits))
        if found:
            found = _with_repeats(view, found, work)
        if found and is_hinted(view):
            found = _outside_pseudonyms(view, found)
        return _placed(view, found, wrapped) if found else found

    def _confirmed(self, level: _Level, hits: list[Hit]) -> list[Found]:
        """What the rules find and the profile does not leave, rule by rule."""
        found: list[Found] = []
        for items in self._by_kind(level, hits, found):
            found += [item for item in items if not level.work.stays(item.rule, item.secret)]
        fixed = level.work.fixed
        return [item for item in found if level.view[item.start : item.end] not in fixed] if fixed else found

    def _by_kind(self, level: _Level, hits: list[Hit], found: list[Found]) -> Iterator[Iterable[Found]]:
        """What each kind of hit leads to. `found` is what the kinds before have found."""
        view, wrapped, work, depth = level
        ends: dict[int, list[int]] = {}
        named: list[Span] = []
        for number, start, end in hits:
            if number in self.assigned:
                named.append((start, end))
            else:
                ends.setdefault(number, []).append(end)
        for number, places in sorted(ends.items()):
            if number == self._runs:
                yield self._in_runs(view, _gaps(wrapped, len(view)), work, depth)
            else:
                yield self._by_rule(view, number, places, work, depth)
        if named:
            covered = {(item.start, item.end) for item in found}
            yield _judged(
                (c for c in assignments.candidates(view, named) if (c.start, c.end) not in covered), work
            )
        for literal in wrapped:
            yield self._inside(view, literal, work, depth)

    def _by_rule(self, view: str, number: int, ends: list[int], work: Work, depth: int) -> Iterator[Found]:
        if number == self._secret_kind:
            yield from kubernetes.secrets(view, ends)
        elif number == self._columns:
            yield from _judged(columns.candidates(view, ends), work)
        elif number in self._codes:
            yield from self._in_code(view, self._codes[number], work, depth)
        elif number < len(self.rules):
            yield from _by_pattern(view, self.rules[number], ends, work)

    def _in_runs(self, view: str, gaps: Iterable[Span], work: Work, depth: int) -> Iterator[Found]:
        """Base64 runs that hold a secret; all of such a run goes, since its parts decode to parts of it."""
        for begin, end in gaps:
            for run in encodings.runs(view, begin, end, work):
                inner = self.find(run.view, self.hits(run.view), work, depth + 1)
                if inner:
                    secret = inner[0].secret if len(inner) == 1 else run.view
                    yield Found(run.start, run.end, inner[0].rule, inner[0].kind, secret, path=inner[0].path)

    def _in_code(self, view: str, code: codes.Code, work: Work, depth: int) -> Iterator[Found]:
        """What is found in stretches that are percent-encoded or written in entities."""
        for stretch in codes.stretches(view, code):
            inner = self.find(stretch.view, self.hits(stretch.view), work, depth + 1)
            offsets = stretch.offsets() if inner else None
            for item in inner:
                yield _moved(item, stretch.start, offsets, code.quote)

    def _split(self, view: str, hits: list[Hit]) -> tuple[list[Hit], list[Literal]]:
        """The hits of this level, and the escaped literals that hold the others."""
        everything = any(number == self._escapes for number, _, _ in hits)
        places = sorted([end for _, _, end in hits])
        decoded = decoded_literals(view)
        wrapped = [
            literal
            for literal in (_undecoded(view) if decoded is None else decoded)
            if _any_within(places, literal[0], literal[1])
            or (everything and _has_escapes(view, literal[0], literal[1]))
        ]
        if not wrapped:
            return hits, wrapped
        starts = [literal[0] for literal in wrapped]
        return [hit for hit in hits if self._stays(hit, wrapped, starts)], wrapped

    def _stays(self, hit: Hit, wrapped: list[Literal], starts: list[int]) -> bool:
        """Whether a hit is of this level: outside the literals, or of a name before one that it only just
        enters.
        """
        number, _, place = hit
        index = bisect_left(starts, place) - 1
        if index < 0 or place > wrapped[index][1] or number == self._runs or number in self._codes:
            return True
        return number in self.assigned and place - wrapped[index][0] < _INTO_VALUE

    def _inside(self, view: str, literal: Literal, work: Work, depth: int) -> Iterator[Found]:
        """What is found in the literal, where it stands in this view."""
        start, end, content = literal
        raw = view[start:end]
        plain = decode(raw) if content is None else content
        inner = self.find(plain, self.hits(plain), work, depth + 1)
        offsets = literals.offsets(raw, plain) if inner else None
        for item in inner:
            yield _moved(item, start, offsets, escape)


def _undecoded(view: str) -> Iterator[Literal]:
    return ((start, end, None) for start, end in escaped_literals(view))


def _with_repeats(view: str, found: list[Found], work: Work) -> list[Found]:
    """With further places of their values; most have none but their own."""
    places = {(item.start, item.end) for item in found}
    more = [item for item in repeats(view, found, work) if (item.start, item.end) not in places]
    return outermost(found + more) if more else found


def _gaps(wrapped: list[Literal], size: int) -> Iterator[Span]:
    """What lies outside of these literals."""
    begin = 0
    for start, end, _ in wrapped:
        yield begin, start
        begin = end
    yield begin, size


def _moved(item: Found, start: int, offsets: Offsets | None, quoted: Callable[[str], str]) -> Found:
    """A finding of a decoded text, where it stands in the raw one that begins at `start`."""
    if offsets is None:
        return item
    begin, end, rule, kind, secret, lead, trail, path = item
    return Found(
        start + offsets.raw(begin),
        start + offsets.raw(end),
        rule,
        kind,
        secret,
        quoted(lead) if lead else "",
        quoted(trail) if trail else "",
        path,
    )


def _outside_pseudonyms(view: str, found: list[Found]) -> list[Found]:
    """Without what touches a pseudonym: masking twice changes nothing."""
    masked = [match.span() for match in WRITTEN.finditer(view)]
    ends = [end for _, end in masked]

    def clear(item: Found) -> bool:
        # A few characters right beside a pseudonym are what a rule lets stay of its secret.
        touch = int(item.end - item.start <= KEPT_MAX)
        index = bisect_right(ends, item.start - touch)
        return index == len(masked) or masked[index][0] >= item.end + touch

    return [item for item in found if clear(item)]


def _placed(view: str, found: list[Found], wrapped: list[Literal]) -> list[Found]:
    """With the path of this level before what deeper levels have put there."""
    starts = [item.start for item in found]
    if wrapped:
        firsts = [literal[0] for literal in wrapped]
        starts = [_beginning(start, wrapped, firsts) for start in starts]
    return [
        quoted(view, item, f"{path} / {item.path}" if path and item.path else path or item.path)
        for item, path in zip(found, locate(view, starts), strict=True)
    ]


def _beginning(place: int, wrapped: list[Literal], firsts: list[int]) -> int:
    """Where the literal around this place begins, or the place itself outside of all."""
    index = bisect_right(firsts, place) - 1
    return firsts[index] if index >= 0 and place < wrapped[index][1] else place


def _has_escapes(view: str, start: int, end: int) -> bool:
    return view.find("\\u00", start, end) >= 0 or view.find("\\/", start, end) >= 0


def _any_within(places: list[int], start: int, end: int) -> bool:
    index = bisect_left(places, start)
    return index < len(places) and places[index] <= end


def _by_pattern(view: str, rule: Rule, ends: list[int], work: Work) -> Iterator[Found]:
    group = "secret" if "secret" in rule.pattern.groupindex else 0
    for match in matches(rule.pattern, view, ends, rule.reach, rule.width):
        work.go_on()
        value = match[group]
        if passes(value, rule.filters, rule.entropy):
            start = match.start(group) + len(value) - len(value.lstrip())
            trimmed = value.strip()
            yield Found(start, start + len(trimmed), rule.id, rule.kind, trimmed)


def _judged(candidates: Iterable[assignments.Candidate], work: Work) -> Iterator[Found]:
    """Values under telling names that the judge takes for secrets."""
    for candidate in candidates:
        work.go_on()
        if judge.is_secret(candidate):
            yield Found(
                candidate.start, candidate.end, "assignment", judge.kind_of(candidate), _plain(candidate)
            )


def _plain(candidate: assignments.Candidate) -> str:
    """The value as it is meant, so that it has the same pseudonym however it is quoted."""
    if candidate.quote == '"':
        return decode(candidate.value) if "\\" in candidate.value else candidate.value
    return candidate.value.replace("''", "'") if candidate.quote == "'" else candidate.value
