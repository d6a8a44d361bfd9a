-- Who approves how much, how fast, and what ran by it
-- param days UInt16 = 30: how many days back
SELECT arrayJoin(approvers) AS reviewer, count() AS approved, uniqExact(principal_issuer, principal) AS callers,
    round(quantile(0.5)(waited_ms) / 1000, 1) AS median_s, countIf(waited_ms < 5000) AS within_5_seconds,
    sum(length(use_exchanges)) AS calls_run
FROM v_approvals
WHERE requested_at > now() - toIntervalDay({days:UInt16})
GROUP BY reviewer
ORDER BY approved DESC
LIMIT 100
