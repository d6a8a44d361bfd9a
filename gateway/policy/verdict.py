"""What policy says of a call."""

from dataclasses import dataclass
from typing import Literal

from gateway.settings import Rate

Action = Literal["allow", "deny", "hold"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason_code`: '' (allow), `policy_denied`, `policy_held`, `policy_failed` (a condition could not be computed).

    Obligations hold for an allowed call: `mask` is a masking profile, `result_bytes_max` a size of the result,
    `rate` how often one principal may be allowed by this rule.
    """

    action: Action
    rule: str
    reason: str = ""
    reason_code: str = ""
    reviewers: tuple[str, ...] = ()
    mask: str | None = None
    result_bytes_max: int | None = None
    rate: Rate | None = None


ALLOWED = Verdict("allow", "")
