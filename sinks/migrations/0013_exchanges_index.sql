-- What lists, filters and counts look into, so that none of them reads a body: one narrow row an exchange, in the order
-- of time. It is fed with every frame that is stored. Whatever comes twice leaves it as it is: every column is the
-- least, the greatest or the union of what came, and what the latest frame says is the greatest of its lane_seq and a
-- code. What is shown of a session or an exchange is put together from the frames themselves.
-- Whoever removes frames for good removes the rows of their exchanges here too, and those of redactions_index.
CREATE TABLE IF NOT EXISTS {database}.exchanges_index
(
    opened_at DateTime('UTC') COMMENT 'When its id was made, as the id says; 1970 for an id that says nothing' CODEC(Delta(4), ZSTD(1)),
    exchange_id UUID COMMENT 'Id of the exchange' CODEC(ZSTD(1)),
    started_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'When its first frame was recorded' CODEC(Delta(8), ZSTD(1)),
    ended_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'When its latest frame was recorded' CODEC(Delta(8), ZSTD(1)),
    place SimpleAggregateFunction(max, Tuple(UInt64, UUID)) COMMENT 'Rank and session of the frame that tells its session' CODEC(ZSTD(1)),
    sessions SimpleAggregateFunction(groupUniqArrayArray, Array(UUID)) COMMENT 'Sessions that its frames lie in' CODEC(ZSTD(1)),
    connection SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Name of the connection',
    protocol SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Protocol of the connection',
    principal SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Subject of the caller',
    principal_issuer SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Issuer of the caller''s identity',
    groups SimpleAggregateFunction(groupUniqArrayArray, Array(String)) COMMENT 'Groups of the caller' CODEC(ZSTD(1)),
    method SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'MCP method',
    tool SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Tool that was called',
    resource SimpleAggregateFunction(max, String) COMMENT 'Resource URI or prompt name' CODEC(ZSTD(1)),
    verb SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Kubernetes verb',
    kubernetes_resource SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Kubernetes resource',
    namespace SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Kubernetes namespace',
    verdict_rank SimpleAggregateFunction(max, UInt64) COMMENT 'lane_seq * 4 + verdict: 0 none, 1 allow, 2 deny, 3 hold' CODEC(ZSTD(1)),
    outcome_rank SimpleAggregateFunction(max, UInt64) COMMENT 'lane_seq * 8 + outcome: 0 pending, then in the order of the record' CODEC(ZSTD(1)),
    status_rank SimpleAggregateFunction(max, UInt64) COMMENT 'lane_seq * 1024 + HTTP status' CODEC(ZSTD(1)),
    tool_error_rank SimpleAggregateFunction(max, UInt64) COMMENT 'lane_seq * 2 + isError of the tool result' CODEC(ZSTD(1)),
    rpc_error SimpleAggregateFunction(max, UInt8) COMMENT 'Whether there is a JSON-RPC error' CODEC(ZSTD(1)),
    latency_us SimpleAggregateFunction(max, UInt64) COMMENT 'Microseconds from the whole request to the latest frame' CODEC(T64, ZSTD(1)),
    redacted SimpleAggregateFunction(max, UInt8) COMMENT 'Whether a secret was masked' CODEC(ZSTD(1)),
    parent_exchange_id SimpleAggregateFunction(max, String) COMMENT 'The exchange it says it was caused by' CODEC(ZSTD(1)),
    trace_id SimpleAggregateFunction(max, String) COMMENT 'Trace it is of' CODEC(ZSTD(1)),
    session_id UUID ALIAS place.2 COMMENT 'Session it belongs to',
    verdict LowCardinality(String) ALIAS ['none', 'allow', 'deny', 'hold'][(verdict_rank % 4) + 1] COMMENT 'What policy said',
    outcome LowCardinality(String) ALIAS ['pending', 'completed', 'refused', 'withheld', 'upstream_failed', 'timed_out', 'client_gone', ''][(outcome_rank % 8) + 1] COMMENT 'How it ended',
    is_error Bool ALIAS ((outcome_rank % 8) > 1 OR (status_rank % 1024) >= 400 OR rpc_error = 1 OR (tool_error_rank % 2) = 1) AND (verdict_rank % 4) < 2 COMMENT 'Whether it failed; a call that policy denied or holds is no error',
    latency_ms Float64 ALIAS latency_us / 1000 COMMENT 'Milliseconds from the whole request to the latest frame',
    INDEX ix_started started_at TYPE minmax GRANULARITY 1,
    INDEX ix_ended ended_at TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(opened_at)
ORDER BY (opened_at, exchange_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One narrow row an exchange, in the order of time: for finding, not for reading';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.exchanges_index_feed TO {database}.exchanges_index
AS SELECT
    toDateTime(UUIDv7ToDateTime(exchange_id), 'UTC') AS opened_at,
    exchange_id,
    recorded_at AS started_at,
    recorded_at AS ended_at,
    (elapsed_us + if(direction = 'request', 0, 4611686018427387904), session_id) AS place,
    [session_id] AS sessions,
    connection,
    protocol,
    principal_subject AS principal,
    principal_issuer,
    principal_groups AS groups,
    method,
    tool,
    resource,
    attributes['k8s.verb'] AS verb,
    attributes['k8s.objectRef.resource'] AS kubernetes_resource,
    attributes['k8s.objectRef.namespace'] AS namespace,
    if(verdict = 'none', 0, lane_seq * 4 + indexOf(['allow', 'deny', 'hold'], toString(verdict))) AS verdict_rank,
    if(outcome = 'pending', 0, lane_seq * 8 + indexOf(['completed', 'refused', 'withheld', 'upstream_failed', 'timed_out', 'client_gone'], toString(outcome))) AS outcome_rank,
    if(http_status = 0, 0, lane_seq * 1024 + http_status) AS status_rank,
    if(tool_is_error IS NULL, 0, lane_seq * 2 + ifNull(tool_is_error, false)) AS tool_error_rank,
    jsonrpc_error IS NOT NULL AS rpc_error,
    elapsed_us AS latency_us,
    notEmpty(redactions) OR notEmpty(deep_redactions) AS redacted,
    attributes['parent.exchange_id'] AS parent_exchange_id,
    attributes['trace.id'] AS trace_id
FROM {database}.frames_stored;

CREATE OR REPLACE VIEW {database}.exchanges_index_rows
AS SELECT
    toDateTime(UUIDv7ToDateTime(exchange_id), 'UTC') AS opened_at,
    exchange_id,
    recorded_at AS started_at,
    recorded_at AS ended_at,
    (elapsed_us + if(direction = 'request', 0, 4611686018427387904), session_id) AS place,
    [session_id] AS sessions,
    connection,
    protocol,
    principal_subject AS principal,
    principal_issuer,
    principal_groups AS groups,
    method,
    tool,
    resource,
    attributes['k8s.verb'] AS verb,
    attributes['k8s.objectRef.resource'] AS kubernetes_resource,
    attributes['k8s.objectRef.namespace'] AS namespace,
    if(verdict = 'none', 0, lane_seq * 4 + indexOf(['allow', 'deny', 'hold'], toString(verdict))) AS verdict_rank,
    if(outcome = 'pending', 0, lane_seq * 8 + indexOf(['completed', 'refused', 'withheld', 'upstream_failed', 'timed_out', 'client_gone'], toString(outcome))) AS outcome_rank,
    if(http_status = 0, 0, lane_seq * 1024 + http_status) AS status_rank,
    if(tool_is_error IS NULL, 0, lane_seq * 2 + ifNull(tool_is_error, false)) AS tool_error_rank,
    jsonrpc_error IS NOT NULL AS rpc_error,
    elapsed_us AS latency_us,
    notEmpty(redactions) OR notEmpty(deep_redactions) AS redacted,
    attributes['parent.exchange_id'] AS parent_exchange_id,
    attributes['trace.id'] AS trace_id,
    ingested_at
FROM {database}.frames_stored;

CREATE TABLE IF NOT EXISTS {database}.redactions_index
(
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the frame was recorded' CODEC(Delta(8), ZSTD(1)),
    connection LowCardinality(String) COMMENT 'Name of the connection',
    rule LowCardinality(String) COMMENT 'Rule that found the secrets',
    lane LowCardinality(String) COMMENT 'Lane of the frame',
    lane_seq UInt64 COMMENT 'Position of the frame in its lane' CODEC(ZSTD(1)),
    redactions UInt32 COMMENT 'How many it found in the frame' CODEC(ZSTD(1)),
    precedence UInt64 COMMENT 'Highest for the copy that came first' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toMonday(recorded_at)
ORDER BY (recorded_at, rule, connection, lane, lane_seq)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row a masking rule and frame: how many secrets it found there';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.redactions_index_feed TO {database}.redactions_index
AS SELECT
    recorded_at,
    connection,
    arrayJoin(arrayDistinct(arrayConcat(redactions.rule, deep_redactions.rule))) AS rule,
    lane,
    lane_seq,
    toUInt32(countEqual(arrayConcat(redactions.rule, deep_redactions.rule), rule)) AS redactions,
    precedence
FROM {database}.frames_stored;

CREATE OR REPLACE VIEW {database}.redactions_index_rows
AS SELECT
    recorded_at,
    connection,
    arrayJoin(arrayDistinct(arrayConcat(redactions.rule, deep_redactions.rule))) AS rule,
    lane,
    lane_seq,
    toUInt32(countEqual(arrayConcat(redactions.rule, deep_redactions.rule), rule)) AS redactions,
    precedence,
    ingested_at
FROM {database}.frames_stored;

INSERT INTO {database}.exchanges_index SELECT * EXCEPT (ingested_at) FROM {database}.exchanges_index_rows
SETTINGS max_partitions_per_insert_block = 0;

INSERT INTO {database}.redactions_index SELECT * EXCEPT (ingested_at) FROM {database}.redactions_index_rows
SETTINGS max_partitions_per_insert_block = 0;
