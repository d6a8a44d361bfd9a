"""Rules are data: `rules/*.toml`, read once. Each rule has an id, the kind its pseudonym shows, and a
pattern.

The group named `secret` (or the whole match) is what gets replaced. Patterns are bounded in width.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

from masking.filters import FILTERS
from masking.forms import Form, form_from
from masking.patterns import reach, width


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern. `filters` names the checks of `filters.py` a match has to pass; `entropy` is bits a
    character.

    `trigger`, if given, is a pattern for the engine to look for instead of the one derived from `source`:
    every match of the source must contain the end of a match of it.
    """

    id: str
    kind: str
    source: str
    width: int
    reach: int
    trigger: str = ""
    filters: tuple[str, ...] = ()
    entropy: float = 0.0
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    form: Form | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern: made when its trigger first hits, since most never do."""
        return compiled(self.source)


@cache
def compiled(source: str) -> re.Pattern[str]:
    """The pattern over views: ASCII classes, since a view is bytes."""
    return re.compile(source, re.ASCII)


def rules_from(entry: dict[str, object]) -> Iterator[Rule]:
    """The rules of a TOML table: one, or one for each of its `names`, which stand at `{names}` in its
    pattern.

    One pattern a name is what Hyperscan scans fast; one large alternation it does not.
    """
    names = _strings(entry.get("names"))
    if not names:
        yield rule_from(entry)
        return
    text = str(entry.get("pattern", ""))
    first = rule_from(entry | {"pattern": text.replace("{names}", max(names, key=len))})
    for name in names:
        yield replace(
            first, source=text.replace("{names}", name), trigger=first.trigger.replace("{names}", name)
        )


def rule_from(entry: dict[str, object]) -> Rule:
    """A rule from its TOML table. Raises ValueError naming the rule and what is wrong with it."""
    identity = str(entry.get("id", ""))
    unknown = entry.keys() - _FIELDS
    if not identity or "pattern" not in entry or unknown:
        raise ValueError(
            f"masking rule {identity!r}: needs id and pattern, does not know {sorted(unknown)}; "
            f"it can have {', '.join(sorted(_FIELDS))}"
        )
    filters = _strings(entry.get("filters"))
    if not FILTERS.keys() >= set(filters):
        raise ValueError(
            f"masking rule {identity!r}: no filters of these names: {sorted(set(filters) - FILTERS.keys())}; "
            f"there are {', '.join(sorted(FILTERS))}"
        )
    text = str(entry["pattern"])
    try:
        compiled(text)
        widest = width(text)
        form = form_from(entry)
        least = float(str(entry.get("entropy", 0.0)))
    except (re.error, ValueError) as error:
        raise ValueError(f"masking rule {identity!r}: {error}") from error
    return Rule(
        id=identity,
        kind=str(entry.get("kind", identity)),
        source=text,
        width=widest,
        reach=widest if "trigger" in entry else reach(text),
        trigger=str(entry.get("trigger", "")),
        filters=filters,
        entropy=least,
        examples=_strings(entry.get("examples")),
        counter_examples=_strings(entry.get("counter_examples")),
        form=form,
    )


_FIELDS = {
    "id",
    "kind",
    "pattern",
    "trigger",
    "filters",
    "entropy",
    "examples",
    "counter_examples",
    "names",
} | {
    "replacement",
    "keep_first",
    "keep_last",
}


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def parse(document: str) -> tuple[Rule, ...]:
    """The rules of one TOML document with `[[rule]]` tables."""
    return tuple(rule for entry in tomllib.loads(document).get("rule", []) for rule in rules_from(entry))


_PII = "pii.toml"


@lru_cache(maxsize=2)
def built_in(pii: bool = False) -> tuple[Rule, ...]:
    """The rules that come with Sluicegate, in file and document order; those for personal data only with
    `pii`.
    """
    folder = files("masking") / "rules"
    rules: list[Rule] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml") and entry.name not in _NOT_RULES and (pii or entry.name != _PII):
            rules += parse(entry.read_text("utf-8"))
    return tuple(rules)


_NOT_RULES = frozenset({"weights.toml", "names.toml", "published.toml"})
