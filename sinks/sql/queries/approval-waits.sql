-- How long people keep callers waiting, by rule and how it ended
-- param days UInt16 = 30: how many days back
SELECT rule, state, count() AS approvals, round(quantile(0.5)(waited_ms) / 1000, 1) AS median_s,
    round(quantile(0.95)(waited_ms) / 1000, 1) AS p95_s, groupUniqArrayArray(approvers) AS who
FROM v_approvals
WHERE requested_at > now() - toIntervalDay({days:UInt16})
GROUP BY rule, state
ORDER BY approvals DESC
LIMIT 100
