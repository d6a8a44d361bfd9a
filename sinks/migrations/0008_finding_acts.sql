-- A finding lives in acts: raised, repeated, acknowledged, closed, reopened. Those stored before stay where they are
-- (findings_stored), and count as raised.
CREATE TABLE IF NOT EXISTS {database}.finding_acts_stored
(
    finding_id UUID COMMENT 'Id of the finding, the same in all its acts',
    rule LowCardinality(String) COMMENT 'Which check raised it',
    severity LowCardinality(String) COMMENT 'info, low, medium, high or critical',
    raised_at DateTime64(6, 'UTC') COMMENT 'When this act was' CODEC(Delta(8), ZSTD(1)),
    title String COMMENT 'One line for a person',
    evidence Array(String) COMMENT 'What it rests on: positions, ids, counts',
    act LowCardinality(String) DEFAULT 'raised' COMMENT 'raised, repeated, acknowledged, closed or reopened',
    count Int64 DEFAULT 1 COMMENT 'Observations up to and with this act',
    attributes Map(LowCardinality(String), String) COMMENT 'Further facts by name: principal_subject, connection, technique ...' CODEC(ZSTD(1)),
    by String COMMENT 'Who acted; empty for the check itself',
    comment String COMMENT 'What was said about it' CODEC(ZSTD(1)),
    verdict LowCardinality(String) COMMENT 'Of closed: true-positive, false-positive or benign',
    k_partition Int32 COMMENT 'Partition of topic findings',
    k_offset Int64 COMMENT 'Offset in that partition',
    schema_fingerprint LowCardinality(String) COMMENT 'CRC-64-AVRO fingerprint of the schema it was written with',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the store had it',
    precedence UInt64 MATERIALIZED 9223372036854775807 - k_offset COMMENT 'Highest for the copy that came first'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (finding_id, raised_at, act, by)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every stored act of a finding; read the views v_findings and v_finding_acts';

CREATE OR REPLACE VIEW {database}.v_finding_acts
(
    finding_id UUID COMMENT 'Id of the finding; joins v_findings',
    at DateTime64(6, 'UTC') COMMENT 'When this act was',
    act LowCardinality(String) COMMENT 'raised, repeated (it lasts), acknowledged, closed or reopened',
    rule LowCardinality(String) COMMENT 'Which check raised it',
    severity LowCardinality(String) COMMENT 'info, low, medium, high or critical',
    title String COMMENT 'One line for a person',
    evidence Array(String) COMMENT 'What it rests on: positions, ids, counts',
    count Int64 COMMENT 'Observations up to and with this act',
    attributes Map(LowCardinality(String), String) COMMENT 'Further facts by name',
    by String COMMENT 'Who acted; empty for the check itself',
    comment String COMMENT 'What was said about it',
    verdict LowCardinality(String) COMMENT 'Of closed: true-positive, false-positive or benign',
    k_offset Int64 COMMENT 'Offset on topic findings'
)
AS SELECT finding_id, raised_at AS at, act, rule, severity, title, evidence, count, attributes, by, comment, verdict, k_offset
FROM {database}.finding_acts_stored FINAL
UNION ALL
SELECT
    finding_id, raised_at AS at, 'raised' AS act, rule, severity, title, evidence, 1 AS count,
    CAST(map(), 'Map(LowCardinality(String), String)') AS attributes, '' AS by, '' AS comment, '' AS verdict, k_offset
FROM {database}.findings_stored FINAL
COMMENT 'One row an act of a finding, in the order of at and k_offset';

-- A finding that was closed stays so until somebody reopens it; last_seen_at tells when it was seen since.
CREATE OR REPLACE VIEW {database}.v_findings
(
    finding_id UUID COMMENT 'Id, derived from the evidence or a name',
    rule LowCardinality(String) COMMENT 'Which check raised it, for instance trail-incomplete',
    severity LowCardinality(String) COMMENT 'info, low, medium, high or critical: the latest',
    raised_at DateTime64(6, 'UTC') COMMENT 'When it was raised first',
    title String COMMENT 'One line for a person: the latest',
    evidence Array(String) COMMENT 'What it rests on: positions, ids, counts; the latest',
    state LowCardinality(String) COMMENT 'open, acknowledged or closed',
    verdict LowCardinality(String) COMMENT 'true-positive, false-positive or benign; empty unless closed',
    count Int64 COMMENT 'Observations so far',
    last_seen_at DateTime64(6, 'UTC') COMMENT 'When it was raised or repeated last',
    principal String COMMENT 'Subject of the caller it is about; empty where it is about none',
    principal_issuer String COMMENT 'Issuer of that caller''s identity',
    connection LowCardinality(String) COMMENT 'Connection it is about; empty for none or several',
    session_id String COMMENT 'Session it is about; empty for none or several',
    tool String COMMENT 'Tool it is about; empty for none or several',
    technique LowCardinality(String) COMMENT 'MITRE ATT&CK technique; empty where none fits',
    attributes Map(LowCardinality(String), String) COMMENT 'All further facts by name: feature, value, threshold, baseline ...',
    acknowledged_by String COMMENT 'Who acknowledged it last',
    closed_by String COMMENT 'Who closed it; empty unless closed',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was closed; NULL unless it is',
    comment String COMMENT 'What was said in the latest act of a person'
)
AS SELECT
    g.finding_id AS finding_id, g.rule AS rule, g.last_severity AS severity, g.first_seen_at AS raised_at,
    g.last_title AS title, g.last_evidence AS evidence,
    multiIf(g.last_act = 'closed', 'closed', g.last_act = 'acknowledged', 'acknowledged', 'open') AS state,
    if(g.last_act = 'closed', g.last_verdict, '') AS verdict,
    g.most AS count, g.last_seen AS last_seen_at,
    g.facts['principal_subject'] AS principal, g.facts['principal_issuer'] AS principal_issuer,
    g.facts['connection'] AS connection, g.facts['session_id'] AS session_id, g.facts['tool'] AS tool,
    g.facts['technique'] AS technique, g.facts AS attributes,
    g.acknowledger AS acknowledged_by,
    if(g.last_act = 'closed', g.last_by, '') AS closed_by,
    if(g.last_act = 'closed', g.last_act_at, NULL) AS closed_at,
    g.last_comment AS comment
FROM
(
    SELECT
        finding_id,
        any(rule) AS rule,
        argMaxIf(severity, (at, k_offset), seen) AS last_severity,
        argMaxIf(title, (at, k_offset), seen) AS last_title,
        argMaxIf(evidence, (at, k_offset), seen) AS last_evidence,
        argMaxIf(attributes, (at, k_offset), seen) AS facts,
        minIf(at, seen) AS first_seen_at,
        maxIf(at, seen) AS last_seen,
        max(count) AS most,
        argMaxIf(act, (at, k_offset), NOT seen) AS last_act,
        argMaxIf(verdict, (at, k_offset), NOT seen) AS last_verdict,
        argMaxIf(by, (at, k_offset), NOT seen) AS last_by,
        argMaxIf(comment, (at, k_offset), NOT seen) AS last_comment,
        maxIf(at, NOT seen) AS last_act_at,
        argMaxIf(by, (at, k_offset), act = 'acknowledged') AS acknowledger
    FROM (SELECT *, act IN ('raised', 'repeated') AS seen FROM {database}.v_finding_acts)
    GROUP BY finding_id
) AS g
COMMENT 'One row a finding: something a person should look at, and what became of it';

CREATE OR REPLACE VIEW {database}.v_finding_rates
(
    rule LowCardinality(String) COMMENT 'Which check raised them',
    findings UInt64 COMMENT 'Findings',
    open UInt64 COMMENT 'Nobody has looked at them yet',
    acknowledged UInt64 COMMENT 'Somebody looks at them',
    true_positives UInt64 COMMENT 'Closed: it was what it seemed',
    false_positives UInt64 COMMENT 'Closed: it was nothing',
    benign UInt64 COMMENT 'Closed: it was what it seemed, and is allowed',
    false_positive_rate Nullable(Float64) COMMENT 'False positives of all closed; NULL while none is closed',
    last_raised_at DateTime64(6, 'UTC') COMMENT 'When the latest was raised',
    median_hours_to_close Nullable(Float64) COMMENT 'From raised to closed; NULL while none is closed'
)
AS SELECT
    f.rule AS rule,
    count() AS findings,
    countIf(f.state = 'open') AS open,
    countIf(f.state = 'acknowledged') AS acknowledged,
    countIf(f.verdict = 'true-positive') AS true_positives,
    countIf(f.verdict = 'false-positive') AS false_positives,
    countIf(f.verdict = 'benign') AS benign,
    if(countIf(f.state = 'closed') = 0, NULL, countIf(f.verdict = 'false-positive') / countIf(f.state = 'closed')) AS false_positive_rate,
    max(f.raised_at) AS last_raised_at,
    if(countIf(f.state = 'closed') = 0, NULL, quantileIf(0.5)(dateDiff('second', f.raised_at, ifNull(f.closed_at, f.raised_at)) / 3600, f.state = 'closed')) AS median_hours_to_close
FROM {database}.v_findings AS f
GROUP BY f.rule
COMMENT 'One row a rule: how many findings it made, and how many of them were nothing';
