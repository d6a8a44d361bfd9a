"""What the engine finds: a value that becomes a record of topic `findings`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.findings import FindingRecord, Severity, finding_record

Act = Literal["raised", "repeated"]
Answer = Literal["demand_approval", "block", "lower_limits"]


@dataclass(frozen=True, slots=True)
class Response:
    """What a rule asks the gateway to do about a finding, and for how many seconds."""

    act: Answer
    seconds: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, or a repeat of it while it lasts: all of these have the same `name`.

    `key` says whose it is: one of the rule's dimensions and its value each. `value` is what the feature came to, in
    the window from `window_start` to `raised_at` (UTC, microseconds). `evidence` are ids of frames, the latest ones.
    """

    rule: str
    severity: Severity
    title: str
    name: str
    key: tuple[tuple[str, str], ...]
    raised_at: int
    window_start: int
    act: Act = "raised"
    count: int = 1
    value: float = 0.0
    evidence: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    response: Response | None = None

    def record(self) -> FindingRecord:
        """This finding as a record of topic `findings`."""
        return finding_record(
            self.rule,
            self.severity,
            self.title,
            [f"frame {each}" for each in self.evidence],
            raised_at=self.raised_at,
            act=self.act,
            name=self.name,
            count=self.count,
            attributes=self.attributes,
        )
