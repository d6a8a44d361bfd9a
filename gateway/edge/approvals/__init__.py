"""Approvals as a gateway process sees them: asked for, waited for, and used once.

The way of a held call: `book` has one method for each step. `matching` finds what the call may join in `state`, which
`reader` fills with the settled records that `belief` takes for the machine's. Else `asking` makes a signed request of
it (`drafts`) and puts it on its topic (`writer`). The exchange waits in `bells`; `claims` keeps another like it from
waiting for the same, `open_requests` remembers what is in doubt; at last `using` has the machine let it run.
`endpoint` tells callers what became of theirs, and takes requests for access: `callers`, `access_form`, `answers`.
"""

from gateway.edge.approvals.book import Approvals
from gateway.edge.approvals.drafts import SHOWN_BYTES_MAX
from gateway.edge.approvals.endpoint import approval_routes

__all__ = ["SHOWN_BYTES_MAX", "Approvals", "approval_routes"]
