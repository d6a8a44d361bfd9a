-- What operators and the gateway itself did. A repeat of a record has the same id and time, so it collapses.
CREATE TABLE IF NOT EXISTS {database}.admin_stored
(
    admin_id UUID COMMENT 'Id of the act (UUIDv7)' CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'When' CODEC(Delta(8), ZSTD(1)),
    actor_issuer LowCardinality(String) COMMENT 'Issuer of the one who acted; empty for the command line and the gateway',
    actor_subject String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_kind LowCardinality(String) COMMENT 'Through what: cli, gateway, token_endpoint or console',
    action LowCardinality(String) COMMENT 'What was done, as noun.verb',
    target String COMMENT 'To what' CODEC(ZSTD(1)),
    reason String COMMENT 'Why, for a person' CODEC(ZSTD(1)),
    outcome LowCardinality(String) COMMENT 'asked, done, refused or failed',
    detail String COMMENT 'What else belongs to it, as a JSON object' CODEC(ZSTD(1)),
    k_partition Int32 COMMENT 'Partition of topic admin',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (at, admin_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored act; read the view v_admin';

CREATE OR REPLACE VIEW {database}.v_admin
(
    admin_id UUID COMMENT 'Id of the act (UUIDv7)',
    at DateTime64(6, 'UTC') COMMENT 'When',
    actor_kind LowCardinality(String) COMMENT 'Through what: cli, gateway, token_endpoint or console',
    actor String COMMENT 'Who: USER@HOST on the command line, the subject of a principal, gateway; empty when nobody was identified',
    actor_issuer LowCardinality(String) COMMENT 'Issuer of the actor''s identity; empty for the command line and the gateway',
    action LowCardinality(String) COMMENT 'What was done, as noun.verb: session.kill, principal.block, token.issue, policy.load',
    target String COMMENT 'To what: a session id, ISSUER|SUBJECT, a token id, a connection or CONNECTION|TOOL',
    reason String COMMENT 'Why, for a person',
    outcome LowCardinality(String) COMMENT 'asked: about to be tried, a later row of the same target says how it went; done, refused, failed',
    detail String COMMENT 'What else belongs to it, as a JSON object'
)
AS SELECT admin_id, at, actor_kind, actor_subject AS actor, actor_issuer, action, target, reason, outcome, detail
FROM {database}.admin_stored FINAL
COMMENT 'One row an act of an operator, or of the gateway on its own account';
