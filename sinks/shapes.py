"""What the reader gives: rows of the trail as plain JSON values, with ISO times."""

from typing import NotRequired, TypedDict

from schemas.findings import KnownFinding


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


class FindingAct(KnownFinding):
    """An act of a finding, with the columns of v_finding_acts."""

    at: str
    act: str
    by: str
    comment: str
    verdict: str
    k_offset: int


class Finding(KnownFinding):
    """A finding and what became of it, with the columns of v_findings; `acts` where it was asked for alone."""

    raised_at: str
    state: str
    verdict: str
    last_seen_at: str
    principal: str
    principal_issuer: str
    connection: str
    session_id: str
    tool: str
    technique: str
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


class FrameDetail(Frame):
    """One frame asked for alone, with all that is chained. Digests in hex."""

    http_headers: str
    principal_groups: list[str]
    client_id: str
    policy_version: str
    prev_digest: str
    digest: str
    audit_digest: str
    body_commitment: str
    frames_partition: int
    frames_offset: int
    k_partition: int
    k_offset: int
    schema_fingerprint: str
    ingested_at: str


class SessionBucket(TypedDict):
    """From `at` on, for as long as a bucket is: exchanges that began, and the sessions they are of."""

    at: str
    sessions: int
    exchanges: int
    denied: int
    errors: int


class SessionCounts(TypedDict):
    """How many sessions a filter finds; `more` when there are more than `total`. The buckets count the exchanges
    that meet the filter, from `since` to `until`."""

    total: int
    more: bool
    since: str
    until: str
    bucket_seconds: int
    buckets: list[SessionBucket]


class OverviewBucket(TypedDict):
    """Exchanges that began from `at` on, for as long as a bucket is. `allowed` counts those that no rule looked at
    too; latencies are None while nothing ended."""

    at: str
    calls: int
    allowed: int
    denied: int
    held: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class OverviewTotals(TypedDict):
    """Sums over the whole time."""

    calls: int
    sessions: int
    principals: int
    denied: int
    held: int
    errors: int
    pending: int
    redactions: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class TopRow(TypedDict):
    """How often something was: a caller, a tool (with the connection it is of)."""

    name: str
    connection: str
    calls: int
    denied: int
    errors: int


class RuleCount(TypedDict):
    """How many secrets a masking rule found."""

    rule: str
    redactions: int


class Overview(TypedDict):
    """What happened between two times. `denied` counts refused and held calls, `errors` neither."""

    since: str
    until: str
    bucket_seconds: int
    totals: OverviewTotals
    series: list[OverviewBucket]
    redactions: list[RuleCount]
    principals: list[TopRow]
    tools: list[TopRow]
    denied_tools: list[TopRow]


class Options(TypedDict):
    """What filters can be set to: what was there in the last 30 days, at most 500 of each, in order."""

    connections: list[str]
    principals: list[str]
    groups: list[str]
    tools: list[str]
    verbs: list[str]
    namespaces: list[str]
