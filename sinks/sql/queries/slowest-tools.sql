-- Where calls are slow: p95 by connection and call, and in which 5 minutes it was worst
-- param hours UInt32 = 24: how many hours back
SELECT connection, call, sum(calls) AS ran, round(max(p95_ms), 1) AS worst_p95_ms, argMax(bucket, p95_ms) AS worst_at
FROM v_tool_latency
WHERE bucket > now() - toIntervalHour({hours:UInt32}) AND calls > pending
GROUP BY connection, call
ORDER BY worst_p95_ms DESC
LIMIT 50
