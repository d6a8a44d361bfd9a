"""Rules are data: `rules/*.toml`, read once. Each rule has an id, the kind its pseudonym shows, and a pattern.

The group named `secret` (or the whole match) is what gets replaced. Patterns are bounded in width.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from masking.patterns import width


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern. `filters` names the checks of `filters.py` a match has to pass; `entropy` is bits a character."""

    id: str
    kind: str
    pattern: re.Pattern[str]
    width: int
    filters: tuple[str, ...] = ()
    entropy: float = 0.0
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()


_NAMES_TOGETHER = 60
"""Names in one alternation: Hyperscan refuses patterns that are too large."""


def rules_from(entry: dict[str, object]) -> Iterator[Rule]:
    """The rules of a TOML table: one, or one for each group of its `names`, which stand at `{names}`."""
    names = _strings(entry.get("names"))
    if not names:
        yield rule_from(entry)
    for first in range(0, len(names), _NAMES_TOGETHER):
        group = "|".join(map(re.escape, names[first : first + _NAMES_TOGETHER]))
        yield rule_from(entry | {"pattern": str(entry.get("pattern")).replace("{names}", f"(?:{group})")})


def rule_from(entry: dict[str, object]) -> Rule:
    """A rule from its TOML table. Raises ValueError naming the rule and what is wrong with it."""
    identity = str(entry.get("id", ""))
    unknown = entry.keys() - _FIELDS
    if not identity or "pattern" not in entry or unknown:
        raise ValueError(f"masking rule {identity!r}: needs id and pattern, does not know {sorted(unknown)}")
    text = str(entry["pattern"])
    try:
        pattern = re.compile(text, re.ASCII)
        widest = width(text)
    except (re.error, ValueError) as error:
        raise ValueError(f"masking rule {identity!r}: {error}") from error
    return Rule(
        id=identity,
        kind=str(entry.get("kind", identity)),
        pattern=pattern,
        width=widest,
        filters=_strings(entry.get("filters")),
        entropy=float(str(entry.get("entropy", 0.0))),
        examples=_strings(entry.get("examples")),
        counter_examples=_strings(entry.get("counter_examples")),
    )


_FIELDS = {"id", "kind", "pattern", "filters", "entropy", "examples", "counter_examples", "names"}


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def parse(document: str) -> tuple[Rule, ...]:
    """The rules of one TOML document with `[[rule]]` tables."""
    return tuple(rule for entry in tomllib.loads(document).get("rule", []) for rule in rules_from(entry))


@lru_cache(maxsize=1)
def built_in() -> tuple[Rule, ...]:
    """The rules that come with Sluicegate, in file and document order."""
    folder = files("masking") / "rules"
    documents: Iterable[str] = (
        entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    )
    return tuple(rule for document in documents for rule in parse(document))
