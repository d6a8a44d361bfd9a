-- What one caller did, newest first
-- param principal String = '': subject of the caller; empty for everybody
-- param hours UInt32 = 24: how many hours back
SELECT started_at, connection, method, tool, verdict, outcome, latency_ms, replay_url
FROM v_exchanges
WHERE ({principal:String} = '' OR principal = {principal:String})
  AND started_at > now() - toIntervalHour({hours:UInt32})
ORDER BY started_at DESC
LIMIT 1000
