"""The only place of the gateway with I/O.

`guard/` looks at the raw bytes of a connection, `downstream.py` takes a request off ASGI, `admission.py` lets it in
(`identity/`, `tokens/`, `control/`, `quotas.py`), and `perform.py` carries out what its exchange asks for: through
`recorder.py` (frames onto Kafka, by `lane.py`), `credentials/` and `upstream.py` (the answer, over `http1.py` or
`stdio/`). Beside the data path: `policies.py` reads policy files, `pinning.py` holds listings against pins,
`announce.py` writes the topics `control`, `admin` and `findings`, `sealer.py` keeps originals, `tracing.py` and
`metrics.py` tell how it went, `probes.py` serves health and metrics.
"""
