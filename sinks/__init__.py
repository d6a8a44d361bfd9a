"""From Kafka into the store, and out of it again.

The way of one frame: `consumer.py` fetches it from topic `audit` and `batches.py` cuts a batch around it; `tables.py`
and `avro.py` look whether it is whole, and `seen.py` whether it is stored already. `journal.py` names the batch in
the commit metadata, `writer.py` and `store.py` insert its bytes as they lay on the topic under a deduplication
token, and what no store could read goes to `dead_letters.py`. `sink.py` is the loop around that, `migrations/` the
schema it meets. Findings, acts of operators and approvals come the same way from topics of their own.

The way back: `sql_reader.py` asks the store (with `queries.py`), `server.py` offers the same over HTTP to whoever
holds the token (`access.py`), and `client.py` asks there. `readers.py` is the interface of both. `run.py` is the
process that holds it all together; of an embedded store it is the one owner (`clickhouse.py`).
"""
