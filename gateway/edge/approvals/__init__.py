"""Approvals as a gateway process sees them: asked for, waited for, and used once.

The way of a held call: `book` holds what all of it stands on. `matching` finds what the call may join in `state`,
which `reader` fills with the settled records that `belief` takes for the machine's; else `drafts` makes a signed
request and `writer` puts it on its topic. The exchange waits in `bells`, `claims` keeps another like it from waiting
for the same, and at last the machine is asked to let it run. `endpoint` tells callers what became of theirs, and
takes requests for access.
"""

from gateway.edge.approvals.book import Approvals
from gateway.edge.approvals.drafts import SHOWN_BYTES_MAX

__all__ = ["SHOWN_BYTES_MAX", "Approvals"]
