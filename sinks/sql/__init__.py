"""What analysts get: SQL over the views, and answers in the formats their tools read.

Saved queries (`saved.py`, `queries/*.sql`, and one a view) take parameters and run in the engine that owns the store.
Free SQL does not: chDB has no users to hold anybody back. Its way, in order:

1. `http_form.py` takes it as a ClickHouse server would, from who has the store's token, on loopback.
2. `sandbox.py` sees to a process that has a store of its own to look at: `snapshot.py` makes that of hard links.
3. `child.py` is that process. It puts up its walls (`walls.py`), then starts its engine with a user who may only
   read one database (`configuration.py`).
4. Each statement is first classified by the engine, then printed by it as a tree (`syntax.py`), and passes when
   nothing in that tree is unknown (`fence.py`). Only then it runs.

On a server none of this is needed: `access.py` makes roles, quotas and row policies there.
"""
