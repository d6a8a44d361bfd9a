-- Findings: what a person should look at. A finding's id is derived from its evidence, so a repeat collapses.
CREATE TABLE IF NOT EXISTS {database}.findings_stored
(
    finding_id UUID COMMENT 'Id, derived from the evidence',
    rule LowCardinality(String) COMMENT 'Which check raised it',
    severity LowCardinality(String) COMMENT 'info, low, medium, high or critical',
    raised_at DateTime64(6, 'UTC') COMMENT 'When it was raised' CODEC(Delta(8), ZSTD(1)),
    title String COMMENT 'One line for a person',
    evidence Array(String) COMMENT 'What it rests on: positions, ids, counts',
    k_partition Int32 COMMENT 'Partition of topic findings',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY finding_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored finding; read the view v_findings';

CREATE OR REPLACE VIEW {database}.v_findings
(
    finding_id UUID COMMENT 'Id, derived from the evidence',
    rule LowCardinality(String) COMMENT 'Which check raised it, for instance trail-incomplete',
    severity LowCardinality(String) COMMENT 'info, low, medium, high or critical',
    raised_at DateTime64(6, 'UTC') COMMENT 'When it was raised',
    title String COMMENT 'One line for a person',
    evidence Array(String) COMMENT 'What it rests on: positions, ids, counts'
)
AS SELECT finding_id, rule, severity, raised_at, title, evidence
FROM {database}.findings_stored FINAL
COMMENT 'One row a finding: something a person should look at';
