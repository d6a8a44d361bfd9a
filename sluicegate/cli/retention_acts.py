"""Saying something about retention from a command: as the user at this terminal, or by a console as who logged in."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sluicegate.cli.deciding import address_of, told_of_kafka
from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import settings_of
from sluicegate.cli.output import print_line

if TYPE_CHECKING:
    from console.directory import Person
    from console.keeping import Keeping
    from schemas.retention import RetentionKind
    from schemas.retention_book import Book, Proposal
    from schemas.retention_content import Erasure
    from schemas.retention_rules import Rules


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds, what the file says, and the time of looking (UTC in microseconds)."""

    book: "Book"
    file: "Rules"
    now: int
    single_person: bool


def book_here(config: Path) -> Standing:
    """What holds by the topic, and what the file says."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from sluicegate.settings.retention import rules_of_file  # noqa: PLC0415

    settings = settings_of(config)
    book = _told(config, lambda keeping: keeping.book())
    return Standing(book, rules_of_file(settings), stamp().at, settings.retention.single_person)


def proposal_in(standing: Standing, proposal_id: str) -> "Proposal":
    """One proposal; a Failure when there is none."""
    known = standing.book.find(proposal_id, standing.now)
    if known is None:
        raise Failure(f"there is no proposal {proposal_id}; `sluicegate retention show` lists them", USAGE)
    return known


def propose_it(config: Path, console: str, kind: "RetentionKind", content: str, reason: str) -> None:
    """Puts a proposal on the record, and says what to do next."""
    from schemas.retention_book import PROPOSAL_DAYS  # noqa: PLC0415

    if console:
        made = _asked(console, config, "/proposals", {"kind": kind, "content": content, "reason": reason})
    else:
        made = _told(config, lambda keeping: keeping.propose(_person(config), kind, content, reason)).id
    group = "erase" if kind == "erasure" else "retention"
    print_line(
        f"proposal {made} waits for somebody else, {PROPOSAL_DAYS} days at most: sluicegate {group} confirm {made}"
    )
    if kind == "hold":
        print_line("it keeps what it names from now on; unconfirmed it lapses")


def confirm_it(config: Path, console: str, proposal_id: str, reason: str, *, alone: bool) -> None:
    """Puts it in force."""
    if console:
        wish = {"reason": reason, "alone": alone}
        _asked(console, config, f"/proposals/{proposal_id}/confirmation", wish)
    else:
        _told(config, lambda keeping: keeping.confirm(_person(config), proposal_id, reason, alone=alone))
    print_line(f"proposal {proposal_id} is in force; the store follows within `retention.every`")


def withdraw_it(config: Path, console: str, proposal_id: str, reason: str) -> None:
    """Takes it back."""
    if console:
        _asked(console, config, f"/proposals/{proposal_id}/withdrawal", {"reason": reason})
    else:
        _told(config, lambda keeping: keeping.withdraw(_person(config), proposal_id, reason))
    print_line(f"proposal {proposal_id} is taken back")


def erasure_of(config: Path, issuer: str, principal: str, session: UUID | None) -> "Erasure":
    """Whose data are meant; a Failure unless it is one person or one session."""
    from schemas.retention_content import Erasure, person_mark  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415
    from sluicegate.settings.retention import erasure_key  # noqa: PLC0415

    if bool(principal) == bool(session):
        raise Failure("say whose data: --principal SUBJECT --issuer URL, or --session ID", USAGE)
    if session:
        return Erasure(session_id=str(session))
    with told(KeyFileError):
        return Erasure(person=person_mark(erasure_key(settings_of(config).data_dir), issuer, principal))


def micros(text: str) -> int | None:
    """An ISO time as UTC in microseconds; None for ''."""
    from sluicegate.settings.findings_block import moment  # noqa: PLC0415

    return round(moment(text).timestamp() * 1_000_000) if text else None


def _told(config: Path, work: Any) -> Any:
    """What `work` gives of the desk for this terminal; what goes wrong becomes a Failure."""
    from console.errors import DeskError  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    with told(DeskError, KeyFileError):
        return told_of_kafka(work(_keeping(config)))


def _keeping(config: Path) -> "Keeping":
    from console.keeping import Keeping  # noqa: PLC0415
    from sluicegate.settings.retention import keeping_settings  # noqa: PLC0415

    return Keeping(address_of(config), keeping_settings(settings_of(config), "cli"), "cli")


def _person(config: Path) -> "Person":
    from console.directory import Directory  # noqa: PLC0415
    from console.settings import PersonEntry  # noqa: PLC0415
    from console.terminal import terminal_person  # noqa: PLC0415

    people = settings_of(config).approvals.people
    return Directory([PersonEntry(each.names, each.groups) for each in people]).known(terminal_person())


def _asked(console: str, config: Path, path: str, body: dict[str, Any]) -> str:
    from sluicegate.cli.approvals_asking import asked  # noqa: PLC0415

    return str(asked(console, config, lambda rest: rest.ask("POST", f"/api/retention{path}", body))["id"])
