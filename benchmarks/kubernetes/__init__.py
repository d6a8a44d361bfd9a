"""What the gateway costs before a Kubernetes API server: `python -m benchmarks.kubernetes`.

The API server is the real one of `make kubernetes`, with TLS on both legs; the gateway is all of `sluicegate up`,
with tokens, rules and masking. Direct and through take turns in one run. The client is the same on both sides: plain
HTTP/1.1 on asyncio, which reads and does not decode.
"""
