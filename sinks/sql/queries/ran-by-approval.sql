-- What ran by whose approval
-- param days UInt16 = 30: how many days back
SELECT e.started_at AS started_at, a.principal AS principal, a.connection AS connection, a.tool AS tool,
    a.approvers AS approvers, e.outcome AS outcome, e.replay_url AS replay_url
FROM (SELECT principal, connection, tool, approvers, arrayJoin(use_exchanges) AS ran FROM v_approvals) AS a
INNER JOIN v_exchanges AS e ON toString(e.exchange_id) = a.ran
WHERE e.started_at > now() - toIntervalDay({days:UInt16})
ORDER BY started_at DESC
LIMIT 500
