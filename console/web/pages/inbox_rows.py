"""What the inbox lists: what waits for a person first, what that person asked, and what becomes of the rest. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.api.approvals import KINDS, STATES
from console.api.shapes import summary
from console.sight import Sight
from console.standing import Standing

SECTION_ROWS = 20
PAGE_ROWS = 50
TEXT_MAX = 1_024

Json = dict[str, Any]

SECTIONS: Mapping[str, str] = {
    "waiting": "Waiting for you",
    "mine": "You asked for",
    "others": "Asked by others",
}
EMPTY: Mapping[str, str] = {
    "waiting": "Nothing waits for you. Held calls appear here by themselves.",
    "mine": "You have asked for nothing that is still on record.",
    "others": "Nobody else has asked for anything that you may see.",
}


STATES_SHOWN: Mapping[str, str] = {
    "unread": "not taken up yet",
    "pending": "waits",
    "approved": "approved",
    "denied": "denied",
    "expired": "expired",
    "revoked": "taken back",
    "used": "used",
}


class WantedError(ValueError):
    """A filter in the URL says something that cannot be meant; the text says what may be said."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters, as the URL has them; '' asks for all. `show` names one section, which is then given page by page."""

    show: str = ""
    state: str = ""
    kind: str = ""
    connection: str = ""
    requester: str = ""
    after: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What stands in the URL, without the page."""
        names = ("show", "state", "kind", "connection", "requester")
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.state or self.kind or self.connection or self.requester)


@dataclass(frozen=True, slots=True)
class Section:
    """One list. `following` is `after` of the next page, '' when this is all; `more` how many are not shown."""

    name: str
    title: str
    empty: str
    rows: Sequence[Json]
    more: int
    following: str


def wanted_of(given: Mapping[str, str]) -> Wanted:
    """The filters of a query string. Raises WantedError: a filter that is not heard of shows too much."""
    unknown = sorted(set(given) - set(Wanted.__dataclass_fields__))
    if unknown:
        raise WantedError(f"there is no filter {unknown[0]}")
    wanted = Wanted(**{name: value.strip() for name, value in given.items()})
    for name, allowed in (("show", tuple(SECTIONS)), ("state", STATES), ("kind", KINDS)):
        value = getattr(wanted, name)
        if value and value not in allowed:
            raise WantedError(f"{name} is one of {', '.join(allowed)}")
    if max(len(wanted.connection), len(wanted.requester)) > TEXT_MAX:
        raise WantedError(f"a filter has at most {TEXT_MAX} characters")
    _place_of(wanted.after)
    return wanted


def sections(standings: Iterable[Standing], sight: Sight, wanted: Wanted) -> list[Section]:
    """The sections asked for, the latest first in each; what the person may not see is in none."""
    found: dict[str, list[Standing]] = {name: [] for name in SECTIONS}
    for standing in _matching(standings, wanted):
        if sight.sees(standing):
            found[section_of(standing, sight)].append(standing)
    names = [wanted.show] if wanted.show else list(SECTIONS)
    return [_section(name, found[name], sight, wanted) for name in names]


def section_of(standing: Standing, sight: Sight) -> str:
    """Where in the inbox it belongs."""
    if sight.waits(standing):
        return "waiting"
    return "mine" if sight.asked(standing) else "others"


def row_of(standing: Standing, sight: Sight) -> Json:
    """What a line of the inbox shows: as the REST API has it, and how far the quorum is."""
    return {**summary(standing, sight), "progress": progress(standing), "open": standing.open}


def progress(standing: Standing) -> str:
    """`1 of 2` people have agreed; '' where nobody has to any more."""
    needed = sum(part["people"] for part in standing.request["quorum"])
    agreed = len(standing.settled["approvers"]) if standing.settled else 0
    return f"{min(agreed, needed)} of {needed}" if standing.state in ("pending", "unread") and needed else ""


def _section(name: str, found: Sequence[Standing], sight: Sight, wanted: Wanted) -> Section:
    if wanted.show and wanted.after:
        place = _place_of(wanted.after)
        found = [each for each in found if place is None or _place(each) < place]
    shown = found[: PAGE_ROWS if wanted.show else SECTION_ROWS]
    more = len(found) - len(shown)
    following = "{}_{}".format(*_place(shown[-1])) if more else ""
    rows = [row_of(each, sight) for each in shown]
    empty = "Nothing fits these filters." if wanted.filtered else EMPTY[name]
    return Section(name, SECTIONS[name], empty, rows, more, following)


def _matching(standings: Iterable[Standing], wanted: Wanted) -> Iterator[Standing]:
    for standing in standings:
        asked = standing.request
        names = (asked["principal_subject"], f"{asked['principal_issuer']}|{asked['principal_subject']}")
        if (
            wanted.state in ("", standing.state)
            and wanted.kind in ("", asked["kind"])
            and wanted.connection in ("", asked["connection"])
            and (not wanted.requester or wanted.requester in names)
        ):
            yield standing


def _place(standing: Standing) -> tuple[int, str]:
    return standing.request["requested_at"], standing.approval_id


def _place_of(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    at, _, approval_id = text.partition("_")
    if not (at.isascii() and at.isdigit() and len(at) < 20 and len(approval_id) == 36):
        raise WantedError("`after` is taken from the link to the next page")
    return int(at), approval_id
