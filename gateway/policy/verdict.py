"""What policy says of a call."""

from dataclasses import dataclass
from typing import Literal

from gateway.settings import Rate

Action = Literal["allow", "deny", "hold"]


@dataclass(frozen=True, slots=True)
class Asked:
    """So many different people out of these: names of groups, or `ISSUER|SUBJECT` for one person."""

    reviewers: tuple[str, ...]
    people: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """One approval lets such calls run for `seconds`, `uses` times (0: any number), where `bound` (CEL) holds."""

    seconds: int
    uses: int = 0
    bound: str = ""


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Whose members may go ahead without approval, and within how many seconds it has to be reviewed."""

    groups: tuple[str, ...]
    review_seconds: int = 86_400


@dataclass(frozen=True, slots=True)
class Hold:
    """What a held call needs. `quorum`: all of its parts. `hours`: as in `approval_requested.avsc`; '' is always."""

    quorum: tuple[Asked, ...]
    comment_required: bool = False
    hours: str = ""
    expires_seconds: int = 900
    grant: Grant | None = None
    break_glass: BreakGlass | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason_code`: '' (allow), `policy_denied`, `policy_held`, `policy_failed` (a condition could not be computed).

    Obligations hold for an allowed call: `mask` is a masking profile, `result_bytes_max` a size of the result,
    `rate` how often one principal may be allowed by this rule; `impersonate` lets a client's Impersonate-* headers
    pass, which nothing else does. `hold` is what a held call needs; without it nobody
    can approve it.
    """

    action: Action
    rule: str
    reason: str = ""
    reason_code: str = ""
    reviewers: tuple[str, ...] = ()
    mask: str | None = None
    result_bytes_max: int | None = None
    rate: Rate | None = None
    hold: Hold | None = None
    impersonate: bool = False


ALLOWED = Verdict("allow", "")
