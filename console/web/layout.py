"""Templates: Jinja2 with everything escaped, and every text free of characters that act unseen."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from console.web.marks import plain, shown
from console.web.static import StaticFiles

FOLDER = Path(__file__).parent / "templates"

_GOOD = ("allow", "approved", "ok", "done", "ready", "used", "closed", "true_positive")
_BAD = ("deny", "denied", "error", "critical", "high", "refused", "failed", "blocked", "revoked", "away")
_WAITS = ("hold", "held", "pending", "medium", "asked", "open", "unread", "expired", "acknowledged", "masked")


def environment(static: StaticFiles, folder: Path = FOLDER) -> Environment:
    """The templates of `folder`. A name that nobody gave is an error, never an empty place."""
    env = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(shown=shown, tone=tone, number=number, size=size, moment=moment, query=query)
    env.globals["static"] = static.url
    return env


def tone(word: object) -> str:
    """How a verdict, severity, state or outcome looks: good, bad, waits or plain."""
    text = str(word).casefold().replace(" ", "_")
    for name, words in (("good", _GOOD), ("bad", _BAD), ("waits", _WAITS)):
        if text in words:
            return name
    return "plain"


def number(value: float) -> str:
    """`12 345`, with narrow spaces that do not break."""
    return f"{value:,}".replace(",", "\u202f")


def size(value: int) -> str:
    """Bytes for people."""
    amount, unit = float(value), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{value} B" if unit == "B" else f"{amount:.1f} {unit}"


def moment(value: object) -> str:
    """An ISO time, Unix microseconds or a datetime as ISO in UTC with milliseconds; '' for none."""
    if value is None or value == "":
        return ""
    if isinstance(value, int):
        value = datetime.fromtimestamp(value / 1_000_000, UTC)
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def query(given: dict[str, Any], **changes: Any) -> str:
    """A query string of `given` with changes; what is empty, False or None is left out, lists are repeated."""
    kept = {
        name: value for name, value in {**given, **changes}.items() if value not in ("", None, False, (), [])
    }
    written = {name: "1" if value is True else value for name, value in kept.items()}
    return f"?{urlencode(written, doseq=True)}" if written else "?"


def _harmless(value: object) -> object:
    """Of every expression that no filter has made HTML."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
