-- What was asked, what people said, what holds. The arguments are left out: the request's frame has them, masked deeply.
-- Records are stored as they lie on the topics; whether their signatures are good is for whoever acts on them.
CREATE TABLE IF NOT EXISTS {database}.approvals_requested_stored
(
    approval_id UUID COMMENT 'Id of the approval (UUIDv7)',
    requested_at DateTime64(6, 'UTC') COMMENT 'When the gateway held the call' CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String) COMMENT 'call, standing, access or break_glass',
    exchange_id String COMMENT 'The exchange that waits; empty when none does',
    session_id String COMMENT 'Its session; empty when there is none',
    principal_issuer LowCardinality(String) COMMENT 'Issuer of the one who asks',
    principal_subject LowCardinality(String) COMMENT 'Subject of the one who asks',
    principal_groups Array(LowCardinality(String)) COMMENT 'Groups of the one who asks',
    client_id LowCardinality(String) COMMENT 'Through which client',
    connection LowCardinality(String) COMMENT 'Over which connection',
    method LowCardinality(String) COMMENT 'Method: JSON-RPC''s, HTTP''s; empty for Kubernetes',
    tool LowCardinality(String) COMMENT 'Tool, where one is called',
    verb LowCardinality(String) COMMENT 'Kubernetes verb; empty elsewhere',
    object String COMMENT 'What it is about' CODEC(ZSTD(1)),
    argument_digest String COMMENT 'SHA-256 in hex over the canonical decoded call; empty for access',
    policy_version LowCardinality(String) COMMENT 'Digest of the policy that held it',
    rule LowCardinality(String) COMMENT 'The rule that held it',
    reason String COMMENT 'Why it is asked for' CODEC(ZSTD(1)),
    quorum Array(Tuple(reviewers Array(String), people Int32)) COMMENT 'Who has to agree: all parts',
    comment_required Bool COMMENT 'Whether a decision without a comment is refused',
    hours LowCardinality(String) COMMENT 'When it may be approved; empty for always',
    expires_at DateTime64(6, 'UTC') COMMENT 'Until when it may be decided',
    grant_seconds Int32 COMMENT 'How long a grant lasts; 0: until expires_at',
    uses_max Int32 COMMENT 'Uses of a standing grant; 0: any number',
    bound String COMMENT 'Condition (CEL) on the arguments of a standing grant',
    break_glass_groups Array(String) COMMENT 'Whose members may break the glass',
    review_seconds Int32 COMMENT 'How soon a broken glass has to be looked at',
    key_id LowCardinality(String) COMMENT 'Which key signed it',
    k_partition Int32 COMMENT 'Partition of topic approvals.requested',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY approval_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored request for an approval; read the view v_approvals';

