-- Values that were masked in more than one connection: the same secret in several places
-- param days UInt16 = 30: how many days back
SELECT one.rule AS rule, one.pseudonym AS pseudonym, groupUniqArray(connection) AS connections,
    uniqExact(session_id) AS sessions, max(recorded_at) AS latest
FROM v_frames
ARRAY JOIN redactions AS one
WHERE one.pseudonym != '' AND recorded_at > now() - toIntervalDay({days:UInt16})
GROUP BY rule, pseudonym
HAVING length(connections) > 1
ORDER BY sessions DESC
LIMIT 100
