-- What was done to Kubernetes objects, and what caused what: a tool call and the requests behind it as one tree.
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
    redactions UInt64 COMMENT 'Secrets masked',
    attributes Map(LowCardinality(String), String) COMMENT 'Further facts by name, as on its latest frame',
    parent_exchange_id String COMMENT 'The exchange that its User-Agent says it was caused by, a claim: v_exchange_tree has those that hold; empty for none'
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
    attributes['parent.exchange_id'] AS parent_exchange_id
FROM
(
    SELECT *, elapsed_us + if(direction = 'request', 0, 4611686018427387904) AS opening_rank
    FROM {database}.frames_stored FINAL
) AS s
GROUP BY exchange_id
COMMENT 'One row an exchange: one request and its answers';

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
    redactions UInt64 COMMENT 'Secrets masked'
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
    e.redactions AS redactions
FROM {database}.v_exchanges AS e
WHERE e.protocol = 'kubernetes'
COMMENT 'One row a request to a Kubernetes API server; names as in audit.k8s.io/v1';

-- A claim counts where that exchange is there and was under way: clocks of replicas may differ by a second. Where a
-- server hands on the trace context and not the User-Agent, the call of the same trace that began last is meant.
CREATE OR REPLACE VIEW {database}.v_exchange_tree
(
    exchange_id UUID COMMENT 'Id of the exchange that was caused; joins v_exchanges',
    parent_exchange_id UUID COMMENT 'Id of the exchange that caused it; joins v_exchanges',
    link LowCardinality(String) COMMENT 'How that is known: user_agent or trace. Both are what the caller says',
    same_principal Bool COMMENT 'Whether both were the same caller: where not, somebody else may have made the claim',
    started_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    connection LowCardinality(String) COMMENT 'Name of its connection',
    principal LowCardinality(String) COMMENT 'Subject of its caller',
    parent_started_at DateTime64(6, 'UTC') COMMENT 'When the exchange that caused it was recorded',
    parent_connection LowCardinality(String) COMMENT 'Name of the connection of the one that caused it',
    parent_principal LowCardinality(String) COMMENT 'Subject of the caller of the one that caused it'
)
AS SELECT
    c.exchange_id AS exchange_id,
    p.exchange_id AS parent_exchange_id,
    if(c.parent_exchange_id = '', 'trace', 'user_agent') AS link,
    (c.principal = p.principal) AND (c.principal_issuer = p.principal_issuer) AS same_principal,
    c.started_at AS started_at,
    c.connection AS connection,
    c.principal AS principal,
    p.started_at AS parent_started_at,
    p.connection AS parent_connection,
    p.principal AS parent_principal
FROM
(
    SELECT exchange_id, started_at, connection, principal, principal_issuer, parent_exchange_id,
        if(parent_exchange_id != '', parent_exchange_id, concat('trace ', attributes['trace.id'])) AS cause
    FROM {database}.v_exchanges
    WHERE parent_exchange_id != '' OR (protocol != 'mcp' AND attributes['trace.id'] != '')
) AS c
INNER JOIN
(
    SELECT exchange_id, started_at, connection, principal, principal_issuer,
        if(outcome = 'pending', now64(6, 'UTC'), ended_at) AS open_until,
        arrayJoin(if(protocol = 'mcp' AND attributes['trace.id'] != '', [toString(exchange_id), concat('trace ', attributes['trace.id'])], [toString(exchange_id)])) AS cause
    FROM {database}.v_exchanges
) AS p ON p.cause = c.cause
WHERE p.exchange_id != c.exchange_id
    AND c.started_at >= p.started_at - INTERVAL 1 SECOND AND c.started_at <= p.open_until + INTERVAL 1 SECOND
ORDER BY p.started_at DESC
LIMIT 1 BY c.exchange_id
COMMENT 'One row an exchange that another one caused: a tool call and the requests behind it';
