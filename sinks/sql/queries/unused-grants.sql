-- What could be taken away: tools never called, approvals never used
-- param days UInt16 = 30: granted at least so many days ago
SELECT kind, principal, connection, what, granted_at, last_granted_at, replay_url
FROM v_granted_unused
WHERE granted_at < now() - toIntervalDay({days:UInt16})
ORDER BY principal, connection, what
LIMIT 1000
