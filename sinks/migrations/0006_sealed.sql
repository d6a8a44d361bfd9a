-- Sealed originals: unmasked bodies under the key of somebody who is not here. Each row goes when its time is over.
CREATE TABLE IF NOT EXISTS {database}.sealed_stored
(
    frame_id UUID COMMENT 'Id of the frame whose body it is',
    exchange_id UUID COMMENT 'Id of its exchange',
    session_id UUID COMMENT 'Id of its session',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the gateway had the frame whole' CODEC(Delta(8), ZSTD(1)),
    expires_at DateTime64(6, 'UTC') COMMENT 'When the row goes' CODEC(Delta(8), ZSTD(1)),
    recipient LowCardinality(String) COMMENT 'Fingerprint of the age recipient: 16 hex digits of the SHA-256 of its text',
    piece Int32 COMMENT 'Number of this piece, from 1',
    pieces Int32 COMMENT 'How many pieces the sealed body has',
    ciphertext String COMMENT 'This piece of the age file' CODEC(NONE),
    k_partition Int32 COMMENT 'Partition of topic sealed',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (exchange_id, frame_id, piece)
TTL toDateTime(expires_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600
COMMENT 'Sealed originals; read the view v_sealed';

CREATE OR REPLACE VIEW {database}.v_sealed
(
    frame_id UUID COMMENT 'Id of the frame whose body it is',
    exchange_id UUID COMMENT 'Id of its exchange',
    session_id UUID COMMENT 'Id of its session',
    connection LowCardinality(String) COMMENT 'Name of the connection',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the gateway had the frame whole',
    expires_at DateTime64(6, 'UTC') COMMENT 'When it is gone',
    recipient LowCardinality(String) COMMENT 'Fingerprint of the age recipient whose key opens it',
    piece Int32 COMMENT 'Number of this piece, from 1',
    pieces Int32 COMMENT 'How many pieces the sealed body has',
    ciphertext_base64 String COMMENT 'This piece of the age file, in Base64'
)
AS SELECT
    frame_id, exchange_id, session_id, connection, recorded_at, expires_at, recipient, piece, pieces,
    base64Encode(ciphertext) AS ciphertext_base64
FROM {database}.sealed_stored FINAL
WHERE expires_at > now64(6)
COMMENT 'One row a piece of a sealed original; sluicegate unseal opens it';
