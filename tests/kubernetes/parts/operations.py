"""Every operation of the table, directly and through: the same to the client, and all of it in the trail."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from tests.kubernetes import audit, trail
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.known_secrets import SECRETS
from tests.kubernetes.same import masked_parts, plain, same
from tests.kubernetes.sides import Operation, Outcome, Side, operations
from tests.kubernetes.trail import Exchange

SHOWN_LINES = 12


@dataclass(frozen=True)
class Twice:
    """An operation and what came of it on both sides."""

    operation: Operation
    direct: Outcome
    through: Outcome


def run(bench: Bench) -> Findings:
    """Runs the table."""
    direct = Side("d", bench.cluster.kubeconfig, bench.folder, bench.clients, bench.cluster)
    caller = bench.gateway.kubeconfig("alice", "developers")
    through = Side("t", caller, bench.folder, bench.clients, bench.cluster)
    findings, done = Findings(), []
    for operation in operations(bench.only):
        twice = Twice(operation, direct.run(operation.run), through.run(operation.run))
        done.append(twice)
        bench.say(_said(twice, _compared(twice, bench, findings)))
    _recorded(done, bench, findings)
    findings.figures["operations"] = [_figures(each) for each in done]
    return findings


def _said(twice: Twice, faults: list[str]) -> str:
    took = [each.ended - each.began for each in (twice.direct, twice.through)]
    told = "  {} {:8} {} ({:.1f} s, {:.1f} s)".format(
        "BAD" if faults else "ok ", twice.operation.group, twice.operation.name, *took
    )
    return "\n".join([told, *faults])


def _compared(twice: Twice, bench: Bench, findings: Findings) -> list[str]:
    """What is wrong with what the client was shown."""
    name, direct, through = twice.operation.name, twice.direct, twice.through
    before = len(findings.failed)
    findings.check(direct.code == through.code, f"{name}: exit code {direct.code} and {through.code}")
    for what, one, other in (
        ("output", direct.output, through.output),
        ("complaints", direct.complaints, through.complaints),
    ):
        left = plain(one, bench.cluster.url, twins=twice.operation.changes)
        right = plain(other, bench.gateway.url, twins=twice.operation.changes)
        alike = twice.operation.sizes or same(left, right)
        findings.check(alike, f"{name}: another {what}\n{_difference(left, right)}")
    shown = through.output + through.complaints
    findings.check(not any(secret in shown for secret in SECRETS), f"{name}: shows a secret")
    masked = masked_parts(shown) > 0
    findings.check(masked or not twice.operation.masked, f"{name}: nothing is masked in it")
    return findings.failed[before:]


def _difference(left: str, right: str) -> str:
    lines = difflib.unified_diff(left.splitlines(), right.splitlines(), "direct", "through", "", "", 0, "")
    return "\n".join(f"      {line[:200]}" for line in list(lines)[:SHOWN_LINES])


def _recorded(done: list[Twice], bench: Bench, findings: Findings) -> None:
    recorded = trail.exchanges(bench.gateway)
    reached = audit.events(bench.cluster)
    for twice in done:
        name, window = twice.operation.name, (twice.through.began, twice.through.ended)
        own = [exchange for exchange in recorded if window[0] <= exchange.at <= window[1]]
        _has_its_record(twice.operation, own, findings)
        seen = [event for event in reached if window[0] <= event.at <= window[1]]
        for event in seen:
            _is_in_the_trail(name, event, own, findings)
        direct = [event.id for event in reached if twice.direct.began <= event.at <= twice.direct.ended]
        known = {exchange.audit_id for exchange in recorded}
        findings.check(not known & set(direct), f"{name}: a direct request is in the trail")
    findings.check(trail.bodies_with(bench.gateway, list(SECRETS)) == 0, "a secret stands in the store")
    findings.figures["exchanges"] = len(recorded)
    findings.figures["audited"] = len(reached)


def _has_its_record(operation: Operation, own: Iterable[Exchange], findings: Findings) -> None:
    found = not operation.record or any(exchange.is_about(operation.record) for exchange in own)
    known = sorted({" ".join(filter(None, exchange.facts.values())) for exchange in own})
    findings.check(found, f"{operation.name}: no record of {operation.record}; there are {known}")
    pending = [exchange.target for exchange in own if exchange.outcome == "pending"]
    findings.check(not pending, f"{operation.name}: no end is recorded of {pending}")


def _is_in_the_trail(name: str, event: audit.Event, own: list[Exchange], findings: Findings) -> None:
    """What the API server says of a request is what the trail says of it."""
    found = [e for e in own if e.audit_id == event.id] or [
        e for e in own if _asks(e, event) and not e.audit_id
    ]
    if not findings.check(bool(found), f"{name}: not in the trail: {event.facts['verb']} {event.uri}"):
        return
    said = found[0].facts
    differs = {fact: (event.facts[fact], said[fact]) for fact in said if event.facts[fact] != said[fact]}
    findings.check(not differs, f"{name}: {event.uri}: (API server, trail) {differs}")


def _asks(exchange: Exchange, event: audit.Event) -> bool:
    return exchange.target.split("?")[0] == event.uri.split("?")[0]


def _figures(twice: Twice) -> dict[str, object]:
    operation = twice.operation
    return {
        "name": operation.name,
        "run": operation.run,
        "exit_code": [twice.direct.code, twice.through.code],
        "masked": masked_parts(twice.through.output),
        "seconds": [round(one.ended - one.began, 2) for one in (twice.direct, twice.through)],
    }
