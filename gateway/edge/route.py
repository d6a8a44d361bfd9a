"""What an exchange is performed with: the connection and all that serves it, and what the process shares."""

from dataclasses import dataclass

from gateway.access import Gate
from gateway.edge.announce import Announcer, stamp
from gateway.edge.approvals import Approvals
from gateway.edge.background import Background
from gateway.edge.credentials import Injector
from gateway.edge.pinning import Pinning
from gateway.edge.quotas import Quotas
from gateway.edge.recorder import Recorder
from gateway.edge.tracing import Tracing
from gateway.edge.upstream import Upstream
from gateway.edge.waiting_room import WaitingRoom
from gateway.endings import Terms
from gateway.policy.facts import ConnectionFacts
from gateway.sessions import Principal
from gateway.settings import Connection, Limits
from schemas.findings import finding_record


@dataclass(frozen=True, slots=True)
class Route:
    """A connection with all that serves it. `by_group`: the terms of groups that have a masking profile of theirs."""

    connection: Connection
    terms: Terms
    upstream: Upstream
    gate: Gate
    facts: ConnectionFacts
    resource: str
    injector: Injector
    pinning: Pinning
    by_group: tuple[tuple[str, Terms], ...] = ()

    @property
    def name(self) -> str:
        """Name of the connection."""
        return self.connection.name

    def terms_for(self, principal: Principal) -> Terms:
        """What holds for this caller: the terms of the first group it is in, else those of the connection."""
        for group, terms in self.by_group:
            if group in principal.groups:
                return terms
        return self.terms


@dataclass(frozen=True, slots=True)
class Process:
    """What all exchanges of the process share."""

    recorder: Recorder
    quotas: Quotas
    limits: Limits
    background: Background
    tracing: Tracing
    announcer: Announcer
    approvals: Approvals
    waiting: WaitingRoom

    async def raise_finding(self, rule: str, title: str, evidence: tuple[str, ...]) -> None:
        """Tells a person; what Kafka does not take is in the log of the announcer."""
        await self.announcer.finding(finding_record(rule, "medium", title, evidence, raised_at=stamp().at))
