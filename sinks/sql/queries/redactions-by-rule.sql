-- Which secrets are masked, where, and whether only the trail was spared them
-- param days UInt16 = 30: how many days back
SELECT connection, rule, pass, sum(redactions) AS masked, max(pseudonyms) AS different_in_a_day, max(last_at) AS latest,
    argMax(replay_url, last_at) AS replay_url
FROM v_redactions
WHERE day > today() - {days:UInt16}
GROUP BY connection, rule, pass
ORDER BY masked DESC
LIMIT 200
