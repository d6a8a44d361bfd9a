"""Reading the trail: sessions, exchanges, frames and free queries, as typed rows with ISO times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict

LIMIT_MAX = 100_000


class ReadError(ValueError):
    """A question cannot be answered. `status` is the HTTP status that says so; the text says what to change."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Redaction(TypedDict):
    """One masked secret: where it stood, which rule found it, what stands there now."""

    path: str
    rule: str
    start: int
    end: int
    pseudonym: str


class Frame(TypedDict):
    """One frame. `status` is the HTTP status; `body_base64` says that `body` is Base64, being no UTF-8 text."""

    frame_id: str
    exchange_id: str
    session_id: str
    recorded_at: str
    elapsed_us: int
    lane: str
    lane_seq: int
    direction: str
    protocol: str
    connection: str
    principal: str
    principal_issuer: str
    peer: str
    user_agent: str
    http_method: str
    http_path: str
    status: int
    content_type: str
    mcp_protocol_version: str
    mcp_session_id: str
    jsonrpc_type: str
    jsonrpc_id: str
    method: str
    tool: str
    resource: str
    sse_event_id: str
    verdict: str
    rule: str
    reason: str
    reason_code: str
    outcome: str
    http_status: int
    jsonrpc_error: int | None
    tool_is_error: bool | None
    redactions: list[Redaction]
    attributes: dict[str, str]
    body_bytes: int
    parts: int
    parts_stored: int
    body: str
    body_base64: bool


class Exchange(TypedDict):
    """One exchange, with the columns of v_exchanges; `frame_list` where it was asked for alone."""

    exchange_id: str
    session_id: str
    started_at: str
    ended_at: str
    connection: str
    protocol: str
    principal: str
    principal_issuer: str
    client_id: str
    peer: str
    user_agent: str
    mcp_protocol_version: str
    mcp_session_id: str
    http_method: str
    http_path: str
    jsonrpc_id: str
    method: str
    tool: str
    resource: str
    verdict: str
    rule: str
    reason: str
    reason_code: str
    outcome: str
    http_status: int
    jsonrpc_error: int | None
    tool_is_error: bool | None
    is_error: bool
    latency_ms: float
    first_response_ms: float | None
    frames: int
    request_bytes: int
    response_bytes: int
    redactions: int
    attributes: dict[str, str]
    parent_exchange_id: str
    frame_list: NotRequired[list[Frame]]


class Branch(Exchange):
    """An exchange in its tree: `parent_exchange_id` is the one above, '' for the first cause. `depth` counts from 0.
    `link` says how its place is known: `user_agent` or `trace`, '' for the first. `same_principal`: whether it has
    the caller of the one above; None for the first."""

    depth: int
    link: str
    same_principal: bool | None


class Session(TypedDict):
    """One session, with the columns of v_sessions."""

    session_id: str
    started_at: str
    last_at: str
    connection: str
    protocol: str
    principal: str
    principal_issuer: str
    client_id: str
    user_agent: str
    mcp_protocol_version: str
    mcp_session_id: str
    exchanges: int
    frames: int
    pending: int
    denied: int
    errors: int
    redactions: int
    request_bytes: int
    response_bytes: int


class AdminAct(TypedDict):
    """What an operator or the gateway itself did, with the columns of v_admin."""

    admin_id: str
    at: str
    actor_kind: str
    actor: str
    actor_issuer: str
    action: str
    target: str
    reason: str
    outcome: str
    detail: str


class FindingAct(TypedDict):
    """An act of a finding, with the columns of v_finding_acts."""

    finding_id: str
    at: str
    act: str
    rule: str
    severity: str
    title: str
    evidence: list[str]
    count: int
    attributes: dict[str, str]
    by: str
    comment: str
    verdict: str
    k_offset: int


class Finding(TypedDict):
    """A finding and what became of it, with the columns of v_findings; `acts` where it was asked for alone."""

    finding_id: str
    rule: str
    severity: str
    raised_at: str
    title: str
    evidence: list[str]
    state: str
    verdict: str
    count: int
    last_seen_at: str
    principal: str
    principal_issuer: str
    connection: str
    session_id: str
    tool: str
    technique: str
    attributes: dict[str, str]
    acknowledged_by: str
    closed_by: str
    closed_at: str | None
    comment: str
    acts: NotRequired[list[FindingAct]]


