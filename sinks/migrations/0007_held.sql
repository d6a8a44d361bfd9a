-- A call that waits for a person was not let through: no error, and counted with those that policy refused.
-- Within an exchange the opening frame is its request; the others follow by the gateway's monotonic clock.
-- What can change is taken from the frame with the highest lane_seq: a later `end` overrules an earlier outcome.
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
    redactions UInt64 COMMENT 'Secrets masked'
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
    sum(length(s.redactions) + length(s.deep_redactions)) AS redactions
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
    response_bytes UInt64 COMMENT 'Bytes of the bodies towards the client, before masking'
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
    sum(e.response_bytes) AS response_bytes
FROM {database}.v_exchanges AS e
GROUP BY e.session_id
COMMENT 'One row a session: one principal''s conversation over one connection';
