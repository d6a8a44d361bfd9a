-- Tools by calls, failures and latency
-- param days UInt16 = 7: how many days back
SELECT connection, tool, count() AS calls, countIf(is_error) AS failed, uniqExact(principal_issuer, principal) AS callers,
    round(quantile(0.5)(latency_ms), 1) AS p50_ms, round(quantile(0.95)(latency_ms), 1) AS p95_ms
FROM v_exchanges
WHERE tool != '' AND started_at > now() - toIntervalDay({days:UInt16})
GROUP BY connection, tool
ORDER BY calls DESC
LIMIT 100
