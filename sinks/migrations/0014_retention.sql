-- What is kept for how long. A row stays until `retain_until`, and that is set only when a signed tombstone of it is
-- stored; a body goes earlier, and `body_sha256` stays in its place, so that audit_digest can still be recomputed.
-- A DEFAULT, not MATERIALIZED: a materialized column would follow the body when that is emptied.
ALTER TABLE {database}.frames_stored ADD COLUMN IF NOT EXISTS body_sha256 FixedString(32) DEFAULT SHA256(body) COMMENT 'SHA-256 of the body as it was stored: it stays when the body goes';

ALTER TABLE {database}.frames_stored ADD COLUMN IF NOT EXISTS retained LowCardinality(String) DEFAULT 'whole' COMMENT 'What is left of the row: whole; no_body when the body went by the rules; erased when a person''s data were taken out';

ALTER TABLE {database}.frames_stored ADD COLUMN IF NOT EXISTS retain_until DateTime64(3, 'UTC') DEFAULT toDateTime64('2100-01-01 00:00:00', 3, 'UTC') COMMENT 'When the row may go: 2100 until a tombstone of it is stored' CODEC(Delta(8), ZSTD(1));

-- Rows of before keep the digest of the body that they have now, whatever becomes of it. It runs in the background;
-- until then the store computes it from the body, and no body goes before it has ended.
ALTER TABLE {database}.frames_stored MATERIALIZE COLUMN body_sha256 SETTINGS mutations_sync = 0;

ALTER TABLE {database}.frames_stored MODIFY TTL toDateTime(retain_until) SETTINGS materialize_ttl_after_modify = 0;

ALTER TABLE {database}.frames_stored MODIFY SETTING merge_with_ttl_timeout = 3600;

