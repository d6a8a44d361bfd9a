-- Failures and denials by 5 minutes
-- param hours UInt32 = 24: how many hours back
SELECT bucket, sum(calls) AS ran, sum(errors) AS failed, sum(denied) AS denials, round(failed / greatest(ran, 1), 3) AS failure_rate
FROM v_tool_latency
WHERE bucket > now() - toIntervalHour({hours:UInt32})
GROUP BY bucket
ORDER BY bucket
