-- Tools that somebody called for the first time
-- param days UInt16 = 7: how many days back
SELECT first_at, principal, connection, tool, first_verdict, calls, replay_url
FROM v_first_tools
WHERE first_at > now() - toIntervalDay({days:UInt16})
ORDER BY first_at DESC
LIMIT 500
