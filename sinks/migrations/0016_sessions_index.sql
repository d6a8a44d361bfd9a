-- From when to when the frames of a session lie: which weeks, and so which few files of them, to read for it. It bounds
-- and says nothing; least and greatest stand repeats.
CREATE TABLE IF NOT EXISTS {database}.sessions_index
(
    session_id UUID COMMENT 'Id of the session as its frames have it' CODEC(ZSTD(1)),
    first_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'When its first frame was recorded' CODEC(ZSTD(1)),
    last_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'When its latest frame was recorded' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY session_id
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row a session: where to look for its frames';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.sessions_index_feed TO {database}.sessions_index
AS SELECT session_id, recorded_at AS first_at, recorded_at AS last_at
FROM {database}.frames_stored;

CREATE OR REPLACE VIEW {database}.sessions_index_rows
AS SELECT session_id, recorded_at AS first_at, recorded_at AS last_at, ingested_at
FROM {database}.frames_stored;

INSERT INTO {database}.sessions_index SELECT * EXCEPT (ingested_at) FROM {database}.sessions_index_rows;
