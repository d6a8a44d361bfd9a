"""What one batch came to, for the metrics: counted from what was said, so that it cannot differ from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from processors.approvals import telling
from processors.approvals.telling import Output, Raised, Settled
from schemas.approvals import ApprovalState

PLAIN = "not-allowed"
"""A refusal that is a mistake, and no finding: not a reviewer, too late, no comment, and the like."""

_REFUSING = (telling.FORGED, telling.REPLAYED, telling.SELF, telling.ALTERED)


@dataclass(slots=True)
class Tally:
    """`settled` by the state that an approval came to, `refused` by rule, `rejected` by reason code."""

    settled: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    uses: int = 0
    ticks: int = 0

    def said(self, before: ApprovalState | None, outputs: Sequence[Output]) -> None:
        """Of one approval, whose state was `before` (None: it was not there)."""
        for output, following in zip_longest(outputs, outputs[1:]):
            match output:
                case Settled(fields):
                    if fields["state"] != before:
                        self.settled[fields["state"]] += 1
                    before = fields["state"]
                    self.uses += bool(fields["use_id"])
                    if fields["decision_id"] and fields["refusal"] and not _refusing(following):
                        self.refused[PLAIN] += 1
                case Raised(finding):
                    if _refusing(output):
                        self.refused[finding["rule"]] += 1


def _refusing(output: Output | None) -> bool:
    return isinstance(output, Raised) and output.finding["rule"] in _REFUSING