class FindingRate(TypedDict):
    """What became of the findings of a rule, with the columns of v_finding_rates."""

    rule: str
    findings: int
    open: int
    acknowledged: int
    true_positives: int
    false_positives: int
    benign: int
    false_positive_rate: float | None
    last_raised_at: str
    median_hours_to_close: float | None


class Quorum(TypedDict):
    """So many people out of these reviewers."""

    reviewers: list[str]
    people: int


class StoredApproval(TypedDict):
    """An approval: asked, decided, used; with the columns of v_approvals."""

    approval_id: str
    requested_at: str
    kind: str
    state: str
    principal: str
    principal_issuer: str
    client_id: str
    connection: str
    method: str
    tool: str
    verb: str
    object: str
    rule: str
    reason: str
    quorum: list[Quorum]
    expires_at: str
    exchange_id: str
    session_id: str
    argument_digest: str
    policy_version: str
    decided_at: str | None
    waited_ms: float | None
    approvers: list[str]
    denied_by: str
    comments: list[str]
    refused_decisions: int
    use_exchanges: list[str]
    uses_left: int
    ends_at: str | None
    review_due_at: str | None
    reviewed_by: str


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings: in this state (`open`, `acknowledged`, `closed`), of this rule, severity, caller, connection,
    seen since (ISO time). '' asks for all."""

    state: str = ""
    rule: str = ""
    severity: str = ""
    principal: str = ""
    connection: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalFilter:
    """Which approvals: in this state, of this kind, caller, connection, asked since (ISO time). '' asks for all."""

    state: str = ""
    kind: str = ""
    principal: str = ""
    connection: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class AdminFilter:
    """Which acts: of this actor, of this kind (`session.kill`), on this target, since (ISO time). '' asks for all."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions: of this caller, on this connection, active since (ISO time). '' asks for all."""

    principal: str = ""
    connection: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames. '' asks for all; `text` wants every word of it in the first 64 KB of the body. `verb` and
    `namespace` are those of a Kubernetes request; `resource` is such a one's (`pods`), or an MCP resource or prompt.

    `since` and `until` are ISO times, the second exclusive. `newest` gives the newest ones when there are
    more than the limit; the order of what is given is always that of recording.
    """

    session: str = ""
    exchange: str = ""
    since: str = ""
    until: str = ""
    connection: str = ""
    principal: str = ""
    direction: str = ""
    method: str = ""
    tool: str = ""
    verdict: str = ""
    outcome: str = ""
    verb: str = ""
    namespace: str = ""
    resource: str = ""
    text: str = ""
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a free query: column names, and rows of plain JSON values."""

    columns: list[str]
    rows: list[list[Any]]


class Reader(Protocol):
    """What can be asked of the trail, of a store directly or through the query API.

    Raises ReadError for a question that cannot be answered, StoreAwayError when nobody answers.
    """

    async def sessions(self, wanted: SessionFilter, limit: int) -> Sequence[Session]:
        """The sessions with the latest activity first."""
        ...

    async def session(self, session_id: str) -> Session | None:
        """One session; None when the trail has none of this id."""
        ...

    async def frames(self, wanted: FrameFilter, limit: int) -> Sequence[Frame]:
        """Frames in the order of recording; those of a session include all of its exchanges."""
        ...

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange with its frames; None when the trail has none of this id."""
        ...

    async def tree(self, exchange_id: str) -> Sequence[Branch]:
        """What caused the exchange and what it caused, from the first cause down, each before what it caused; empty
        when the trail has none of this id."""
        ...

    async def admin(self, wanted: AdminFilter, limit: int) -> Sequence[AdminAct]:
        """What operators did, the latest first."""
        ...

    async def findings(self, wanted: FindingFilter, limit: int) -> Sequence[Finding]:
        """Findings, the latest raised first."""
        ...

    async def finding(self, finding_id: str) -> Finding | None:
        """One finding with its acts in order; None when the trail has none of this id."""
        ...

    async def finding_rates(self) -> Sequence[FindingRate]:
        """What became of the findings of each rule."""
        ...

    async def approvals(self, wanted: ApprovalFilter, limit: int) -> Sequence[StoredApproval]:
        """Approvals, the latest asked first."""
        ...

    async def query(self, sql: str) -> Table:
        """The answer to one read-only SQL statement."""
        ...

    async def close(self) -> None:
        """Lets go of the store."""
        ...
