"""Approvals: who may let a held call run, and that it runs once or never. The only writer of `approvals.settled`.

The way of a record, in order:

1. `app` takes requests and decisions, both of one approval from the same partition number;
2. `reading` opens each: what cannot be read is a dead letter, what is not signed by whom it should be is a finding;
3. `books` finds the approval's `entry` and the clock of its partition, and hands both to
4. `machine`, the pure step: `asking` takes a request, `deciding` a decision, `passing` is what time does; `law`,
   `people` and `quorum` say who counts and when, `terms` what may be asked;
5. `telling` turns what it said into records with ids made from the cause, signed;
6. `app` sends them, then writes the entries to its table, and acknowledges last; `metrics` counts what is durable.

Time is in the log as well: a worker that sees something fall due writes a tick behind the decisions, so everything
that is settled is a function of the two topics. A decision that arrives before its request waits for it in the
entry. Whatever is processed again gives the same bytes, whichever worker does it.
"""
