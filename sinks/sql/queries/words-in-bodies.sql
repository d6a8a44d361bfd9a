-- Frames whose body holds all of these words, newest first
-- param words String = 'password': words in any case; whole ones, all of them
-- param days UInt16 = 7: how many days back
SELECT recorded_at, connection, principal, direction, method, tool, substring(head, 1, 200) AS beginning, replay_url
FROM v_frames
WHERE hasAllTokens(head, {words:String}) AND recorded_at > now() - toIntervalDay({days:UInt16})
ORDER BY recorded_at DESC
LIMIT 100
