"""The demo: a made-up cluster, an MCP server over it, an agent that works on an incident, and the run of all three.

The way of one demo call: `agent` (official MCP client) → the gateway → `server` (official MCP SDK, `tools`) →
`cluster` (objects made by `seed`). `run` puts the stack around it and shows the trail afterwards.
Nothing here is on the data path of the product.
"""
