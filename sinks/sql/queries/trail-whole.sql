-- What the trail lacks: gaps in offsets and lanes, records under no signed tree head
SELECT kind, name, first_position, last_position, stored, forgotten, missing, last_at
FROM v_trail_gaps
ORDER BY kind, missing DESC
LIMIT 1000
