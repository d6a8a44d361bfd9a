-- Which objects were deleted, by whom, and by which tool call
-- param days UInt16 = 30: how many days back
SELECT k.started_at AS started_at, k.cluster AS cluster, k.principal AS principal, k.object AS object,
    k.verdict AS verdict, k.outcome AS outcome, c.tool AS tool, k.replay_url AS replay_url
FROM v_sensitive_requests AS k
LEFT JOIN v_exchange_tree AS t ON t.exchange_id = k.exchange_id
LEFT JOIN v_exchanges AS c ON c.exchange_id = t.parent_exchange_id
WHERE k.what = 'delete' AND k.started_at > now() - toIntervalDay({days:UInt16})
ORDER BY started_at DESC
LIMIT 500
