"""The User-Agent towards upstream, with the exchange in it: what upstream hands on can be joined with our trail.

An MCP server that appends its caller's User-Agent to its own brings the exchange back on the requests that it sends
elsewhere. What comes back is a claim of the caller: whoever reads it looks whether there is such an exchange, and
whether it was under way then.
"""

import re

_OURS = re.compile(rb"(?: +|^)sluicegate-exchange/[^ ]*")
_CLAIMED = re.compile(
    rb"(?:^|[ (;,])sluicegate-exchange/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=[ );,]|$)"
)


def with_exchange(user_agent: bytes, exchange_id: str) -> bytes:
    """`user_agent` with `sluicegate-exchange/ID` at its end; one that a client wrote there itself is taken off."""
    plain = without_exchange(user_agent)
    token = b"sluicegate-exchange/" + exchange_id.encode("ascii")
    return plain + b" " + token if plain else token


def without_exchange(user_agent: bytes) -> bytes:
    """The program alone: the same on every request of a conversation, whatever caused it."""
    return _OURS.sub(b"", user_agent).strip(b" ") if b"sluicegate-exchange/" in user_agent else user_agent


def caused_by(user_agent: bytes) -> str:
    """The exchange that a request says it was caused by: the last one named, which is the nearest; '' for none."""
    claimed = _CLAIMED.findall(user_agent)
    return claimed[-1].decode("ascii") if claimed else ""
