-- Rules by how often they cried wolf
SELECT rule, findings, open, true_positives, false_positives, benign, round(false_positive_rate, 2) AS wolf,
    round(median_hours_to_close, 1) AS hours_to_close
FROM v_finding_rates
ORDER BY wolf DESC NULLS LAST, findings DESC
