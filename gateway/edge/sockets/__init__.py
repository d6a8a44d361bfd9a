"""WebSockets: a client's and upstream's, and what passes between them.

wire.py      one WebSocket after its handshake, of either side
joining.py   the handshake with upstream
secured.py   TLS to upstream that loses nothing when upstream closes
conduit.py   both sides together, as an exchange reads and writes them
tokens.py    a credential that a client sends as a subprotocol
fallback.py  what a refused client is told when it comes again over SPDY
"""
