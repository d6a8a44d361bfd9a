-- Signed tree heads over topic audit with the leaves they added, and where they are anchored. What differs in any
-- byte stays apart: two heads of one size are what a check looks for.
CREATE TABLE IF NOT EXISTS {database}.checkpoints_stored
(
    kind LowCardinality(String) COMMENT 'checkpoint: a tree head was signed; anchor: a place outside has one',
    at DateTime64(6, 'UTC') COMMENT 'When' CODEC(Delta(8), ZSTD(1)),
    origin LowCardinality(String) COMMENT 'Name of the log: ORIGIN/TOPIC/PARTITION',
    topic LowCardinality(String) COMMENT 'Topic whose records are the leaves',
    partition Int32 COMMENT 'Partition of that topic',
    base_offset Int64 COMMENT 'Offset of leaf 0' CODEC(Delta(8), ZSTD(1)),
    first_index Int64 COMMENT 'Index of the first of leaves' CODEC(Delta(8), ZSTD(1)),
    leaves String COMMENT 'Hashes of the leaves first_index until tree_size, 32 bytes each' CODEC(NONE),
    tree_size Int64 COMMENT 'How many leaves the tree has' CODEC(Delta(8), ZSTD(1)),
    root_hash FixedString(32) COMMENT 'Root over them' CODEC(NONE),
    note String COMMENT 'The signed note (C2SP)' CODEC(ZSTD(1)),
    anchor_kind LowCardinality(String) COMMENT 'file, s3, rfc3161 or witness; empty on a checkpoint',
    place String COMMENT 'Where the anchor is' CODEC(ZSTD(1)),
    evidence String COMMENT 'What the place gave back' CODEC(ZSTD(1)),
    k_partition Int32 COMMENT 'Partition of topic checkpoints',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it'
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, tree_size, k_partition, k_offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored checkpoint and anchor; read the view v_checkpoints';

-- Records of topic audit that are no row of frames_stored, because their frame was stored already.
CREATE TABLE IF NOT EXISTS {database}.repeats_stored
(
    k_partition Int32 COMMENT 'Partition of topic audit' CODEC(T64, ZSTD(1)),
    k_offset Int64 COMMENT 'Offset in that partition' CODEC(Delta(8), ZSTD(1)),
    lane LowCardinality(String) COMMENT 'Lane of the frame',
    lane_seq UInt64 COMMENT 'Position in the lane; with lane it names the stored row' CODEC(Delta(8), ZSTD(1)),
    part UInt32 COMMENT 'Number of the part' CODEC(T64, ZSTD(1)),
    frames_partition Int32 COMMENT 'Partition of topic frames that the repeat came from' CODEC(T64, ZSTD(1)),
    frames_offset Int64 COMMENT 'Offset in that partition' CODEC(Delta(8), ZSTD(1)),
    digest FixedString(32) COMMENT 'Digest of the repeated frame: that of the stored row, unless somebody wrote another frame in its place',
    audit_digest FixedString(32) COMMENT 'audit_digest of the repeat, over its own position in frames',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it'
)
ENGINE = ReplacingMergeTree
ORDER BY (k_partition, k_offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records of topic audit that repeat a stored frame';

CREATE OR REPLACE VIEW {database}.v_checkpoints
(
    kind LowCardinality(String) COMMENT 'checkpoint: a tree head was signed; anchor: a place outside has one',
    at DateTime64(6, 'UTC') COMMENT 'When',
    origin LowCardinality(String) COMMENT 'Name of the log: ORIGIN/TOPIC/PARTITION',
    topic LowCardinality(String) COMMENT 'Topic whose records are the leaves',
    partition Int32 COMMENT 'Partition of that topic',
    base_offset Int64 COMMENT 'Offset of leaf 0: leaf i is the record at base_offset + i',
    tree_size Int64 COMMENT 'How many leaves the tree has',
    leaves_added Int64 COMMENT 'How many of them this checkpoint added',
    root_hash String COMMENT 'Root over them, in hex',
    note String COMMENT 'The signed note (C2SP), with cosignatures on an anchor of a witness',
    anchor_kind LowCardinality(String) COMMENT 'file, s3, rfc3161 or witness; empty on a checkpoint',
    place String COMMENT 'Where the anchor is',
    evidence_bytes UInt64 COMMENT 'Size of what the place gave back'
)
AS SELECT
    kind, at, origin, topic, partition, base_offset, tree_size,
    tree_size - first_index AS leaves_added, lower(hex(root_hash)) AS root_hash,
    note, anchor_kind, place, length(evidence) AS evidence_bytes
FROM {database}.checkpoints_stored FINAL
COMMENT 'One row a signed tree head over the trail, and one a place outside that has it';
