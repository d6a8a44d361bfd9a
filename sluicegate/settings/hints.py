"""What is right and yet may not be meant: told by `sluicegate check`, and never a reason not to start."""

import grp
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from schemas.people import is_person
from sluicegate.settings.model import Settings

if TYPE_CHECKING:
    from gateway.policy import Policy


def hints(settings: Settings) -> Iterator[str]:
    """One line each; the policies of connections are read again, and must be good."""
    from gateway.policy import load_policy  # noqa: PLC0415 - takes its time to import, and few commands need it

    holding: dict[str, set[str]] = {}
    policies = {each.name: each.policy for each in settings.connections if each.policy}
    for connection, file in policies.items():
        policy = load_policy(file)
        yield from _nobody(connection, policy)
        holding[connection] = _reviewers(policy)
    for each in settings.connections:
        holding.setdefault(each.name, set()).update(each.tools.reviewers)
    yield from _without_identity(settings, {name: found for name, found in holding.items() if found})


def _nobody(connection: str, policy: "Policy") -> Iterator[str]:
    """A pack that was taken without reviewers."""
    rules = [rule.name for rule in policy.rules if rule.verdict.action == "hold" and not rule.verdict.hold]
    if rules:
        yield (
            f"connection {connection}: nobody can approve what these rules hold: {', '.join(rules)}; give "
            "`reviewers` where the pack is taken"
        )


def _reviewers(policy: "Policy") -> set[str]:
    return {name for rule in policy.rules for name in rule.verdict.reviewers}


def _without_identity(settings: Settings, holding: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """With `mode: none` only those at a terminal of this machine, and those in `approvals.people`, decide."""
    if settings.identity.mode != "none" or not holding:
        return
    if settings.approvals.anonymous == "refuse":
        yield (
            "without identity nobody can tell who asks from who decides, so held calls are never approved: set "
            "`identity.mode: oidc`, or `approvals.anonymous: allow` where agents run as another user of the system"
        )
    people = settings.approvals.people
    known = {group.gr_name for group in grp.getgrall()}
    known |= {name for person in people for name in (*person.groups, *person.names)}
    for connection, names in sorted(holding.items()):
        strangers = sorted(name for name in names if name not in known and not name.startswith("|"))
        if strangers:
            kind = "persons" if all(map(is_person, strangers)) else "groups"
            yield (
                f"connection {connection}: without identity, reviewers are groups of this system and people in "
                f"`approvals.people`, and these {kind} are neither: {', '.join(strangers)}"
            )
