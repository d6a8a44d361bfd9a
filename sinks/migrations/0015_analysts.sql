-- What analysts get: a link to the replay on every row that has one, and views that answer the usual questions.
-- Names and columns of the views are a contract: tests/sql/contract.json has them all.
CREATE TABLE IF NOT EXISTS {database}.trail_settings
(
    name LowCardinality(String) COMMENT 'public_url: how browsers reach the console, without a slash at its end',
    value String COMMENT 'Its value',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was set; the latest counts'
)
ENGINE = ReplacingMergeTree(set_at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What views need to know of the installation; the store process writes it';

CREATE OR REPLACE VIEW {database}.v_frames
(
    frame_id UUID COMMENT 'Id of the frame (UUIDv7)',
    exchange_id UUID COMMENT 'Id of the exchange it belongs to; joins v_exchanges',
    session_id UUID COMMENT 'Session as known when it was recorded; the session of its exchange is in v_exchanges',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the gateway had the frame whole',
    elapsed_us UInt64 COMMENT 'Microseconds since the request of its exchange was whole',
    lane LowCardinality(String) COMMENT 'Who wrote it, in writing order: instance/boot/worker/partition',
    lane_seq UInt64 COMMENT 'Position in the lane, without gaps (that of its first part)',
    direction LowCardinality(String) COMMENT 'request: towards upstream; response: towards the client; end: no bytes, only how the exchange ended',
    protocol LowCardinality(String) COMMENT 'Protocol of the connection',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    principal_groups Array(LowCardinality(String)) COMMENT 'Groups of the caller',
    client_id LowCardinality(String) COMMENT 'OAuth client id',
    peer String COMMENT 'Address of the caller, host:port',
    user_agent LowCardinality(String) COMMENT 'User-Agent the caller sent',
    http_method LowCardinality(String) COMMENT 'HTTP method of the request',
    http_path String COMMENT 'HTTP path and query towards the gateway',
    http_status UInt16 COMMENT 'HTTP status the client was given with this frame; 0 on requests',
    http_headers String COMMENT 'End-to-end header lines, credentials masked',
    content_type LowCardinality(String) COMMENT 'Content-Type of the body',
    mcp_protocol_version LowCardinality(String) COMMENT 'MCP revision that the request names',
    mcp_session_id String COMMENT 'The protocol''s own session id',
    jsonrpc_type LowCardinality(String) COMMENT 'none, request, notification, response, error or batch',
    jsonrpc_id String COMMENT 'JSON-RPC id as its JSON literal',
    method LowCardinality(String) COMMENT 'MCP method; on a response that of its request',
    tool LowCardinality(String) COMMENT 'Tool name of a tools/call',
    resource String COMMENT 'Resource URI or prompt name',
    sse_event_id String COMMENT 'Id of the server-sent event',
    verdict LowCardinality(String) COMMENT 'What policy said: none, allow, deny, hold',
    rule LowCardinality(String) COMMENT 'Rule that decided',
    policy_version LowCardinality(String) COMMENT 'Digest of the policy in force',
    reason String COMMENT 'Why, for a person; empty when allowed',
    reason_code LowCardinality(String) COMMENT 'Why, for a program; empty when all went well',
    jsonrpc_error Nullable(Int64) COMMENT 'JSON-RPC error code of the answer; NULL when it has none',
    tool_is_error Nullable(Bool) COMMENT 'isError of a tool result; NULL when the answer is none',
    outcome LowCardinality(String) COMMENT 'How the exchange ended; pending on all frames but its last',
    redactions Array(Tuple(path String, rule LowCardinality(String), start Int64, end Int64, pseudonym String)) COMMENT 'What was masked: where, by which rule, and what stands there now',
    attributes Map(LowCardinality(String), String) COMMENT 'Further facts by name: purpose, credential.id, tool.state, forwarded, trace.id ...',
    purpose String COMMENT 'Reason the caller gave for its session token; empty where none was given',
    body_bytes UInt64 COMMENT 'Size of the body before masking, in bytes',
    body String COMMENT 'The masked body, byte for byte, all parts joined',
    head String COMMENT 'First 64 KB of the body: search it with hasAllTokens(head, ''words'')',
    parts UInt32 COMMENT 'In how many parts it was recorded; 1 for nearly all',
    parts_stored UInt64 COMMENT 'How many of the parts are stored; body is whole when equal to parts',
    digest FixedString(32) COMMENT 'SHA-256 over the chained fields',
    frames_partition Int32 COMMENT 'Partition of topic frames',
    frames_offset Int64 COMMENT 'Offset in that partition',
    k_partition Int32 COMMENT 'Partition of topic audit',
    k_offset Int64 COMMENT 'Offset in that partition',
    ingested_at DateTime64(3, 'UTC') COMMENT 'When the store had it',
    replay_url String COMMENT 'Where the console shows it, below the public URL of trail_settings; a relative path while none is set'
)
AS SELECT
    f.frame_id AS frame_id,
    f.exchange_id AS exchange_id,
    f.session_id AS session_id,
    f.recorded_at AS recorded_at,
    f.elapsed_us AS elapsed_us,
    f.lane AS lane,
    f.lane_seq AS lane_seq,
    f.direction AS direction,
    f.protocol AS protocol,
    f.connection AS connection,
    f.principal_subject AS principal,
    f.principal_issuer AS principal_issuer,
    f.principal_groups AS principal_groups,
    f.client_id AS client_id,
    f.peer AS peer,
    f.user_agent AS user_agent,
    f.http_method AS http_method,
    f.http_path AS http_path,
    f.http_status AS http_status,
    f.http_headers AS http_headers,
    f.content_type AS content_type,
    f.mcp_protocol_version AS mcp_protocol_version,
    f.mcp_session_id AS mcp_session_id,
    f.jsonrpc_type AS jsonrpc_type,
    f.jsonrpc_id AS jsonrpc_id,
    f.method AS method,
    f.tool AS tool,
    f.resource AS resource,
    f.sse_event_id AS sse_event_id,
    f.verdict AS verdict,
    f.rule AS rule,
    f.policy_version AS policy_version,
    f.reason AS reason,
    f.reason_code AS reason_code,
    f.jsonrpc_error AS jsonrpc_error,
    f.tool_is_error AS tool_is_error,
    f.outcome AS outcome,
    arrayConcat(if(f.parts = 1, f.redactions, p.redactions), f.deep_redactions) AS redactions,
    f.attributes AS attributes,
    f.attributes['purpose'] AS purpose,
    f.body_bytes AS body_bytes,
    if(f.parts = 1, f.body, p.body) AS body,
    f.head AS head,
    f.parts AS parts,
    if(f.parts = 1, 1, p.parts_stored) AS parts_stored,
    f.digest AS digest,
    f.frames_partition AS frames_partition,
    f.frames_offset AS frames_offset,
    f.k_partition AS k_partition,
    f.k_offset AS k_offset,
    f.ingested_at AS ingested_at,
    concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/frames/', toString(f.frame_id)) AS replay_url
FROM {database}.frames_stored AS f FINAL
LEFT JOIN
(
    SELECT
        session_id,
        frame_id,
        count() AS parts_stored,
        arrayStringConcat(arrayMap(piece -> piece.2, arraySort(piece -> piece.1, groupArray((part, body))))) AS body,
        arrayFlatten(arrayMap(some -> some.2, arraySort(some -> some.1, groupArray((part, redactions))))) AS redactions
    FROM {database}.frames_stored FINAL
    WHERE parts > 1
    GROUP BY session_id, frame_id
) AS p ON p.session_id = f.session_id AND p.frame_id = f.frame_id
WHERE f.part = 1
COMMENT 'One row a frame, in both directions; order a session by recorded_at, lane, lane_seq';

CREATE OR REPLACE VIEW {database}.v_exchanges
(
    exchange_id UUID COMMENT 'Id of the exchange: one request and its answers (UUIDv7)',
    session_id UUID COMMENT 'Session it belongs to: the one its answer names, for an initialize request',
    started_at DateTime64(6, 'UTC') COMMENT 'When its first frame was recorded',
    ended_at DateTime64(6, 'UTC') COMMENT 'When its latest frame was recorded',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    protocol LowCardinality(String) COMMENT 'Protocol of the connection',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    client_id LowCardinality(String) COMMENT 'OAuth client id',
    peer String COMMENT 'Address of the caller, host:port',
    user_agent LowCardinality(String) COMMENT 'User-Agent the caller sent',
    mcp_protocol_version LowCardinality(String) COMMENT 'MCP revision that the request names',
    mcp_session_id String COMMENT 'The protocol''s own session id',
    http_method LowCardinality(String) COMMENT 'HTTP method of the request',
    http_path String COMMENT 'HTTP path and query of the request',
    jsonrpc_id String COMMENT 'JSON-RPC id of the request',
    method LowCardinality(String) COMMENT 'MCP method of the request',
    tool LowCardinality(String) COMMENT 'Tool that was called',
    resource String COMMENT 'Resource URI or prompt name',
    verdict LowCardinality(String) COMMENT 'What policy said: none, allow, deny, hold',
    rule LowCardinality(String) COMMENT 'Rule that decided',
    reason String COMMENT 'Why, for a person',
    reason_code LowCardinality(String) COMMENT 'Why, for a program',
    outcome LowCardinality(String) COMMENT 'How it ended: completed, refused, withheld, upstream_failed, timed_out, client_gone; pending while it has not',
    http_status UInt16 COMMENT 'First outcome: HTTP status the client was given; 0 when none was',
    jsonrpc_error Nullable(Int64) COMMENT 'Second outcome: JSON-RPC error code; NULL when there was none',
    tool_is_error Nullable(Bool) COMMENT 'Third outcome: isError of the tool result; NULL when the answer is none',
    is_error Bool COMMENT 'Whether it failed, by any of the outcomes; a call that policy denied or holds is no error',
    latency_ms Float64 COMMENT 'Milliseconds from the whole request to the latest frame',
    first_response_ms Nullable(Float64) COMMENT 'Milliseconds from the whole request to the first response frame; NULL when there was none',
    frames UInt64 COMMENT 'Frames, both directions',
    request_bytes UInt64 COMMENT 'Bytes of the bodies towards upstream, before masking',
    response_bytes UInt64 COMMENT 'Bytes of the bodies towards the client, before masking',
    redactions UInt64 COMMENT 'Secrets masked',
    attributes Map(LowCardinality(String), String) COMMENT 'Further facts by name, as on its latest frame',
    parent_exchange_id String COMMENT 'The exchange that its User-Agent says it was caused by, a claim: v_exchange_tree has those that hold; empty for none',
    replay_url String COMMENT 'Where the console shows it, below the public URL of trail_settings; a relative path while none is set'
)
AS SELECT
    exchange_id,
    argMax(s.session_id, opening_rank) AS session_id,
    min(recorded_at) AS started_at,
    max(recorded_at) AS ended_at,
    any(s.connection) AS connection,
    any(s.protocol) AS protocol,
    any(s.principal_subject) AS principal,
    any(s.principal_issuer) AS principal_issuer,
    any(s.client_id) AS client_id,
    any(s.peer) AS peer,
    any(s.user_agent) AS user_agent,
    argMin(s.mcp_protocol_version, opening_rank) AS mcp_protocol_version,
    max(s.mcp_session_id) AS mcp_session_id,
    argMin(s.http_method, opening_rank) AS http_method,
    argMin(s.http_path, opening_rank) AS http_path,
    argMin(s.jsonrpc_id, opening_rank) AS jsonrpc_id,
    argMin(s.method, opening_rank) AS method,
    argMin(s.tool, opening_rank) AS tool,
    argMin(s.resource, opening_rank) AS resource,
    if(countIf(s.verdict != 'none') = 0, 'none', argMaxIf(s.verdict, lane_seq, s.verdict != 'none')) AS verdict,
    argMaxIf(s.rule, lane_seq, s.verdict != 'none') AS rule,
    argMaxIf(s.reason, lane_seq, s.reason != '') AS reason,
    argMaxIf(s.reason_code, lane_seq, s.reason_code != '') AS reason_code,
    if(countIf(s.outcome != 'pending') = 0, 'pending', argMaxIf(s.outcome, lane_seq, s.outcome != 'pending')) AS outcome,
    argMaxIf(s.http_status, lane_seq, s.http_status != 0) AS http_status,
    argMax(s.jsonrpc_error, lane_seq) AS jsonrpc_error,
    argMax(s.tool_is_error, lane_seq) AS tool_is_error,
    (outcome NOT IN ('completed', 'pending') OR http_status >= 400 OR jsonrpc_error IS NOT NULL OR ifNull(tool_is_error, false)) AND verdict NOT IN ('deny', 'hold') AS is_error,
    max(elapsed_us) / 1000 AS latency_ms,
    minOrNullIf(elapsed_us, direction = 'response') / 1000 AS first_response_ms,
    countIf(part = 1) AS frames,
    sumIf(body_bytes, direction = 'request' AND part = 1) AS request_bytes,
    sumIf(body_bytes, direction = 'response' AND part = 1) AS response_bytes,
    sum(length(s.redactions) + length(s.deep_redactions)) AS redactions,
    argMax(s.attributes, lane_seq) AS attributes,
    attributes['parent.exchange_id'] AS parent_exchange_id,
    concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/sessions/', toString(session_id), '#', toString(exchange_id)) AS replay_url
FROM
(
    SELECT *, elapsed_us + if(direction = 'request', 0, 4611686018427387904) AS opening_rank
    FROM {database}.frames_stored FINAL
) AS s
GROUP BY exchange_id
COMMENT 'One row an exchange: one request and its answers';

CREATE OR REPLACE VIEW {database}.v_sessions
(
    session_id UUID COMMENT 'Id of the session: one principal''s conversation over one connection',
    started_at DateTime64(6, 'UTC') COMMENT 'When its first frame was recorded',
    last_at DateTime64(6, 'UTC') COMMENT 'When its latest frame was recorded',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    protocol LowCardinality(String) COMMENT 'Protocol of the connection',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    client_id LowCardinality(String) COMMENT 'OAuth client id',
    user_agent LowCardinality(String) COMMENT 'User-Agent of its first request',
    mcp_protocol_version LowCardinality(String) COMMENT 'MCP revision that its requests name',
    mcp_session_id String COMMENT 'The protocol''s own session id',
    exchanges UInt64 COMMENT 'Exchanges',
    frames UInt64 COMMENT 'Frames of these exchanges',
    pending UInt64 COMMENT 'Exchanges that have not ended (or whose end was never recorded)',
    denied UInt64 COMMENT 'Exchanges that policy denied or holds for a person',
    errors UInt64 COMMENT 'Exchanges that failed; denied and held ones not counted',
    redactions UInt64 COMMENT 'Secrets masked',
    request_bytes UInt64 COMMENT 'Bytes of the bodies towards upstream, before masking',
    response_bytes UInt64 COMMENT 'Bytes of the bodies towards the client, before masking',
    replay_url String COMMENT 'Where the console shows it, below the public URL of trail_settings; a relative path while none is set'
)
AS SELECT
    e.session_id AS session_id,
    min(e.started_at) AS started_at,
    max(e.ended_at) AS last_at,
    any(e.connection) AS connection,
    any(e.protocol) AS protocol,
    any(e.principal) AS principal,
    any(e.principal_issuer) AS principal_issuer,
    any(e.client_id) AS client_id,
    argMin(e.user_agent, e.started_at) AS user_agent,
    max(e.mcp_protocol_version) AS mcp_protocol_version,
    max(e.mcp_session_id) AS mcp_session_id,
    count() AS exchanges,
    sum(e.frames) AS frames,
    countIf(e.outcome = 'pending') AS pending,
    countIf(e.verdict IN ('deny', 'hold')) AS denied,
    countIf(e.is_error) AS errors,
    sum(e.redactions) AS redactions,
    sum(e.request_bytes) AS request_bytes,
    sum(e.response_bytes) AS response_bytes,
    concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/sessions/', toString(e.session_id)) AS replay_url
FROM {database}.v_exchanges AS e
GROUP BY e.session_id
COMMENT 'One row a session: one principal''s conversation over one connection';

CREATE OR REPLACE VIEW {database}.v_findings
(
    finding_id UUID COMMENT 'Id, derived from the evidence or a name',
    rule LowCardinality(String) COMMENT 'Which check raised it, for instance trail-incomplete',
    severity LowCardinality(String) COMMENT 'info, low, medium, high or critical: the latest',
    raised_at DateTime64(6, 'UTC') COMMENT 'When it was raised first',
    title String COMMENT 'One line for a person: the latest',
    evidence Array(String) COMMENT 'What it rests on: positions, ids, counts; the latest',
    state LowCardinality(String) COMMENT 'open, acknowledged or closed',
    verdict LowCardinality(String) COMMENT 'true-positive, false-positive or benign; empty unless closed',
    count Int64 COMMENT 'Observations so far',
    last_seen_at DateTime64(6, 'UTC') COMMENT 'When it was raised or repeated last',
    principal String COMMENT 'Subject of the caller it is about; empty where it is about none',
    principal_issuer String COMMENT 'Issuer of that caller''s identity',
    connection LowCardinality(String) COMMENT 'Connection it is about; empty for none or several',
    session_id String COMMENT 'Session it is about; empty for none or several',
    tool String COMMENT 'Tool it is about; empty for none or several',
    technique LowCardinality(String) COMMENT 'MITRE ATT&CK technique; empty where none fits',
    attributes Map(LowCardinality(String), String) COMMENT 'All further facts by name: feature, value, threshold, baseline ...',
    acknowledged_by String COMMENT 'Who acknowledged it last',
    closed_by String COMMENT 'Who closed it; empty unless closed',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was closed; NULL unless it is',
    comment String COMMENT 'What was said in the latest act of a person',
    replay_url String COMMENT 'Where the console shows it, below the public URL of trail_settings; a relative path while none is set'
)
AS SELECT
    g.finding_id AS finding_id, g.rule AS rule, g.last_severity AS severity, g.first_seen_at AS raised_at,
    g.last_title AS title, g.last_evidence AS evidence,
    multiIf(g.last_act = 'closed', 'closed', g.last_act = 'acknowledged', 'acknowledged', 'open') AS state,
    if(g.last_act = 'closed', g.last_verdict, '') AS verdict,
    g.most AS count, g.last_seen AS last_seen_at,
    g.facts['principal_subject'] AS principal, g.facts['principal_issuer'] AS principal_issuer,
    g.facts['connection'] AS connection, g.facts['session_id'] AS session_id, g.facts['tool'] AS tool,
    g.facts['technique'] AS technique, g.facts AS attributes,
    g.acknowledger AS acknowledged_by,
    if(g.last_act = 'closed', g.last_by, '') AS closed_by,
    if(g.last_act = 'closed', g.last_act_at, NULL) AS closed_at,
    g.last_comment AS comment,
    concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/findings/', toString(g.finding_id)) AS replay_url
FROM
(
    SELECT
        finding_id,
        any(rule) AS rule,
        argMaxIf(severity, (at, k_offset), seen) AS last_severity,
        argMaxIf(title, (at, k_offset), seen) AS last_title,
        argMaxIf(evidence, (at, k_offset), seen) AS last_evidence,
        argMaxIf(attributes, (at, k_offset), seen) AS facts,
        minIf(at, seen) AS first_seen_at,
        maxIf(at, seen) AS last_seen,
        max(count) AS most,
        argMaxIf(act, (at, k_offset), NOT seen) AS last_act,
        argMaxIf(verdict, (at, k_offset), NOT seen) AS last_verdict,
        argMaxIf(by, (at, k_offset), NOT seen) AS last_by,
        argMaxIf(comment, (at, k_offset), NOT seen) AS last_comment,
        maxIf(at, NOT seen) AS last_act_at,
        argMaxIf(by, (at, k_offset), act = 'acknowledged') AS acknowledger
    FROM (SELECT *, act IN ('raised', 'repeated') AS seen FROM {database}.v_finding_acts)
    GROUP BY finding_id
) AS g
COMMENT 'One row a finding: something a person should look at, and what became of it';

CREATE OR REPLACE VIEW {database}.v_approvals
(
    approval_id UUID COMMENT 'Id of the approval (UUIDv7)',
    requested_at DateTime64(6, 'UTC') COMMENT 'When the gateway held the call',
    kind LowCardinality(String) COMMENT 'call: this call, once; standing: such calls; access: a connection; break_glass: at once, looked at afterwards',
    state LowCardinality(String) COMMENT 'pending, approved, denied, expired, revoked, used; unread before anything was settled',
    principal LowCardinality(String) COMMENT 'Subject of the one who asks',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the one who asks',
    client_id LowCardinality(String) COMMENT 'Through which client',
    connection LowCardinality(String) COMMENT 'Over which connection',
    method LowCardinality(String) COMMENT 'Method: JSON-RPC''s, HTTP''s; empty for Kubernetes',
    tool LowCardinality(String) COMMENT 'Tool, where one is called',
    verb LowCardinality(String) COMMENT 'Kubernetes verb; empty elsewhere',
    object String COMMENT 'What it is about',
    rule LowCardinality(String) COMMENT 'The rule that held it',
    reason String COMMENT 'Why it is asked for',
    quorum Array(Tuple(reviewers Array(String), people Int32)) COMMENT 'Who has to agree: all parts',
    expires_at DateTime64(6, 'UTC') COMMENT 'Until when it may be decided',
    exchange_id String COMMENT 'The exchange that asked; empty when none waits. Its request has the arguments, masked',
    session_id String COMMENT 'Its session; empty when there is none',
    argument_digest String COMMENT 'SHA-256 in hex over the canonical decoded call; empty for access',
    policy_version LowCardinality(String) COMMENT 'Digest of the policy that held it',
    decided_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was pending no more; NULL while it is',
    waited_ms Nullable(Float64) COMMENT 'Milliseconds from requested_at to decided_at; NULL while it is pending',
    approvers Array(String) COMMENT 'Who approved, as ISSUER|SUBJECT',
    denied_by String COMMENT 'Who denied or revoked it, as ISSUER|SUBJECT; empty for nobody',
    comments Array(String) COMMENT 'What was said with decisions that counted, in order',
    refused_decisions UInt64 COMMENT 'Decisions that changed nothing: of somebody who may not, or too late',
    use_exchanges Array(String) COMMENT 'Exchanges that were let run, in order',
    uses_left Int32 COMMENT 'Uses that are left; -1: any number until ends_at; 0 while nothing is granted',
    ends_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ends, or ended, by itself; NULL before anything was settled',
    review_due_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Until when a broken glass has to be looked at; NULL when nobody has to',
    reviewed_by String COMMENT 'Who looked at a broken glass; empty for nobody yet',
    replay_url String COMMENT 'Where the console shows the session that asked, below the public URL of trail_settings; empty when there is none'
)
AS SELECT
    r.approval_id AS approval_id, r.requested_at AS requested_at, r.kind AS kind,
    if(s.settlements = 0, 'unread', s.last_state) AS state,
    r.principal_subject AS principal, r.principal_issuer AS principal_issuer, r.client_id AS client_id,
    r.connection AS connection, r.method AS method, r.tool AS tool, r.verb AS verb, r.object AS object, r.rule AS rule,
    r.reason AS reason, r.quorum AS quorum, r.expires_at AS expires_at, r.exchange_id AS exchange_id,
    r.session_id AS session_id, r.argument_digest AS argument_digest, r.policy_version AS policy_version,
    if(s.ended = 0, NULL, s.first_ended_at) AS decided_at,
    if(s.ended = 0, NULL, dateDiff('microsecond', r.requested_at, s.first_ended_at) / 1000) AS waited_ms,
    s.last_approvers AS approvers,
    d.denied_by AS denied_by, s.comments AS comments, s.refused AS refused_decisions, s.used_by AS use_exchanges,
    s.last_uses_left AS uses_left,
    if(s.settlements = 0, NULL, s.last_ends_at) AS ends_at,
    s.last_review_due_at AS review_due_at, s.last_reviewed_by AS reviewed_by,
    if(r.session_id = '', '', concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/sessions/', r.session_id, '#', r.exchange_id)) AS replay_url
FROM {database}.approvals_requested_stored AS r FINAL
LEFT JOIN
(
    SELECT
        approval_id,
        count() AS settlements,
        argMax(state, version) AS last_state,
        countIf(state != 'pending') AS ended,
        minIf(at, state != 'pending') AS first_ended_at,
        argMax(approvers, version) AS last_approvers,
        argMax(uses_left, version) AS last_uses_left,
        argMax(ends_at, version) AS last_ends_at,
        argMax(tuple(review_due_at), version).1 AS last_review_due_at,
        argMax(reviewed_by, version) AS last_reviewed_by,
        countIf(refusal != '' AND decision_id != '') AS refused,
        arrayMap(pair -> pair.2, arraySort(groupArrayIf((version, comment), comment != '' AND refusal = ''))) AS comments,
        arrayMap(pair -> pair.2, arraySort(groupArrayIf((version, use_id), use_id != ''))) AS used_by
    FROM {database}.approvals_settled_stored FINAL
    GROUP BY approval_id
) AS s ON s.approval_id = r.approval_id
LEFT JOIN
(
    SELECT approval_id, argMin(concat(who_issuer, '|', who), at) AS denied_by
    FROM {database}.v_approval_decisions
    WHERE verb IN ('deny', 'revoke') AND ifNull(counted, false)
    GROUP BY approval_id
) AS d ON d.approval_id = r.approval_id
COMMENT 'One row an approval: who asked for what, who decided, how long it took, and what ran by it';

CREATE OR REPLACE VIEW {database}.v_kubernetes
(
    exchange_id UUID COMMENT 'Id of the exchange: one request and its answers; joins v_exchanges',
    session_id UUID COMMENT 'Session it belongs to',
    started_at DateTime64(6, 'UTC') COMMENT 'When the request was recorded',
    ended_at DateTime64(6, 'UTC') COMMENT 'When its latest frame was recorded',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    cluster LowCardinality(String) COMMENT 'Name of the cluster',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    client_id LowCardinality(String) COMMENT 'OAuth client id',
    user_agent LowCardinality(String) COMMENT 'User-Agent the caller sent, without the exchange that caused it',
    verb LowCardinality(String) COMMENT 'What is done: get, list, watch, create, update, patch, delete, deletecollection ...; empty for a request that could not be read',
    object String COMMENT 'What it is done to, as GROUP/RESOURCE/SUBRESOURCE NAMESPACE/NAME; the path where it is no resource',
    api_group LowCardinality(String) COMMENT 'API group; empty for the core group',
    api_version LowCardinality(String) COMMENT 'API version',
    resource LowCardinality(String) COMMENT 'Resource, such as pods; empty for a path that is none',
    subresource LowCardinality(String) COMMENT 'Subresource, such as exec, log, scale',
    namespace LowCardinality(String) COMMENT 'Namespace; empty for all of them, and for objects without',
    name String COMMENT 'Name of the object; empty for several',
    kind LowCardinality(String) COMMENT 'Kind of the object that was sent',
    container LowCardinality(String) COMMENT 'Container, of exec, attach and log',
    label_selector String COMMENT 'Which labels were asked for',
    field_selector String COMMENT 'Which fields were asked for',
    patch_type LowCardinality(String) COMMENT 'How a patch was written',
    dry_run Bool COMMENT 'Whether nothing was to be kept of it',
    impersonated_user String COMMENT 'Whom the caller asked to be taken for',
    impersonated_groups String COMMENT 'In which groups, with commas between',
    kubectl_command LowCardinality(String) COMMENT 'Which kubectl command it belongs to',
    kubectl_session String COMMENT 'Which run of kubectl it belongs to',
    upstream_user String COMMENT 'Whom the API server takes the gateway for, where that is known',
    cloud_provider LowCardinality(String) COMMENT 'Whose cloud',
    cloud_account LowCardinality(String) COMMENT 'Account of the role',
    cloud_role LowCardinality(String) COMMENT 'Role that the gateway acted in',
    cloud_role_source LowCardinality(String) COMMENT 'Role that it was assumed from',
    parent_exchange_id String COMMENT 'The exchange that it says it was caused by, a claim; empty for none',
    verdict LowCardinality(String) COMMENT 'What policy said: none, allow, deny, hold',
    rule LowCardinality(String) COMMENT 'Rule that decided',
    reason String COMMENT 'Why, for a person',
    reason_code LowCardinality(String) COMMENT 'Why, for a program',
    outcome LowCardinality(String) COMMENT 'How it ended: completed, refused, withheld, upstream_failed, timed_out, client_gone; pending while it has not',
    http_status UInt16 COMMENT 'HTTP status the client was given',
    is_error Bool COMMENT 'Whether it failed; denied and held requests are no error',
    latency_ms Float64 COMMENT 'Milliseconds from the whole request to the latest frame',
    frames UInt64 COMMENT 'Frames: one a watch event, one a message of a terminal',
    request_bytes UInt64 COMMENT 'Bytes towards the API server, before masking',
    response_bytes UInt64 COMMENT 'Bytes towards the client, before masking',
    redactions UInt64 COMMENT 'Secrets masked',
    replay_url String COMMENT 'Where the console shows it, below the public URL of trail_settings; a relative path while none is set'
)
AS SELECT
    e.exchange_id AS exchange_id,
    e.session_id AS session_id,
    e.started_at AS started_at,
    e.ended_at AS ended_at,
    e.connection AS connection,
    e.attributes['k8s.cluster.name'] AS cluster,
    e.principal AS principal,
    e.principal_issuer AS principal_issuer,
    e.client_id AS client_id,
    e.user_agent AS user_agent,
    e.attributes['k8s.verb'] AS verb,
    multiIf(
        resource = '', replaceRegexpOne(path(e.http_path), '^/k8s/[^/]+', ''),
        concat(
            if(api_group = '', '', concat(api_group, '/')), resource, if(subresource = '', '', concat('/', subresource)),
            ' ', if(namespace = '' OR resource = 'namespaces', '', concat(namespace, '/')), if(name = '', '*', name)
        )
    ) AS object,
    e.attributes['k8s.objectRef.apiGroup'] AS api_group,
    e.attributes['k8s.objectRef.apiVersion'] AS api_version,
    e.attributes['k8s.objectRef.resource'] AS resource,
    e.attributes['k8s.objectRef.subresource'] AS subresource,
    e.attributes['k8s.objectRef.namespace'] AS namespace,
    e.attributes['k8s.objectRef.name'] AS name,
    e.attributes['k8s.kind'] AS kind,
    e.attributes['k8s.container.name'] AS container,
    e.attributes['k8s.labelSelector'] AS label_selector,
    e.attributes['k8s.fieldSelector'] AS field_selector,
    e.attributes['k8s.patchType'] AS patch_type,
    e.attributes['k8s.dryRun'] != '' AS dry_run,
    e.attributes['k8s.impersonated.user'] AS impersonated_user,
    e.attributes['k8s.impersonated.groups'] AS impersonated_groups,
    e.attributes['kubectl.command'] AS kubectl_command,
    e.attributes['kubectl.session'] AS kubectl_session,
    e.attributes['k8s.user'] AS upstream_user,
    e.attributes['cloud.provider'] AS cloud_provider,
    e.attributes['cloud.account.id'] AS cloud_account,
    e.attributes['cloud.role'] AS cloud_role,
    e.attributes['cloud.role.source'] AS cloud_role_source,
    e.parent_exchange_id AS parent_exchange_id,
    e.verdict AS verdict,
    e.rule AS rule,
    e.reason AS reason,
    e.reason_code AS reason_code,
    e.outcome AS outcome,
    e.http_status AS http_status,
    e.is_error AS is_error,
    e.latency_ms AS latency_ms,
    e.frames AS frames,
    e.request_bytes AS request_bytes,
    e.response_bytes AS response_bytes,
    e.redactions AS redactions,
    e.replay_url AS replay_url
FROM {database}.v_exchanges AS e
WHERE e.protocol = 'kubernetes'
COMMENT 'One row a request to a Kubernetes API server; names as in audit.k8s.io/v1';

CREATE OR REPLACE VIEW {database}.v_denied_calls
(
    day Date COMMENT 'Day in UTC',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    protocol LowCardinality(String) COMMENT 'Protocol of the connection',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    call String COMMENT 'What was called: the tool, else the Kubernetes verb and resource, else the method',
    rule LowCardinality(String) COMMENT 'Rule that denied; empty where no rule allowed it',
    reason_code LowCardinality(String) COMMENT 'Why, for a program',
    calls UInt64 COMMENT 'How many calls were denied',
    first_at DateTime64(6, 'UTC') COMMENT 'The first of the day',
    last_at DateTime64(6, 'UTC') COMMENT 'The last of the day',
    last_exchange_id UUID COMMENT 'Id of the last; joins v_exchanges',
    last_reason String COMMENT 'Why the last was denied, for a person',
    replay_url String COMMENT 'Where the console shows the last one'
)
AS SELECT
    toDate(e.started_at) AS day, e.connection AS connection, any(e.protocol) AS protocol,
    e.principal AS principal, e.principal_issuer AS principal_issuer,
    multiIf(
        e.tool != '', toString(e.tool),
        e.attributes['k8s.verb'] != '', concat(e.attributes['k8s.verb'], ' ', e.attributes['k8s.objectRef.resource']),
        toString(e.method)
    ) AS call,
    e.rule AS rule, e.reason_code AS reason_code,
    count() AS calls, min(e.started_at) AS first_at, max(e.started_at) AS last_at,
    argMax(e.exchange_id, e.started_at) AS last_exchange_id, argMax(e.reason, e.started_at) AS last_reason,
    argMax(e.replay_url, e.started_at) AS replay_url
FROM {database}.v_exchanges AS e
WHERE e.verdict = 'deny'
GROUP BY day, connection, principal, principal_issuer, call, rule, reason_code
COMMENT 'One row a day, caller, call and rule: what policy denied';

CREATE OR REPLACE VIEW {database}.v_first_tools
(
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    tool LowCardinality(String) COMMENT 'Tool',
    first_at DateTime64(6, 'UTC') COMMENT 'When the caller called it first',
    first_exchange_id UUID COMMENT 'Id of that call; joins v_exchanges',
    first_verdict LowCardinality(String) COMMENT 'What policy said then',
    last_at DateTime64(6, 'UTC') COMMENT 'When the caller called it last',
    calls UInt64 COMMENT 'How often so far',
    replay_url String COMMENT 'Where the console shows the first call'
)
AS SELECT
    e.principal AS principal, e.principal_issuer AS principal_issuer, e.connection AS connection, e.tool AS tool,
    min(e.started_at) AS first_at, argMin(e.exchange_id, e.started_at) AS first_exchange_id,
    argMin(e.verdict, e.started_at) AS first_verdict, max(e.started_at) AS last_at, count() AS calls,
    argMin(e.replay_url, e.started_at) AS replay_url
FROM {database}.v_exchanges AS e
WHERE e.tool != ''
GROUP BY principal, principal_issuer, connection, tool
COMMENT 'One row a caller and tool: when that caller first called it';

-- A dry run changes nothing and is left out; reading a Secret in a watch or a list is reading all that it names.
CREATE OR REPLACE VIEW {database}.v_sensitive_requests
(
    what LowCardinality(String) COMMENT 'secret-read, delete, exec (also attach, port-forward, proxy, ephemeral containers), token (made for a service account) or impersonation',
    exchange_id UUID COMMENT 'Id of the exchange; joins v_kubernetes',
    session_id UUID COMMENT 'Session it belongs to',
    started_at DateTime64(6, 'UTC') COMMENT 'When the request was recorded',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    cluster LowCardinality(String) COMMENT 'Name of the cluster',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    verb LowCardinality(String) COMMENT 'Kubernetes verb',
    resource LowCardinality(String) COMMENT 'Resource',
    subresource LowCardinality(String) COMMENT 'Subresource',
    namespace LowCardinality(String) COMMENT 'Namespace; empty for all of them, and for objects without',
    name String COMMENT 'Name of the object; empty for several',
    object String COMMENT 'Verb''s object in words, as in v_kubernetes',
    verdict LowCardinality(String) COMMENT 'What policy said: none, allow, deny, hold',
    rule LowCardinality(String) COMMENT 'Rule that decided',
    outcome LowCardinality(String) COMMENT 'How it ended',
    http_status UInt16 COMMENT 'HTTP status the client was given',
    replay_url String COMMENT 'Where the console shows it'
)
AS SELECT
    multiIf(
        k.subresource IN ('exec', 'attach', 'portforward', 'proxy', 'ephemeralcontainers'), 'exec',
        k.resource = 'serviceaccounts' AND k.subresource = 'token', 'token',
        k.resource = 'secrets' AND k.verb IN ('get', 'list', 'watch'), 'secret-read',
        k.verb IN ('delete', 'deletecollection'), 'delete',
        'impersonation'
    ) AS what,
    k.exchange_id AS exchange_id, k.session_id AS session_id, k.started_at AS started_at, k.connection AS connection,
    k.cluster AS cluster, k.principal AS principal, k.principal_issuer AS principal_issuer, k.verb AS verb,
    k.resource AS resource, k.subresource AS subresource, k.namespace AS namespace, k.name AS name, k.object AS object,
    k.verdict AS verdict, k.rule AS rule, k.outcome AS outcome, k.http_status AS http_status, k.replay_url AS replay_url
FROM {database}.v_kubernetes AS k
WHERE NOT k.dry_run AND (
    k.subresource IN ('exec', 'attach', 'portforward', 'proxy', 'ephemeralcontainers')
    OR (k.resource = 'serviceaccounts' AND k.subresource = 'token')
    OR (k.resource = 'secrets' AND k.verb IN ('get', 'list', 'watch'))
    OR k.verb IN ('delete', 'deletecollection')
    OR k.impersonated_user != '' OR k.impersonated_groups != ''
)
COMMENT 'One row a request to a cluster that reads secrets, deletes, gets into a container or acts as somebody else';

CREATE OR REPLACE VIEW {database}.v_redactions
(
    day Date COMMENT 'Day in UTC',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    direction LowCardinality(String) COMMENT 'request: the caller sent it; response: upstream did',
    pass LowCardinality(String) COMMENT 'inline: masked before anybody saw it; deep: only in the trail, the client had it',
    rule LowCardinality(String) COMMENT 'Rule that found it',
    redactions UInt64 COMMENT 'How many values were masked',
    pseudonyms UInt64 COMMENT 'How many different ones, about',
    frames UInt64 COMMENT 'In how many frames',
    principals UInt64 COMMENT 'For how many callers',
    last_at DateTime64(6, 'UTC') COMMENT 'The last of the day',
    last_exchange_id UUID COMMENT 'Exchange of the last; joins v_exchanges',
    replay_url String COMMENT 'Where the console shows the last one'
)
AS SELECT
    toDate(m.recorded_at) AS day, m.connection AS connection, m.direction AS direction,
    if(m.number > m.inline, 'deep', 'inline') AS pass, m.one.rule AS rule,
    count() AS redactions, uniq(m.one.pseudonym) AS pseudonyms, uniqExact(m.frame_id) AS frames,
    uniqExact(m.principal_issuer, m.principal_subject) AS principals, max(m.recorded_at) AS last_at,
    argMax(m.exchange_id, m.recorded_at) AS last_exchange_id,
    concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/sessions/', toString(argMax(m.session_id, m.recorded_at)), '#', toString(last_exchange_id)) AS replay_url
FROM
(
    SELECT recorded_at, connection, direction, frame_id, session_id, exchange_id, principal_issuer, principal_subject,
        length(redactions) AS inline, one, number
    FROM {database}.frames_stored FINAL
    ARRAY JOIN arrayConcat(redactions, deep_redactions) AS one,
        arrayEnumerate(arrayConcat(redactions, deep_redactions)) AS number
) AS m
GROUP BY day, connection, direction, pass, rule
COMMENT 'One row a day, connection and rule: what was masked';

CREATE OR REPLACE VIEW {database}.v_tool_latency
(
    bucket DateTime('UTC') COMMENT 'Start of the 5 minutes in which the calls began',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    call String COMMENT 'What was called: the tool, else the Kubernetes verb and resource, else the method',
    calls UInt64 COMMENT 'Calls that ran: denied and held ones are not among them',
    errors UInt64 COMMENT 'Those that failed, by any of the three outcomes',
    denied UInt64 COMMENT 'Calls that policy denied or holds',
    pending UInt64 COMMENT 'Calls that have not ended',
    p50_ms Float64 COMMENT 'Half of those that ended took at most so long, in milliseconds; NaN when none did',
    p95_ms Float64 COMMENT '95 of 100 took at most so long; NaN when none ended',
    p99_ms Float64 COMMENT '99 of 100 took at most so long; NaN when none ended',
    max_ms Float64 COMMENT 'The longest',
    response_bytes UInt64 COMMENT 'Bytes of the answers, before masking'
)
AS SELECT
    toStartOfInterval(toDateTime(e.started_at, 'UTC'), INTERVAL 5 MINUTE) AS bucket, e.connection AS connection,
    multiIf(
        e.tool != '', toString(e.tool),
        e.attributes['k8s.verb'] != '', concat(e.attributes['k8s.verb'], ' ', e.attributes['k8s.objectRef.resource']),
        toString(e.method)
    ) AS call,
    countIf(e.verdict NOT IN ('deny', 'hold')) AS calls, countIf(e.is_error) AS errors,
    countIf(e.verdict IN ('deny', 'hold')) AS denied, countIf(e.outcome = 'pending') AS pending,
    quantileIf(0.5)(e.latency_ms, e.outcome != 'pending' AND e.verdict NOT IN ('deny', 'hold')) AS p50_ms,
    quantileIf(0.95)(e.latency_ms, e.outcome != 'pending' AND e.verdict NOT IN ('deny', 'hold')) AS p95_ms,
    quantileIf(0.99)(e.latency_ms, e.outcome != 'pending' AND e.verdict NOT IN ('deny', 'hold')) AS p99_ms,
    maxIf(e.latency_ms, e.outcome != 'pending' AND e.verdict NOT IN ('deny', 'hold')) AS max_ms,
    sum(e.response_bytes) AS response_bytes
FROM {database}.v_exchanges AS e
GROUP BY bucket, connection, call
COMMENT 'One row 5 minutes, connection and call: how many, how many failed, and how long they took';

-- The 14 days before are counted whole: days on which nothing was fetched count as 0.
CREATE OR REPLACE VIEW {database}.v_bytes_out
(
    day Date COMMENT 'Day in UTC',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    response_bytes UInt64 COMMENT 'Bytes that went to the caller that day, before masking',
    request_bytes UInt64 COMMENT 'Bytes that the caller sent that day, before masking',
    frames UInt64 COMMENT 'Response frames of the day',
    days_seen UInt64 COMMENT 'On how many of the 14 days before the caller was there',
    usual_bytes Float64 COMMENT 'Mean of response_bytes over the 14 days before',
    ratio Nullable(Float64) COMMENT 'response_bytes against usual_bytes; NULL for a caller without any before'
)
AS SELECT
    d.day AS day, d.principal AS principal, d.principal_issuer AS principal_issuer, d.out AS response_bytes,
    d.sent AS request_bytes, d.frames AS frames, d.seen AS days_seen, d.before / 14 AS usual_bytes,
    if(d.before = 0, NULL, d.out / usual_bytes) AS ratio
FROM
(
    SELECT day, principal, principal_issuer, out, sent, frames,
        sum(out) OVER fortnight AS before, count() OVER fortnight AS seen
    FROM
    (
        SELECT toDate(recorded_at) AS day, principal_subject AS principal, principal_issuer,
            sumIf(body_bytes, direction = 'response') AS out, sumIf(body_bytes, direction = 'request') AS sent,
            countIf(direction = 'response') AS frames
        FROM {database}.frames_stored FINAL
        WHERE part = 1
        GROUP BY day, principal, principal_issuer
    )
    WINDOW fortnight AS (PARTITION BY principal_issuer, principal ORDER BY toInt32(day) RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING)
) AS d
COMMENT 'One row a day and caller: bytes fetched, against the 14 days before';

-- Offered is what a list of tools named: the gateway leaves out what its policy never lets that caller call.
CREATE OR REPLACE VIEW {database}.v_granted_unused
(
    kind LowCardinality(String) COMMENT 'tool: a list of tools offered it and it was not called since; approval: it was granted and nothing ran by it',
    principal LowCardinality(String) COMMENT 'Subject of the caller',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the caller''s identity',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    what String COMMENT 'The tool, or what the approval is for',
    granted_at DateTime64(6, 'UTC') COMMENT 'When it was first offered, or granted',
    last_granted_at DateTime64(6, 'UTC') COMMENT 'When it was last offered; of an approval as granted_at',
    approval_id Nullable(UUID) COMMENT 'Of an approval, its id; NULL for a tool',
    exchange_id String COMMENT 'The list that offered it last, or the exchange that asked',
    replay_url String COMMENT 'Where the console shows that; empty when nothing was recorded of it'
)
AS SELECT
    'tool' AS kind, o.principal AS principal, o.principal_issuer AS principal_issuer, o.connection AS connection,
    o.offered AS what, o.granted_at AS granted_at, o.last_granted_at AS last_granted_at,
    CAST(NULL, 'Nullable(UUID)') AS approval_id, toString(o.exchange) AS exchange_id, o.replay_url AS replay_url
FROM
(
    SELECT principal, principal_issuer, connection, offered, min(recorded_at) AS granted_at,
        max(recorded_at) AS last_granted_at, argMax(exchange_id, recorded_at) AS exchange,
        concat(ifNull((SELECT max(value) FROM {database}.trail_settings FINAL WHERE name = 'public_url'), ''), '/sessions/', toString(argMax(session_id, recorded_at)), '#', toString(exchange)) AS replay_url
    FROM {database}.v_frames
    ARRAY JOIN arrayMap(one -> JSONExtractString(one, 'name'), JSONExtractArrayRaw(
        if(startsWith(content_type, 'text/event-stream'), arrayStringConcat(extractAll(body, '(?m)^data: ?(.*?)\\r?$')), body),
        'result', 'tools'
    )) AS offered
    WHERE method = 'tools/list' AND direction = 'response'
    GROUP BY principal, principal_issuer, connection, offered
) AS o
LEFT ANTI JOIN
(
    SELECT DISTINCT principal_subject AS principal, principal_issuer, connection, toString(tool) AS called
    FROM {database}.frames_stored WHERE tool != '' AND direction = 'request'
) AS u ON u.principal = o.principal AND u.principal_issuer = o.principal_issuer AND u.connection = o.connection AND u.called = o.offered
UNION ALL
SELECT
    'approval' AS kind, a.principal AS principal, a.principal_issuer AS principal_issuer, a.connection AS connection,
    multiIf(a.tool != '', toString(a.tool), a.object != '', trimLeft(concat(a.verb, ' ', a.object)), toString(a.kind)) AS what,
    ifNull(a.decided_at, a.requested_at) AS granted_at, granted_at AS last_granted_at,
    CAST(a.approval_id, 'Nullable(UUID)') AS approval_id, a.exchange_id AS exchange_id, a.replay_url AS replay_url
FROM {database}.v_approvals AS a
WHERE empty(a.use_exchanges) AND (a.state = 'approved' OR (a.state = 'expired' AND notEmpty(a.approvers)))
COMMENT 'One row a tool that was offered and never called, or an approval that was granted and never used';

-- What is not whole: `sluicegate verify` proves more, this says where to look. A frame that was stored already lies in
-- repeats_stored, one that is forgotten by the rules in a tombstone.
CREATE OR REPLACE VIEW {database}.v_trail_gaps
(
    kind LowCardinality(String) COMMENT 'offset: records of topic audit that are not stored; lane: frames of a lane that are not; checkpoint: records that no signed tree head covers',
    name String COMMENT 'audit/PARTITION, or the lane',
    first_position Int64 COMMENT 'First offset or lane_seq of what was looked at; of a checkpoint the first without one',
    last_position Int64 COMMENT 'Last offset or lane_seq of what is stored',
    stored UInt64 COMMENT 'How many of these positions are stored',
    forgotten UInt64 COMMENT 'How many a tombstone accounts for; 0 for a lane',
    missing Int64 COMMENT 'How many are unaccounted for',
    last_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the latest frame was recorded; of a checkpoint when it was signed, NULL before the first'
)
AS SELECT
    'offset' AS kind, concat('audit/', toString(o.k_partition)) AS name, o.first AS first_position, o.last AS last_position,
    o.stored AS stored, toUInt64(t.forgotten) AS forgotten,
    o.last - o.first + 1 - toInt64(o.stored) - toInt64(t.forgotten) AS missing,
    CAST(o.newest, 'Nullable(DateTime64(6, \'UTC\'))') AS last_at
FROM
(
    SELECT k_partition, min(k_offset) AS first, max(k_offset) AS last, groupBitmap(toUInt64(k_offset)) AS stored, max(at) AS newest
    FROM
    (
        SELECT k_partition, k_offset, recorded_at AS at FROM {database}.frames_stored
        UNION ALL
        SELECT k_partition, k_offset, toDateTime64(0, 6, 'UTC') AS at FROM {database}.repeats_stored
    )
    GROUP BY k_partition
) AS o
LEFT JOIN
(
    SELECT f.k_partition AS k_partition, toInt64(sum(f.count)) AS forgotten
    FROM {database}.v_tombstones AS f
    INNER JOIN (SELECT k_partition, min(k_offset) AS first FROM {database}.frames_stored GROUP BY k_partition) AS s ON s.k_partition = f.k_partition
    WHERE f.what = 'row' AND f.why = 'expired' AND f.first_offset > s.first
    GROUP BY f.k_partition
) AS t ON t.k_partition = o.k_partition
WHERE missing > 0
UNION ALL
SELECT
    'lane' AS kind, toString(lane) AS name, toInt64(min(lane_seq)) AS first_position, toInt64(max(lane_seq)) AS last_position,
    groupBitmap(lane_seq) AS stored, toUInt64(0) AS forgotten, last_position - first_position + 1 - toInt64(stored) AS missing,
    CAST(max(recorded_at), 'Nullable(DateTime64(6, \'UTC\'))') AS last_at
FROM {database}.frames_stored
GROUP BY lane
HAVING missing > 0
UNION ALL
SELECT
    'checkpoint' AS kind, concat('audit/', toString(s.k_partition)) AS name,
    if(c.heads = 0, s.first, c.covered) AS first_position, s.last AS last_position,
    toUInt64(greatest(0, s.last + 1 - first_position)) AS stored, toUInt64(0) AS forgotten,
    s.last + 1 - first_position AS missing,
    if(c.heads = 0, NULL, CAST(c.latest, 'Nullable(DateTime64(6, \'UTC\'))')) AS last_at
FROM (SELECT k_partition, min(k_offset) AS first, max(k_offset) AS last FROM {database}.frames_stored GROUP BY k_partition) AS s
LEFT JOIN
(
    SELECT c.partition AS k_partition, count() AS heads, max(c.base_offset + c.tree_size) AS covered, max(c.at) AS latest
    FROM {database}.v_checkpoints AS c WHERE c.kind = 'checkpoint' AND c.topic = 'audit'
    GROUP BY k_partition
) AS c ON c.k_partition = s.k_partition
WHERE missing > 0
COMMENT 'One row a partition or lane of which something lacks: stored positions, tombstones, signed tree heads';

CREATE OR REPLACE VIEW {database}.v_retention
(
    connection LowCardinality(String) COMMENT 'Name of the connection; * for tombstones of several',
    first_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the oldest stored frame was recorded; NULL when none is stored',
    last_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the newest stored frame was recorded; NULL when none is stored',
    frames UInt64 COMMENT 'Stored frames',
    body_bytes UInt64 COMMENT 'Bytes of their bodies, before masking',
    whole UInt64 COMMENT 'Frames with their body',
    without_body UInt64 COMMENT 'Frames whose body went by the rules',
    erased UInt64 COMMENT 'Frames out of which a person''s data were taken',
    due UInt64 COMMENT 'Frames that a tombstone lets go, and that are still there',
    rows_forgotten UInt64 COMMENT 'Frames that went by the rules, as the tombstones say',
    bodies_forgotten UInt64 COMMENT 'Bodies that went by the rules, as the tombstones say',
    last_forgotten_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When something was forgotten last; NULL when nothing was'
)
AS SELECT
    r.connection AS connection,
    if(sum(r.frames) = 0, NULL, minIf(r.first, r.frames > 0)) AS first_at,
    if(sum(r.frames) = 0, NULL, maxIf(r.last, r.frames > 0)) AS last_at,
    sum(r.frames) AS frames, sum(r.bytes) AS body_bytes, sum(r.whole) AS whole, sum(r.without_body) AS without_body,
    sum(r.erased) AS erased, sum(r.due) AS due, sum(r.rows_forgotten) AS rows_forgotten,
    sum(r.bodies_forgotten) AS bodies_forgotten,
    if(rows_forgotten + bodies_forgotten = 0, NULL, max(r.forgotten_at)) AS last_forgotten_at
FROM
(
    SELECT connection, min(recorded_at) AS first, max(recorded_at) AS last, count() AS frames, sum(f.body_bytes) AS bytes,
        countIf(retained = 'whole') AS whole, countIf(retained = 'no_body') AS without_body,
        countIf(retained = 'erased') AS erased, countIf(retain_until < now64(3)) AS due,
        toUInt64(0) AS rows_forgotten, toUInt64(0) AS bodies_forgotten, toDateTime64(0, 6, 'UTC') AS forgotten_at
    FROM {database}.frames_stored AS f FINAL
    WHERE part = 1
    GROUP BY connection
    UNION ALL
    SELECT connection, toDateTime64(0, 6, 'UTC') AS first, toDateTime64(0, 6, 'UTC') AS last, toUInt64(0) AS frames,
        toUInt64(0) AS bytes, toUInt64(0) AS whole, toUInt64(0) AS without_body, toUInt64(0) AS erased, toUInt64(0) AS due,
        toUInt64(sumIf(t.count, what = 'row' AND why = 'expired')) AS rows_forgotten,
        toUInt64(sumIf(t.count, what = 'body' AND why = 'expired')) AS bodies_forgotten, max(at) AS forgotten_at
    FROM {database}.v_tombstones AS t
    GROUP BY connection
) AS r
GROUP BY connection
COMMENT 'One row a connection: what is kept of it, since when, and what was forgotten';
