-- Who was told of which findings: each attempt, also those that failed.
CREATE TABLE IF NOT EXISTS {database}.alerts_stored
(
    attempt_id UUID COMMENT 'Id of the attempt',
    at DateTime64(6, 'UTC') COMMENT 'When it ended' CODEC(Delta(8), ZSTD(1)),
    route LowCardinality(String) COMMENT 'Name of the route',
    url Int32 COMMENT 'Which of the route''s URLs, from 0',
    letters Array(Tuple(letter String, findings Array(String), more Int32)) COMMENT 'What was told: by rule and caller',
    outcome LowCardinality(String) COMMENT 'delivered or failed',
    fault String COMMENT 'Why it failed' CODEC(ZSTD(1)),
    k_partition Int32 COMMENT 'Partition of topic alerts.attempts',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (at, attempt_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored attempt to tell somebody; read the view v_alerts';

CREATE OR REPLACE VIEW {database}.v_alerts
(
    attempt_id UUID COMMENT 'Id of the attempt',
    at DateTime64(6, 'UTC') COMMENT 'When it ended',
    route LowCardinality(String) COMMENT 'Name of the route',
    url Int32 COMMENT 'Which of the route''s URLs, from 0; the URL itself is a secret',
    outcome LowCardinality(String) COMMENT 'delivered or failed',
    fault String COMMENT 'Why it failed; empty when it was delivered',
    findings Array(String) COMMENT 'Ids of the findings it named; joins v_findings by toString(finding_id)',
    more Int64 COMMENT 'How many further ones it counted without naming them'
)
AS SELECT
    attempt_id, at, route, url, outcome, fault,
    arrayFlatten(arrayMap(told -> told.2, letters)) AS findings,
    arraySum(told -> told.3, letters) AS more
FROM {database}.alerts_stored FINAL
COMMENT 'One row an attempt to tell somebody of findings';
