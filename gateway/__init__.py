"""The data path: from a client's bytes to upstream and back, each frame recorded before it goes one step further.

    bytes ─▶ edge/guard ─▶ edge/downstream ─▶ edge/admission (who, barred, let, room)
          ─▶ exchange (pure): frames/ look ─▶ rules: policy/, tools/, belonging ─▶ drafting ─▶ effects
          ─▶ edge/perform: recorder, credentials, upstream, and back through the exchange

`app.py` wires one process, `wiring.py` one connection of it. `exchange.py` decides up to upstream, `relaying.py` on
the way back, `endings.py` how it ends otherwise; `edge/` does what they ask for: everything outside
`edge/` is without I/O, and the import contracts hold it to that.
"""
