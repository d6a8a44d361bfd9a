"""Programs that speak MCP over stdio, served as if they were Streamable HTTP upstreams.

The way of one request: `upstream.py` picks the era by its header; `posts.py` checks the body and makes it one
line; `sessions.py` (up to 2025-11-25: one program for one `Mcp-Session-Id`) or `stateless.py` (from 2026-07-28:
programs by our session id) picks the conversation; `conversation.py` writes the line to the program and gives each
line that comes back to the `replies.py` it belongs to; the exchange reads that reply as it reads an HTTP answer.
`program.py` is the child process, `programs.py` counts and ends them, `guard.py` ends them should the gateway be
killed, `events.py` keeps what a client may resume.

What passes: a line of the program is one message and passes as it is, its line end cut off; within an event a
carriage return becomes a blank, for it would end the event's line. A body of the client passes as one line: line
ends in it, which in JSON are only blanks between tokens, become blanks. Nothing else is ever changed.
"""

from gateway.edge.stdio.upstream import StdioUpstream

__all__ = ["StdioUpstream"]
