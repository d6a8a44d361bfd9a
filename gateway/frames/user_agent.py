"""The User-Agent towards upstream, with the exchange in it: what upstream hands on can be joined with our trail."""

import re

_OURS = re.compile(rb"(?: +|^)sluicegate-exchange/[^ ]*")


def with_exchange(user_agent: bytes, exchange_id: str) -> bytes:
    """`user_agent` with `sluicegate-exchange/ID` at its end; one that a client wrote there itself is taken off."""
    plain = _OURS.sub(b"", user_agent).strip(b" ")
    token = b"sluicegate-exchange/" + exchange_id.encode("ascii")
    return plain + b" " + token if plain else token
