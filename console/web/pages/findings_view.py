"""A finding for people: what it rests on, what was usual, and what may be said of it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import UUID

from console.api.shapes import time_text
from schemas.findings import SEVERITIES
from sinks.readers import Finding, FindingFilter

STATES = ("open", "acknowledged", "closed")
FILTERS = ("state", "rule", "severity", "principal", "connection", "since", "until")
TEXT_MAX = 1_024
_TECHNIQUE = re.compile(r"(T\d{4})(?:\.(\d{3}))?")
_EXPLAINED = frozenset(
    {
        "explanation",
        "feature",
        "value",
        "threshold",
        "baseline",
        "window_start",
        "window_end",
        "principal_subject",
        "principal_issuer",
        "connection",
        "session_id",
        "tool",
        "technique",
    }
)

VERDICT_WORDS: Mapping[str, str] = {
    "true-positive": "true positive: it was what the rule looks for",
    "false-positive": "false positive: the rule was wrong",
    "benign": "benign: it happened, and was allowed to",
}


class FilterError(ValueError):
    """A filter in the URL cannot be meant; the text says what may be said."""


def wanted_of(given: Mapping[str, str], connections: tuple[str, ...] | None) -> FindingFilter:
    """The filter of a query string, within the viewer's connections (None: all). Raises FilterError."""
    unknown = sorted(set(given) - {*FILTERS, "before"})
    if unknown:
        raise FilterError(f"there is no filter {unknown[0]}; there are {', '.join(FILTERS)}")
    for name, allowed in (("state", STATES), ("severity", SEVERITIES)):
        if given.get(name) and given[name] not in allowed:
            raise FilterError(f"{name} is one of {', '.join(allowed)}")
    if any(len(value) > TEXT_MAX for value in given.values()):
        raise FilterError(f"a filter has at most {TEXT_MAX} characters")
    texts: Any = {name: value.strip() for name, value in given.items()}
    return FindingFilter(**texts, connections=connections)


def query_of(wanted: FindingFilter) -> dict[str, str]:
    """What stands in the URL, without the page."""
    return {name: value for name in FILTERS if (value := getattr(wanted, name))}


@dataclass(frozen=True, slots=True)
class Window:
    """What the rule measured: between two times, how much, and from when on that is too much. `share` is the value
    in per cent of what the picture of it shows, `mark` the limit."""

    feature: str
    value: str
    threshold: str
    baseline: str
    start: str
    end: str
    share: float
    mark: float


def window_of(found: Finding) -> Window | None:
    """None for a finding that rests on no window."""
    facts = found["attributes"]
    if "value" not in facts or "threshold" not in facts:
        return None
    value, limit = _number(facts["value"]), _number(facts["threshold"])
    most = max(value, limit, 1.0) * 1.1
    return Window(
        facts.get("feature", ""),
        facts["value"],
        facts["threshold"],
        facts.get("baseline", ""),
        _moment(facts.get("window_start", "")),
        _moment(facts.get("window_end", "")),
        100 * value / most,
        100 * limit / most,
    )


def facts_of(found: Finding) -> list[tuple[str, str]]:
    """All further facts that no other part of the page shows."""
    return [
        (name.replace("_", " "), text) for name, text in found["attributes"].items() if name not in _EXPLAINED
    ]


def technique_url(technique: str) -> str:
    """Where MITRE describes an ATT&CK technique; '' for what is none."""
    match = _TECHNIQUE.fullmatch(technique)
    if match is None:
        return ""
    return f"https://attack.mitre.org/techniques/{'/'.join(filter(None, match.groups()))}/"


def seen_mark(found: Finding) -> str:
    """What an act says that its author had seen: the state, and how many acts there were of people."""
    return f"{found['state']}.{sum(1 for act in found.get('acts', ()) if act['by'])}"


def uuid_in(text: str) -> str:
    """The text when it is nothing but an id; ''."""
    try:
        return str(UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return max(0.0, min(found, 1e15)) if isfinite(found) else 0.0


def _moment(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return ""
    return time_text(int(text))
