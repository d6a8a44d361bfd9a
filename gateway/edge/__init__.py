"""The only place of the gateway with I/O.

`downstream.py` takes a request off ASGI and `perform.py` carries out what its exchange asks for: through
`recorder.py` (frames onto Kafka, by `lane.py`) and `upstream.py` (the answer, over `http1.py` or `stdio/`).
`probes.py` serves health and metrics.
"""
