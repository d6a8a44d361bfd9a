"""What is looked for, as the address says it: everything in the query string, so that it can be shared. Pure.

An address holds absolute times in UTC, or how far back from now (`last`), and nothing empty: whatever a form sends
otherwise is written anew before it is answered, so that an address means the same to whoever it is sent to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sinks.readers import SessionFilter

TEXTS = (
    "text",
    "principal",
    "group",
    "connection",
    "tool",
    "verb",
    "resource",
    "namespace",
    "verdict",
    "outcome",
)
FLAGS = ("redacted", "finding")
TIMES = ("since", "until", "before")
SPANS = {
    "1h": ("hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "365d": ("year", timedelta(days=365)),
}
SPAN_DEFAULT = "7d"
VERDICTS = ("allow", "deny", "hold", "none")
OUTCOMES = ("completed", "refused", "withheld", "upstream_failed", "timed_out", "client_gone", "pending")
CHARACTERS_MAX = 500
LABELS = {
    "text": "Words",
    "principal": "Person",
    "group": "Group",
    "connection": "Connection",
    "tool": "Tool",
    "verb": "Verb",
    "resource": "Object",
    "namespace": "Namespace",
    "verdict": "Verdict",
    "outcome": "Outcome",
    "redacted": "With something masked",
    "finding": "With a finding",
}


@dataclass(frozen=True, slots=True)
class Search:
    """`words`: the filters that are set, by name. `last`: how far back, where no absolute time is set."""

    words: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    last: str = ""
    since: str = ""
    until: str = ""
    before: str = ""
    faults: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, str]:
        """For the form: every field, '' where it is not set."""
        given = dict(self.words) | dict.fromkeys(self.flags, "1")
        return {name: given.get(name, "") for name in (*TEXTS, *FLAGS)}

    def query(self) -> str:
        """As it stands in an address, without the page (`before`) and without '?'."""
        pairs = [*self.words, *((name, "1") for name in self.flags)]
        pairs += [(name, value) for name in ("last", "since", "until") if (value := getattr(self, name))]
        return urlencode(pairs)

    def address(self, path: str = "/sessions", before: str = "") -> str:
        """An address; with `before` that of the next page."""
        query = "&".join(filter(None, (self.query(), urlencode({"before": before}) if before else "")))
        return f"{path}?{query}" if query else path

    def without(self, name: str) -> "Search":
        """With one filter less."""
        words = tuple(pair for pair in self.words if pair[0] != name)
        return replace(self, words=words, flags=tuple(each for each in self.flags if each != name), before="")

    def within(self, since: str, until: str) -> "Search":
        """In this window instead."""
        return replace(self, last="", since=since, until=until, before="")

    def reaching(self, last: str) -> "Search":
        """So far back instead."""
        return replace(self, last="" if last == SPAN_DEFAULT else last, since="", until="", before="")

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """(label, value, address without it) of each filter that is set."""
        found = [(LABELS[name], value, self.without(name).address()) for name, value in self.words]
        return found + [(LABELS[name], "", self.without(name).address()) for name in self.flags]

    @property
    def span(self) -> str:
        """The name of the window where it is relative; '' for an absolute one."""
        return "" if self.since or self.until else self.last or SPAN_DEFAULT

    @property
    def title(self) -> str:
        """In a few words."""
        told = [f"{LABELS[name].lower()} {value}" for name, value in self.words]
        return ", ".join([*told, *(LABELS[name].lower() for name in self.flags)]) or "every session"

    def wanted(self, now: datetime, connections: tuple[str, ...] | None) -> SessionFilter:
        """For the reader, within the viewer's scope."""
        since, until = self.since, self.until
        if self.span:
            since = utc(now - SPANS[self.span][1])
        flags: dict[str, Any] = {name: name in self.flags for name in FLAGS}
        given: dict[str, Any] = {**dict(self.words), **flags}
        return SessionFilter(**given, since=since, until=until, before=self.before, connections=connections)


def search_of(given: Iterable[tuple[str, str]], zone: str) -> Search:
    """What the parameters ask for; times without a zone are the viewer's. What cannot be read stands in `faults`."""
    values = {name: value.strip() for name, value in given if value.strip()}
    faults: list[str] = []
    times = {name: _time(name, values.get(name, ""), zone, faults) for name in TIMES}
    words = tuple((name, values[name]) for name in TEXTS if name in values)
    for name, value in words:
        if len(value) > CHARACTERS_MAX or "\0" in value:
            faults.append(f"{LABELS[name]}: at most {CHARACTERS_MAX} characters, and no NUL among them.")
    last = values.get("last", "")
    if last and last not in SPANS:
        faults.append(f"The time to look back is one of {', '.join(SPANS)}.")
        last = ""
    if times["since"] or times["until"] or last == SPAN_DEFAULT:
        last = ""
    if times["since"] and times["until"] and times["since"] >= times["until"]:
        faults.append("The time that it begins at must come before the one that it ends at.")
    flags = tuple(name for name in FLAGS if values.get(name) in ("1", "on", "true"))
    return Search(words, flags, last, **times, faults=tuple(faults))


def utc(moment: datetime) -> str:
    """As addresses have it: ISO 8601 in UTC, no finer than needed."""
    aware = moment.astimezone(UTC).replace(tzinfo=None)
    return aware.isoformat(timespec="auto") + "Z"


def _time(name: str, text: str, zone: str, faults: list[str]) -> str:
    if not text:
        return ""
    try:
        found = datetime.fromisoformat(text)
        return utc(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)))
    except (ValueError, OverflowError):
        faults.append(f"{name}: {text[:40]!r} is no time; write 2026-11-21T17:00 or 2026-11-21T17:00:00Z.")
        return ""
