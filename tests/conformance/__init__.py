"""The official MCP conformance suite, run against an SDK server directly and through the gateway.

The suite's own exit code says whether the *server* conforms; it hides what a proxy breaks and counts what
the server never could. So the two runs are compared check by check: what passed directly and does not pass
through is lost, and one lost check fails the run. `python -m tests.conformance --help`.
"""
