-- Callers who fetched far more than in the 14 days before
-- param days UInt16 = 7: how many days back
-- param times Float64 = 5: how many times their usual bytes
SELECT day, principal, response_bytes, round(usual_bytes) AS usual, round(ratio, 1) AS times_usual, days_seen
FROM v_bytes_out
WHERE day > today() - {days:UInt16} AND response_bytes > 0 AND (ratio IS NULL OR ratio >= {times:Float64})
ORDER BY response_bytes DESC
LIMIT 100