CREATE TABLE IF NOT EXISTS {database}.tombstones_stored
(
    tombstone_id UUID COMMENT 'Id; the same for the same run, reason and cause',
    at DateTime64(6, 'UTC') COMMENT 'When it was decided' CODEC(Delta(8), ZSTD(1)),
    what LowCardinality(String) COMMENT 'row: the whole row; body: its body alone',
    why LowCardinality(String) COMMENT 'expired: by the rules; erased: a person''s data, the row stays and is rewritten',
    connection LowCardinality(String) COMMENT 'Name of the connection; * for rows of several',
    partition Int32 COMMENT 'Partition of topic audit',
    first_offset Int64 COMMENT 'First offset of the run' CODEC(Delta(8), ZSTD(1)),
    last_offset Int64 COMMENT 'Last offset of the run, inclusive' CODEC(Delta(8), ZSTD(1)),
    count Int64 COMMENT 'How many rows' CODEC(T64, ZSTD(1)),
    leaves_sha256 String COMMENT 'SHA-256 of the run''s leaf hashes in order, as the store had them',
    policy_version LowCardinality(String) COMMENT 'Digest of the retention rules in force',
    cause LowCardinality(String) COMMENT 'Id of the proposal that it follows from; empty for the rules of the start',
    asked_by Array(LowCardinality(String)) COMMENT 'Who proposed and who confirmed that, as ISSUER|SUBJECT',
    key_id LowCardinality(String) COMMENT 'Key of the signature',
    signature String COMMENT 'Ed25519 signature of the component retention',
    k_partition Int32 COMMENT 'Partition of topic tombstones',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (partition, first_offset, tombstone_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored tombstone; read the view v_tombstones';

CREATE OR REPLACE VIEW {database}.v_tombstones
(
    tombstone_id UUID COMMENT 'Id; the same for the same run, reason and cause',
    at DateTime64(6, 'UTC') COMMENT 'When it was decided',
    what LowCardinality(String) COMMENT 'row: the whole row; body: its body alone',
    why LowCardinality(String) COMMENT 'expired: by the rules; erased: a person''s data, the row stays and is rewritten',
    connection LowCardinality(String) COMMENT 'Name of the connection; * for rows of several',
    k_partition Int32 COMMENT 'Partition of topic audit, as in v_frames',
    first_offset Int64 COMMENT 'First offset of the run, as k_offset in v_frames',
    last_offset Int64 COMMENT 'Last offset of the run, inclusive',
    count Int64 COMMENT 'How many rows',
    leaves_sha256 String COMMENT 'SHA-256 of the run''s leaf hashes in order, as the store had them: hex() it',
    policy_version LowCardinality(String) COMMENT 'Digest of the retention rules in force',
    cause LowCardinality(String) COMMENT 'Id of the proposal that it follows from; empty for the rules of the start',
    asked_by Array(LowCardinality(String)) COMMENT 'Who proposed and who confirmed that, as ISSUER|SUBJECT',
    key_id LowCardinality(String) COMMENT 'Key of the signature',
    signature String COMMENT 'Ed25519 signature of the component retention: hex() it'
)
AS SELECT
    tombstone_id, at, what, why, connection, t.partition AS k_partition, first_offset, last_offset, count,
    leaves_sha256, policy_version, cause, asked_by, key_id, signature
FROM {database}.tombstones_stored AS t FINAL
COMMENT 'One row a run of frames that is forgotten: expired by the rules, or erased';

-- Which of them were carried out: what is stored and not named here is still to be done.
CREATE TABLE IF NOT EXISTS {database}.tombstones_applied
(
    tombstone_id UUID COMMENT 'Id of the tombstone',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the last row that it names had gone, or lost its body'
)
ENGINE = ReplacingMergeTree
ORDER BY tombstone_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Tombstones that were carried out';

-- What people said about it: proposals, and who confirmed them.
CREATE TABLE IF NOT EXISTS {database}.retention_acts_stored
(
    act_id UUID COMMENT 'Id (UUIDv7)',
    proposal_id UUID COMMENT 'Id of the proposal that it makes, confirms or takes back',
    at DateTime64(6, 'UTC') COMMENT 'When' CODEC(Delta(8), ZSTD(1)),
    act LowCardinality(String) COMMENT 'proposed, confirmed, withdrawn; started, lengthened: by the store, from the file',
    kind LowCardinality(String) COMMENT 'rules, hold, release or erasure',
    content String COMMENT 'What is proposed, as JSON' CODEC(ZSTD(1)),
    who_issuer LowCardinality(String) COMMENT 'Issuer of who acts; empty at a terminal',
    who_subject LowCardinality(String) COMMENT 'Who acts',
    who_aliases Array(LowCardinality(String)) COMMENT 'Other names of the same person',
    alone Bool COMMENT 'Whether the one who confirms says that there is nobody else',
    reason String COMMENT 'Why, for a person' CODEC(ZSTD(1)),
    component LowCardinality(String) COMMENT 'What took the person''s word: cli or console; retention for the store itself',
    key_id LowCardinality(String) COMMENT 'Key of the signature',
    signature String COMMENT 'Ed25519 signature of the component',
    k_partition Int32 COMMENT 'Partition of topic retention',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (at, act_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored act on retention; read the view v_retention_acts';

CREATE OR REPLACE VIEW {database}.v_retention_acts
(
    act_id UUID COMMENT 'Id (UUIDv7)',
    proposal_id UUID COMMENT 'Id of the proposal that it makes, confirms or takes back; cause in v_tombstones',
    at DateTime64(6, 'UTC') COMMENT 'When',
    act LowCardinality(String) COMMENT 'proposed, confirmed, withdrawn; started, lengthened: by the store, from the file',
    kind LowCardinality(String) COMMENT 'rules, hold, release or erasure',
    content String COMMENT 'What is proposed, as JSON',
    who_issuer LowCardinality(String) COMMENT 'Issuer of who acts; empty at a terminal',
    who LowCardinality(String) COMMENT 'Who acts',
    alone Bool COMMENT 'Whether the one who confirms says that there is nobody else',
    reason String COMMENT 'Why, for a person',
    component LowCardinality(String) COMMENT 'What took the person''s word: cli or console; retention for the store itself'
)
AS SELECT act_id, proposal_id, at, act, kind, content, who_issuer, who_subject AS who, alone, reason, component
FROM {database}.retention_acts_stored FINAL
COMMENT 'One row an act on how long the trail is kept; sluicegate retention show says what is in force';
