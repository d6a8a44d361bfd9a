-- Findings that nobody has closed, the gravest first
SELECT severity, raised_at, rule, title, principal, connection, count, state, replay_url
FROM v_findings
WHERE state != 'closed'
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], severity), raised_at
LIMIT 500
