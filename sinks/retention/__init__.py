"""Forgetting what may go, and nothing else.

The way of one row: `schemas.retention_topic` reads what people confirmed, `due.py` says in SQL which rows that makes
due, `store.py` gathers them into runs, `job.py` has a tombstone signed for each (`signing.py`) and waits until Kafka
has it and the sink has stored it; only then `carrying_out.py` gives the row its `retain_until`, on which the table's
TTL stands, or empties its body. A crash leaves tombstones that are stored and not carried out: the next round
finishes them. `erasing.py` takes a person's data out of rows that stay, `erasing_beside.py` out of what else names
them. `keeper.py` is what the store process runs.
"""
