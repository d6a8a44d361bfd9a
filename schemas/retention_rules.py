"""How long rows and bodies of the trail are kept, by connection. Pure values; days are whole ones of 24 hours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from schemas.codec import CodecError

DAY_US: Final = 86_400_000_000
DAYS_MAX: Final = 7_300
"""Twenty years: what is kept for longer is kept for ever."""

DAYS_MIN: Final = 7
"""Of rows. A repeat of a frame can come for three days, and topic `audit` is read again for seven."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Days that rows and bodies are kept; None: rows for ever, bodies as long as their rows."""

    days: int | None = None
    body_days: int | None = None

    def longest(self, other: "Terms") -> "Terms":
        """The longer of both, of rows and bodies apart."""
        days = None if None in (self.days, other.days) else max(self.days or 0, other.days or 0)
        mine, theirs = self.of_bodies, other.of_bodies
        body = None if mine is None or theirs is None else max(mine, theirs)
        return Terms(days, None if body == days else body)

    @property
    def of_bodies(self) -> int | None:
        """Days after which no body is left; None: never."""
        if self.body_days is None or self.days is None:
            return self.days if self.body_days is None else self.body_days
        return min(self.body_days, self.days)

    def __str__(self) -> str:
        rows = "for ever" if self.days is None else f"{self.days} days"
        return rows if self.of_bodies == self.days else f"{rows}, bodies {self.of_bodies} days"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for each connection, for all others, and for none less than `minimum_days` (of rows)."""

    default: Terms = Terms()
    connections: Mapping[str, Terms] = field(default_factory=dict)
    minimum_days: int = DAYS_MIN

    def of(self, connection: str) -> Terms:
        """What holds for `connection`."""
        said = self.connections.get(connection, self.default)
        return said if said.days is None else Terms(max(said.days, self.minimum_days), said.body_days)

    def longest(self, other: "Rules") -> "Rules":
        """What keeps everything for as long as the longer of both."""
        named = sorted({*self.connections, *other.connections})
        return Rules(
            self.of("").longest(other.of("")),
            {name: self.of(name).longest(other.of(name)) for name in named},
            max(self.minimum_days, other.minimum_days),
        )

    def shortened_by(self, other: "Rules") -> list[str]:
        """What `other` would keep for a shorter time, in words; nothing when it would keep all as long."""
        found = []
        for name in ["", *sorted({*self.connections, *other.connections})]:
            now, then = self.of(name), other.of(name)
            if now.longest(then) != then.longest(then):
                found.append(f"{name or 'all others'}: {now} would become {then}")
        if other.minimum_days < self.minimum_days:
            found.append(f"minimum: {self.minimum_days} days would become {other.minimum_days}")
        return found

    def same_as(self, other: "Rules") -> bool:
        """Whether both keep everything for the same time."""
        return not self.shortened_by(other) and not other.shortened_by(self)

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "default": _plain(self.default),
            "connections": {name: _plain(terms) for name, terms in sorted(self.connections.items())},
            "minimum_days": self.minimum_days,
        }

    @property
    def version(self) -> str:
        """Digest of the rules: 64 hex digits."""
        return sha256(canonical_json(self.plain()).encode()).hexdigest()


def rules_of(found: Any) -> Rules:
    """Rules from JSON. Raises CodecError for what is none."""
    try:
        named = {str(name): _terms(terms) for name, terms in found["connections"].items()}
        minimum = found["minimum_days"]
        if type(minimum) is not int or not DAYS_MIN <= minimum <= DAYS_MAX:
            raise CodecError("broken retention rules: minimum_days is out of range")
        return Rules(_terms(found["default"]), named, minimum)
    except (KeyError, TypeError, AttributeError) as error:
        raise CodecError(f"broken retention rules: {type(error).__name__}") from error


def canonical_json(content: Any) -> str:
    """Keys in order, no spaces: what is signed and compared."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(terms: Terms) -> dict[str, int | None]:
    return {"days": terms.days, "body_days": terms.body_days}


def _terms(found: Any) -> Terms:
    days, body = found["days"], found["body_days"]
    for value, least in ((days, DAYS_MIN), (body, 1)):
        if value is not None and (type(value) is not int or not least <= value <= DAYS_MAX):
            raise CodecError("broken retention rules: days are out of range")
    return Terms(days, body)
