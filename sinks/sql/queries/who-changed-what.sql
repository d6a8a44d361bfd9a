-- Acts of operators: who stopped whom, who was given tokens, which policy was loaded
-- param days UInt16 = 30: how many days back
SELECT at, actor_kind, actor, action, target, reason, outcome
FROM v_admin
WHERE outcome != 'asked' AND at > now() - toIntervalDay({days:UInt16})
ORDER BY at DESC
LIMIT 500
