"""What is on the wire between the parts: Avro schemas, typed records, digests, topics.

`avro/*.avsc` are the schemas, `examples/*.json` one record each, `topics.yaml` says which topic holds what.
`frames.py` is the way from a typed record to bytes and back; `codec.py` and `digests.py` are what it stands on;
`topics.py` reads the list, `kafka.py` creates and checks the topics on a cluster.
"""
