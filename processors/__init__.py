"""Stream processors: what happens to a frame between the topics `frames` and `audit`.

The way of one frame, in order:

1. `strict` hands the record to the agent in `masking`, once its partition is ours and sought;
2. `masking_step` opens it, masks its body deeper and closes it again as an audit record. What cannot be opened or
   masked becomes a dead letter with a reason: it never passes unmasked, and it stops nothing;
3. `outlet` sends the result to the same partition of `audit` (or to `dead-letters`) and waits for the brokers;
4. only then the record is acknowledged, and its offset may be committed;
5. `completeness` reads `audit` and `dead-letters` behind it, and proves that every committed frame has arrived.
   What has not is raised as a finding and driven again through the same step.

Steps 2 and the books of 5 (`ledger`, `intervals`) are pure. `worker` wires the rest into one process.
"""