CREATE TABLE IF NOT EXISTS {database}.approvals_decided_stored
(
    decision_id UUID COMMENT 'Id of the decision (UUIDv7)',
    approval_id UUID COMMENT 'Of which approval; all zeros for tick',
    at DateTime64(6, 'UTC') COMMENT 'When it was taken' CODEC(Delta(8), ZSTD(1)),
    verb LowCardinality(String) COMMENT 'approve, deny, revoke, use, review or tick',
    who_issuer LowCardinality(String) COMMENT 'Issuer of who decided; empty on the command line',
    who_subject LowCardinality(String) COMMENT 'Subject of who decided',
    who_groups Array(LowCardinality(String)) COMMENT 'The groups at that time',
    component LowCardinality(String) COMMENT 'Through what: cli, gateway, console, slack, machine ...',
    comment String COMMENT 'What was said with it' CODEC(ZSTD(1)),
    argument_digest String COMMENT 'Digest of the call that the decider saw',
    policy_version LowCardinality(String) COMMENT 'Version of the policy that the decider saw',
    use_id String COMMENT 'The exchange that runs the call. Of use',
    `delegation.Delegation.from_issuer` String COMMENT 'Issuer of the reviewer instead of whom it was decided; empty for oneself',
    `delegation.Delegation.from_subject` String COMMENT 'Subject of that reviewer; empty for oneself',
    key_id LowCardinality(String) COMMENT 'Which key signed it',
    k_partition Int32 COMMENT 'Partition of topic approvals.decided',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (approval_id, decision_id)
TTL toDateTime(at) + INTERVAL 7 DAY DELETE WHERE verb = 'tick'
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored decision; read the view v_approval_decisions';

CREATE TABLE IF NOT EXISTS {database}.approvals_settled_stored
(
    settled_id UUID COMMENT 'Id, derived from the record that caused it',
    approval_id UUID COMMENT 'Of which approval',
    version Int32 COMMENT 'Counts the changes and answers of this approval from 1',
    at DateTime64(6, 'UTC') COMMENT 'When, by the records that caused it' CODEC(Delta(8), ZSTD(1)),
    state LowCardinality(String) COMMENT 'pending, approved, denied, expired, revoked or used',
    kind LowCardinality(String) COMMENT 'As requested',
    principal_issuer LowCardinality(String) COMMENT 'Whose it is',
    principal_subject LowCardinality(String) COMMENT 'Whose it is',
    connection LowCardinality(String) COMMENT 'As requested',
    uses_left Int32 COMMENT 'Uses that are left; -1: any number; 0 while nothing is granted',
    ends_at DateTime64(6, 'UTC') COMMENT 'When it ends by itself',
    use_id String COMMENT 'The exchange that may run the call now; empty when this grants no use',
    decision_id String COMMENT 'The decision that this answers; empty when time or the request caused it',
    refusal String COMMENT 'Why that decision changed nothing; empty when it counted',
    approvers Array(String) COMMENT 'Who approved so far, as ISSUER|SUBJECT',
    comment String COMMENT 'Comment of the decision that this answers' CODEC(ZSTD(1)),
    review_due_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Until when a broken glass has to be looked at',
    reviewed_by String COMMENT 'Who looked at a broken glass',
    key_id LowCardinality(String) COMMENT 'Which key signed it',
    k_partition Int32 COMMENT 'Partition of topic approvals.settled',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (approval_id, version, settled_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'All that ever held of approvals; read the views v_approvals and v_approval_settlements';

CREATE OR REPLACE VIEW {database}.v_approval_settlements
(
    approval_id UUID COMMENT 'Of which approval; joins v_approvals',
    version Int32 COMMENT 'Counts the changes and answers of this approval from 1',
    at DateTime64(6, 'UTC') COMMENT 'When, by the records that caused it',
    state LowCardinality(String) COMMENT 'pending, approved, denied, expired, revoked or used',
    uses_left Int32 COMMENT 'Uses that are left; -1: any number; 0 while nothing is granted',
    ends_at DateTime64(6, 'UTC') COMMENT 'When it ends by itself',
    use_id String COMMENT 'The exchange that may run the call now; empty when this grants no use',
    decision_id String COMMENT 'The decision that this answers; empty when time or the request caused it',
    refusal String COMMENT 'Why that decision changed nothing; empty when it counted',
    approvers Array(String) COMMENT 'Who approved so far, as ISSUER|SUBJECT',
    comment String COMMENT 'Comment of the decision that this answers',
    review_due_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Until when a broken glass has to be looked at',
    reviewed_by String COMMENT 'Who looked at a broken glass',
    key_id LowCardinality(String) COMMENT 'Which key signed it'
)
AS SELECT approval_id, version, at, state, uses_left, ends_at, use_id, decision_id, refusal, approvers, comment, review_due_at, reviewed_by, key_id
FROM {database}.approvals_settled_stored FINAL
COMMENT 'One row each time that something was settled of an approval; order by version';

CREATE OR REPLACE VIEW {database}.v_approval_decisions
(
    decision_id UUID COMMENT 'Id of the decision (UUIDv7)',
    approval_id UUID COMMENT 'Of which approval; joins v_approvals',
    at DateTime64(6, 'UTC') COMMENT 'When it was taken',
    verb LowCardinality(String) COMMENT 'approve, deny, revoke, use (a gateway asks to run the call) or review',
    who LowCardinality(String) COMMENT 'Subject of who decided',
    who_issuer LowCardinality(String) COMMENT 'Issuer of who decided; empty on the command line',
    who_groups Array(LowCardinality(String)) COMMENT 'The groups at that time',
    instead_of String COMMENT 'The reviewer who delegated it, as ISSUER|SUBJECT; empty for oneself',
    component LowCardinality(String) COMMENT 'Through what: cli, gateway, console, slack ...',
    comment String COMMENT 'What was said with it',
    counted Nullable(Bool) COMMENT 'Whether it counted; NULL while it was not answered',
    refusal String COMMENT 'Why it changed nothing; empty when it counted'
)
AS SELECT
    d.decision_id AS decision_id, d.approval_id AS approval_id, d.at AS at, d.verb AS verb, d.who_subject AS who,
    d.who_issuer AS who_issuer, d.who_groups AS who_groups,
    if(d.`delegation.Delegation.from_subject` = '', '', concat(d.`delegation.Delegation.from_issuer`, '|', d.`delegation.Delegation.from_subject`)) AS instead_of,
    d.component AS component, d.comment AS comment,
    if(s.answered = 0, NULL, s.refusal = '') AS counted, s.refusal AS refusal
FROM {database}.approvals_decided_stored AS d FINAL
LEFT JOIN
(
    SELECT approval_id, decision_id, argMin(refusal, version) AS refusal, count() AS answered
    FROM {database}.approvals_settled_stored FINAL WHERE decision_id != ''
    GROUP BY approval_id, decision_id
) AS s ON s.approval_id = d.approval_id AND s.decision_id = toString(d.decision_id)
WHERE d.verb != 'tick'
COMMENT 'One row a decision: what somebody said on an approval, and whether it counted';

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
    reviewed_by String COMMENT 'Who looked at a broken glass; empty for nobody yet'
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
    s.last_review_due_at AS review_due_at, s.last_reviewed_by AS reviewed_by
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
