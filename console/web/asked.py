"""What an address asks for: parameters of a page, nothing of which is guessed."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request

from console.web.failures import Refusal

CHARACTERS_MAX = 1_000


def words_of(request: Request, known: Collection[str]) -> dict[str, str]:
    """The parameters that say something. Raises Refusal for one that is misspelt, twice there, or too long: a filter
    that is not heard of shows too much."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known or name in given:
            what = "stands there twice" if name in given else f"is none of {', '.join(known)}"
            raise unclear(f"The parameter `{name}` {what}.")
        if len(value) > CHARACTERS_MAX:
            raise unclear(f"`{name}` is longer than {CHARACTERS_MAX} characters.")
        given[name] = value.strip()
    return {name: value for name, value in given.items() if value}


def moment_of(given: Mapping[str, str], name: str, zone: str) -> str:
    """A time as ISO in UTC, '' for none; one without an offset, as fields of forms give it, is of the viewer's
    `zone`. Raises Refusal."""
    text = given.get(name, "")
    if not text:
        return ""
    try:
        found = datetime.fromisoformat(text)
        aware = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
        return aware.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise unclear(f"`{name}` is a time such as 2026-07-28T12:00.") from None


def unclear(text: str) -> Refusal:
    """The address says something that cannot be meant."""
    return Refusal(400, "This address cannot be read", text, "Clear the filter, or correct the address.")
