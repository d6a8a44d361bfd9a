"""One Hyperscan database over all patterns, scanned once a string.

It answers with pattern numbers and offsets. Three traps of the binding shape this file: the match handler
must outlive the scan (an inline lambda crashes the process), one scratch may not be used by two threads
at once, and start offsets are unavailable for a third of all patterns.
"""

from __future__ import annotations

import hashlib
import importlib
import platform
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from masking import cache


def _binding() -> Any:
    """The Hyperscan binding, or None on a platform without a wheel: the slower scanner has the same
    results.
    """
    try:
        return importlib.import_module("hyperscan")
    except ImportError:
        return None


hyperscan: Any = _binding()

Hit = tuple[int, int, int]
"""(trigger number, start, end); the start is 0 where the trigger does not ask for it."""


class Trigger(NamedTuple):
    """A pattern of the database. `once` reports only the first match, where presence is the question;
    `starts` reports where a match begins, for each of its ends the leftmost: it costs, so only a few
    patterns ask for it.
    """

    pattern: str
    caseless: bool = False
    once: bool = False
    starts: bool = False


class Scanner(Protocol):
    """Finds the ends of all matches of all triggers in one pass."""

    def scan(self, raw: bytes) -> list[Hit]:
        """Hits, by end: for each match that `re` would find, at least one that ends in it."""
        ...


def _collect(number: int, start: int, end: int, _flags: int, hits: list[Hit]) -> None:
    hits.append((number, start, end))


class HyperscanScanner:
    """All triggers in one compiled database; safe to use from any number of threads."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._local = threading.local()
        self._handler = _collect

    @classmethod
    def compile(cls, triggers: Sequence[Trigger], folder: Path | None = None) -> HyperscanScanner:
        """Compile the triggers, or load what was compiled from the same ones before, if there is a folder
        for it.

        Raises hyperscan.error for a pattern that it cannot hold.
        """
        name = _name(triggers)
        kept = cache.load(folder, name) if folder else None
        if kept is not None:
            try:
                return cls(hyperscan.loadb(kept, hyperscan.HS_MODE_BLOCK))
            except hyperscan.error:
                pass  # from another version or processor: compile again
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=[t.pattern.encode("latin-1") for t in triggers],
            ids=list(range(len(triggers))),
            flags=[_flags(t) for t in triggers],
        )
        if folder:
            cache.store(folder, name, hyperscan.dumpb(database))
        return cls(database)

    def scan(self, raw: bytes) -> list[Hit]:
        """Every match, by end."""
        hits: list[Hit] = []
        try:
            scratch = self._local.scratch
        except AttributeError:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        self._database.scan(raw, match_event_handler=self._handler, context=hits, scratch=scratch)
        return hits


def _name(triggers: Sequence[Trigger]) -> str:
    """A file name for the database of these triggers, on this processor, by this version."""
    origin = repr((list(triggers), hyperscan.__version__, platform.machine(), platform.processor()))
    return f"patterns-{hashlib.sha256(origin.encode()).hexdigest()[:32]}.hsdb"


def _flags(trigger: Trigger) -> int:
    flags = hyperscan.HS_FLAG_CASELESS if trigger.caseless else 0
    flags |= hyperscan.HS_FLAG_SINGLEMATCH if trigger.once else 0
    return int(flags | (hyperscan.HS_FLAG_SOM_LEFTMOST if trigger.starts else 0))


class ReScanner:
    """The same answers by `re`, pattern by pattern: slower, for platforms without Hyperscan."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        self._patterns = [
            (number, re.compile(t.pattern.encode("latin-1"), re.IGNORECASE if t.caseless else 0), t.once)
            for number, t in enumerate(triggers)
        ]

    def scan(self, raw: bytes) -> list[Hit]:
        """Matches from every place where one begins, by end."""
        hits: list[Hit] = []
        for number, pattern, once in self._patterns:
            match = pattern.search(raw)
            while match:
                hits.append((number, match.start(), match.end()))
                match = None if once else pattern.search(raw, match.start() + 1)
        hits.sort(key=_by_end)
        return hits


def _by_end(hit: Hit) -> int:
    return hit[2]


def cached_scanner(triggers: Sequence[Trigger]) -> Scanner:
    """The fastest scanner this platform has; compiled databases are kept in the user's cache."""
    return ReScanner(triggers) if hyperscan is None else HyperscanScanner.compile(triggers, cache.directory())
