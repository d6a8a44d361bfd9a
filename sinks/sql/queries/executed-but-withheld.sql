-- Calls that upstream carried out and whose answer the client was not given
-- param days UInt16 = 30: how many days back
SELECT started_at, connection, principal, tool, method, reason, replay_url
FROM v_exchanges
WHERE outcome = 'withheld' AND started_at > now() - toIntervalDay({days:UInt16})
ORDER BY started_at DESC
LIMIT 500
