-- Who reads secrets, deletes or gets into containers, by namespace
-- param days UInt16 = 30: how many days back
SELECT cluster, namespace, what, principal, count() AS requests, countIf(verdict = 'deny') AS denied, max(started_at) AS latest
FROM v_sensitive_requests
WHERE started_at > now() - toIntervalDay({days:UInt16})
GROUP BY cluster, namespace, what, principal
ORDER BY requests DESC
LIMIT 200
