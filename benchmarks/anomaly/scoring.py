"""Findings beside labels: what was found, when, and what was found where nothing was.

An episode is found when a rule that fits its pattern raises a finding that names one of its principals or objects,
from its first act to a grace after its last. Only the first telling of a finding counts. A finding by another rule
about somebody who is in an episode at that time is neither: it is counted as `beside`. Everything else is false,
also where something unusual but normal was going on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.anomaly.episodes import Episode
from processors.anomaly.finding import Finding

MINUTE_US = 60_000_000
Fitting = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Score:
    """`found`: by episode, seconds from its first act to its finding. Findings that were raised, by rule."""

    episodes: list[Episode]
    found: dict[Episode, float] = field(default_factory=dict)
    fitting: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    false_findings: list[Finding] = field(default_factory=list)

    @property
    def raised(self) -> int:
        """All findings that were raised."""
        return self.fitting.total() + self.beside.total() + self.false.total()

    @property
    def precision(self) -> float:
        """The share of findings that were about somebody in an episode."""
        return 1 - self.false.total() / self.raised if self.raised else 1.0

    def recall(self, pattern: str | None = None, variants: Iterable[str] | None = None) -> float | None:
        """The share of these episodes that were found; None where there are none."""
        chosen = self.of(pattern, variants)
        return sum(one in self.found for one in chosen) / len(chosen) if chosen else None

    def of(self, pattern: str | None = None, variants: Iterable[str] | None = None) -> list[Episode]:
        """Episodes of a pattern (None: of all) in these variants (None: in all)."""
        wanted = None if variants is None else set(variants)
        return [
            one
            for one in self.episodes
            if (pattern is None or one.pattern == pattern) and (wanted is None or one.variant in wanted)
        ]

    def delays(self, variant: str) -> list[float]:
        """Seconds from the first act to the finding, of the found episodes of a variant, shortest first."""
        return sorted(seconds for one, seconds in self.found.items() if one.variant == variant)


def score(episodes: list[Episode], findings: Iterable[Finding], fitting: Fitting, grace_min: float) -> Score:
    """Compare findings, in the order in which they came, with labels."""
    result, grace = Score(episodes), int(grace_min * MINUTE_US)
    by_name: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        for name in (*episode.principals, *episode.objects):
            by_name[name].append(episode)
    for finding in findings:
        if finding.act != "raised":
            continue
        about = {episode for name in names(finding) for episode in by_name.get(name, ())}
        around = [one for one in about if one.begins <= finding.raised_at <= one.ends + grace]
        _count(result, finding, around, fitting)
    return result


def names(finding: Finding) -> set[str]:
    """The principals and objects that a finding names; objects without their connection."""
    facts = finding.attributes
    found = {f"{facts.get('principal_issuer', '')}|{facts.get('principal_subject', '')}"}
    found.add(facts.get("last_principal", ""))
    for dimension, value in finding.key:
        found.add(value.partition("/")[2] if dimension == "object" else value)
    return found - {"", "|"}


def _count(result: Score, finding: Finding, around: list[Episode], fitting: Fitting) -> None:
    fits = [one for one in around if finding.rule in fitting.get(one.pattern, ())]
    for one in fits:
        result.found.setdefault(one, (finding.raised_at - one.begins) / 1e6)
    if fits:
        result.fitting[finding.rule] += 1
    elif around:
        result.beside[finding.rule] += 1
    else:
        result.false[finding.rule] += 1
        result.false_findings.append(finding)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that this share of them does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
