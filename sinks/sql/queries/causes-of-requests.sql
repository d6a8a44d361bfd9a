-- Which tool calls caused how many requests to clusters
-- param days UInt16 = 7: how many days back
SELECT c.connection AS connection, c.tool AS tool, count() AS requests, uniqExact(t.parent_exchange_id) AS calls,
    countIf(NOT t.same_principal) AS by_somebody_else
FROM v_exchange_tree AS t
INNER JOIN v_exchanges AS c ON c.exchange_id = t.parent_exchange_id
WHERE t.started_at > now() - toIntervalDay({days:UInt16})
GROUP BY connection, tool
ORDER BY requests DESC
LIMIT 100
