"""Misuse that no single call shows: windows over observations, rules as data, findings.

The way of one exchange, in order:

1. `observing` makes an `Observation` of its audit records: facts and sizes, no bodies;
2. `mapping` sends it on topic `observations`, once for each home (principal, connection, …) that a rule keeps by;
3. `detector` folds it into the rows of its keys: `series` count by window, `sketch` counts distinct things,
   `novelty` knows what was there before, `baseline` what is usual, `sequences` what followed what;
4. a rule whose condition holds raises a `Finding`, once while it lasts, with its evidence.

Steps 1 and 3 are pure; `app` and `worker` run them on Kafka.
"""
