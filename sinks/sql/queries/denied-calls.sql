-- Which calls policy denied most, by whom and by which rule
-- param days UInt16 = 7: how many days back
SELECT call, rule, principal, sum(calls) AS denied, max(last_at) AS latest, argMax(replay_url, last_at) AS replay_url
FROM v_denied_calls
WHERE day > today() - {days:UInt16}
GROUP BY call, rule, principal
ORDER BY denied DESC
LIMIT 100
