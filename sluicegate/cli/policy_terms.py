"""The terms of rules that hold, as people read them."""

from collections import defaultdict
from typing import TYPE_CHECKING

from schemas.durations import written

if TYPE_CHECKING:
    from gateway.policy import Policy
    from gateway.policy.verdict import Asked, BreakGlass, Grant, Hold

NOBODY = "nobody can approve it: give `reviewers` where its pack is taken"


def terms_of(hold: "Hold | None") -> list[str]:
    """What a held call needs and what one approval is good for, a line each."""
    if hold is None:
        return [NOBODY]
    needs = [" and ".join(_part(part) for part in hold.quorum)]
    needs += ["with a comment"] if hold.comment_required else []
    needs += [f"in the hours {hold.hours}"] if hold.hours else []
    lines = [f"needs {', '.join(needs)}, within {written(hold.expires_seconds)}"]
    lines += [_grant(hold.grant)] if hold.grant else []
    lines += [_break_glass(hold.break_glass)] if hold.break_glass else []
    return lines


def held_by(policy: "Policy") -> list[tuple[list[str], list[str]]]:
    """(Names of rules, the terms that they share), in the policy's order."""
    found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for rule in policy.rules:
        if rule.verdict.action == "hold":
            found[tuple(terms_of(rule.verdict.hold))].append(rule.name)
    return [(names, list(terms)) for terms, names in found.items()]


def _part(part: "Asked") -> str:
    return f"{part.people} of {', '.join(part.reviewers)}"


def _grant(grant: "Grant") -> str:
    uses = f"{grant.uses} such calls" if grant.uses else "such calls"
    bound = f" where {' '.join(grant.bound.split())}" if grant.bound else ""
    return f"an approval lets {uses} run for {written(grant.seconds)}{bound}"


def _break_glass(glass: "BreakGlass") -> str:
    return f"{', '.join(glass.groups)} may break the glass; reviewed within {written(glass.review_seconds)}"
