"""Session tokens: short-lived tokens of the gateway itself, bound to a principal, a connection and a purpose.

`endpoint.py` holds the routes. `POST /token` takes a token of a configured issuer (`exchange.py` decides) and gives
one of ours (`issuer.py`) once the record of it is acknowledged; `POST /token/revoke` takes it back on every replica.
`strangers.py` bounds what callers whom nobody knows can write into the trail. `form.py` and `answers.py` are the
wire: RFC 6749, 8693 and 7009. `desk.py` gives tokens without being asked over HTTP: to the credential of a connection
whose upstream calls another one. `sweep.py` clears topic `control` of revocations that ended with their tokens.
"""

from gateway.edge.tokens.desk import TokenDesk
from gateway.edge.tokens.endpoint import TokenEndpoint
from gateway.edge.tokens.issuer import Issued, SessionTokenIssuer
from gateway.edge.tokens.sweep import Sweeper

__all__ = ["Issued", "SessionTokenIssuer", "Sweeper", "TokenDesk", "TokenEndpoint"]
