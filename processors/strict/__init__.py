"""A consumer for faust-streaming that loses nothing on a rebalance.

Stock Faust 0.15.3 loses records: what is fetched between the seek and the last emptying of the queues after a
rebalance is gone while the position has moved on; it commits past gaps and past an unprocessed head; it remembers
a failed commit as done. Here the consumer owns its position: a record counts as read when it was handed to a
stream, and the commit is always the oldest record that was handed over and is not finished.

`StrictApp` and `strict_settings` are what an application uses. An agent must work like this:

    @app.agent(app.raw_topic("frames"))  # bytes: what Faust cannot decode, it drops
    async def agent(stream):
        async for events in stream.noack_take(500, within=0.05):
            owned = [event for event in events if app.owns(event)]  # the rest is another worker's by now
            ...                                    # 1 outputs: send, and wait until acknowledged
            table.at(event)[key] = row             # 2 state: each key of the batch, also where it did not change
            await table.durable()
            for event in owned: event.ack()        # 3 only now may the offset be committed

Duplicates remain possible, so outputs are functions of the record and its position alone, and state entries keep
the last offset they applied. What cannot go on (an agent that raised, a partition that stands still) ends the
process with code 75: a supervisor starts it again, and everything unfinished is done again.

The package stands on private attributes: faust-streaming 0.15.3 and aiokafka 0.14.0 are pinned exactly, and
`python -m tests.faults.faust_chaos` has to pass before either moves.
"""

from processors.strict.app import StrictApp, StrictTable, strict_settings
from processors.strict.exits import RESTART_CODE, exit_for_restart

__all__ = ["RESTART_CODE", "StrictApp", "StrictTable", "exit_for_restart", "strict_settings"]
