"""The exchanges of a session as the points of a conversation: what was done, what became of it, when. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sinks.readers import Exchange
from sinks.words import act

WIDTH, HEIGHT = 960, 44
GAP_SECONDS_MAX = 30.0
STEP = 4.0
SIGNS = {
    "denied": "denied",
    "held": "held for approval",
    "failed": "failed",
    "masked": "something masked",
    "finding": "in a finding",
    "pending": "not ended",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One exchange. `what` is done `on` something; `signs` are keys of SIGNS; `gap_ms` since the one before."""

    exchange: Exchange
    number: int
    what: str
    on: str
    signs: tuple[str, ...]
    at_ms: int
    gap_ms: int
    x: float

    @property
    def id(self) -> str:
        """Of the exchange."""
        return self.exchange["exchange_id"]

    @property
    def gap(self) -> str:
        """A long silence in words; '' for none."""
        return silence(self.gap_ms)

    @property
    def ended(self) -> str:
        """How it ended, in words."""
        row = self.exchange
        words = [row["outcome"].replace("_", " ")]
        if row["http_status"]:
            words.append(f"HTTP {row['http_status']}")
        if row["jsonrpc_error"] is not None:
            words.append(f"error {row['jsonrpc_error']}")
        if row["tool_is_error"]:
            words.append("tool error")
        if row["reason_code"]:
            words.append(row["reason_code"])
        return ", ".join(words)


def items(exchanges: Sequence[Exchange], in_findings: Collection[str], first: int = 1) -> list[Item]:
    """In order, numbered from `first`; `in_findings` are ids of exchanges that findings are about."""
    found: list[Item] = []
    before = 0
    for at, row in enumerate(exchanges):
        now = _ms(row["started_at"])
        what, on = act(row)
        gap = max(0, now - before) if found else 0
        signs = signs_of(row, row["exchange_id"] in in_findings)
        found.append(Item(row, first + at, what or row["http_method"], on, signs, now, gap, 0.0))
        before = now
    return _placed(found)


def signs_of(row: Exchange, in_finding: bool = False) -> tuple[str, ...]:
    """What is worth a look."""
    told = {
        "denied": row["verdict"] == "deny",
        "held": row["verdict"] == "hold",
        "failed": row["is_error"],
        "masked": row["redactions"] > 0,
        "finding": in_finding,
        "pending": row["outcome"] == "pending",
    }
    return tuple(name for name, holds in told.items() if holds)


def silence(milliseconds: int) -> str:
    """`3 min later`, where it is worth saying."""
    seconds = milliseconds // 1000
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} later"
    return f"{seconds} s later" if seconds >= 10 else ""


def _placed(found: list[Item]) -> list[Item]:
    """Along the line of time, long silences shortened, and none on top of another."""
    places: list[float] = []
    at = 0.0
    for item in found:
        at += min(item.gap_ms / 1000, GAP_SECONDS_MAX) + (0.2 if places else 0)
        places.append(at)
    whole = places[-1] if places else 0.0
    scale = (WIDTH - 2 * STEP) / whole if whole else 0.0
    return [
        Item(
            each.exchange,
            each.number,
            each.what,
            each.on,
            each.signs,
            each.at_ms,
            each.gap_ms,
            round(STEP + place * scale, 1),
        )
        for each, place in zip(found, places, strict=True)
    ]


def _ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)
