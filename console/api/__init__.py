"""The REST API of the console, under `/api`. The way of a request, in order:

1. `guard` refuses what no client of ours sends: foreign Host or Origin, other content than JSON, bodies too large;
2. `callers` finds out who asks, and `pace` how often;
3. `approvals`, `delegations`, `events` and `persons` answer; `shapes` is what a client sees of our records;
4. whatever goes wrong is a `problem` (RFC 9457).

`document` and its parts are the same in OpenAPI 3.1; a test holds every answer against it.
"""
