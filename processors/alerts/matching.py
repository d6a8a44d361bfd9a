"""Which findings a route wants, who they are about, and whether somebody silenced them. Pure."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from processors.alerts.settings import Route, Silence
from schemas.findings import FindingRecord

DELIVERY_FAILED = "delivery-failed"
"""Rule of the finding that a URL takes no messages; the route that fails is not told of it."""


def principal_of(finding: FindingRecord) -> str:
    """`ISSUER|SUBJECT` of the caller it is about; '' for none."""
    facts = finding["attributes"]
    subject = facts.get("principal_subject", "")
    return f"{facts.get('principal_issuer', '')}|{subject}" if subject else ""


def named(principal: str, names: Iterable[str]) -> bool:
    """Whether `principal` is among `names`: `ISSUER|SUBJECT`, or `|SUBJECT` for any issuer."""
    anywhere = f"|{principal.partition('|')[2]}"
    return bool(principal) and any(name in (principal, anywhere) for name in names)


def like(rule: str, patterns: Iterable[str]) -> bool:
    """Whether a rule's name is like one of `patterns`, which may hold `*` and `?`."""
    return any(fnmatchcase(rule, _literal(pattern)) for pattern in patterns)


def wants(route: Route, finding: FindingRecord) -> bool:
    """Whether `route` is told of `finding`."""
    facts = finding["attributes"]
    if finding["rule"] == DELIVERY_FAILED and facts.get("route") == route.name:
        return False
    return (
        (not route.severities or finding["severity"] in route.severities)
        and (not route.rules or like(finding["rule"], route.rules))
        and (not route.connections or facts.get("connection", "") in route.connections)
    )


def silences(silence: Silence, finding: FindingRecord, now: int) -> bool:
    """Whether `silence` covers `finding` at `now` (UTC in microseconds)."""
    return (
        now < silence.until
        and (not silence.rule or like(finding["rule"], (silence.rule,)))
        and (not silence.principal or named(principal_of(finding), (silence.principal,)))
    )


def _literal(pattern: str) -> str:
    """Brackets stand for themselves: only `*` and `?` are special."""
    return pattern.replace("[", "[[]")
