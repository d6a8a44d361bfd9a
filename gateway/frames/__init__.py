"""Bytes to frames, without I/O: what a JSON-RPC body says, where a server-sent event ends, which headers go on.

`jsonrpc.py` looks into a body and never writes one; `forms.py` tells how an answer is read: whole, or as a stream
that `sse.py` cuts at its events, `lines.py` at its lines, `text.py` where no secret is cut in two. None loses a byte.
`headers.py` knows the headers of one hop and those that hold credentials; `modern.py` has the rules of MCP
2026-07-28 by which headers must agree with the body. `strict_json.py` and `target.py` find what two readers could
read differently, in a body and in the target of a request.
"""
